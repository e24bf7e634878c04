import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { APPLY_MIGRATIONS } from "../../durable-objects/applies/apply-schema.ts";
import { makeTenant } from "../client.ts";
import {
  applyTenants,
  inApplies,
  PAID,
  readApply,
  runToEnd,
  sendPart,
  tenantsOf,
} from "../routes/an-apply.ts";
import { cleanUp, stopClock } from "./a-tenant.ts";
import RELEASED from "./released-applies.sql?raw";
import {
  appliesObject,
  leave,
  missingRows,
  RELEASED_MS,
  rowsOf,
  tablesOf,
} from "./released-objects.ts";

// The object of applies as the last build before the nodes wrote it.

beforeEach(async () => {
  stopClock(RELEASED_MS);
  await leave(appliesObject(), RELEASED, RELEASED_MS);
});
afterEach(cleanUp);

describe("the object of applies of the build before the nodes", () => {
  it("has a row of every table, and is of the present version", async () => {
    const tables = tablesOf(RELEASED);
    expect(tables).toEqual(["schema_version", "applies", "apply_parts", "apply_tenants"]);
    expect(tables.filter((table) => rowsOf(RELEASED, table).length === 0)).toEqual([]);
    expect((await readApply("kept")).id).toBe("kept");
    expect(await inApplies((storage) => missingRows(storage, RELEASED))).toEqual([]);
    const versions = await inApplies(({ sql }) =>
      sql.exec("SELECT * FROM schema_version").toArray(),
    );
    expect(versions).toEqual([{ version: APPLY_MIGRATIONS.length }]);
  });

  it("shows the plan that has ended, and what waits for its last part", async () => {
    expect(await readApply("kept")).toMatchObject({ state: "planned", dry_run: true });
    expect(await applyTenants("kept")).toMatchObject([{ tenant: "released-new" }]);
    expect(await readApply("waiting")).toMatchObject({
      state: "collecting",
      parts: { total: 2, stored: 1, missing: [2] },
    });
    expect(await applyTenants("waiting")).toMatchObject([
      { tenant: "released-new" },
      { tenant: "released-paid" },
    ]);
  });

  it("goes on: with its last part it makes and changes what the first one says", async () => {
    await makeTenant("released-paid");
    // The same part again changes nothing: its digest is known.
    const again = await sendPart(
      "waiting",
      "1/2",
      tenantsOf(["released-new", "released-paid"], PAID),
    );
    expect(again.body).toMatchObject({ state: "collecting", parts: { stored: 1 } });
    expect((await sendPart("waiting", "2/2", tenantsOf(["released-last"], PAID))).status).toBe(200);
    const { state, counts } = await runToEnd("waiting");
    expect([state, counts]).toEqual(["done", { create: 2, update: 1, unchanged: 0, suspend: 0 }]);
  });
});
