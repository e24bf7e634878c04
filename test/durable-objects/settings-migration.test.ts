import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrate, objectDatabase } from "../../durable-objects/database.ts";
import { TENANT_MIGRATIONS } from "../../durable-objects/tenant/tenant-schema.ts";
import { admin } from "../client.ts";
import { aTenant, type ATenant, cleanUp, inTenant, rows, stopClock } from "./a-tenant.ts";

// Objects that stored their settings before the overage cap was spelled out.

beforeEach(() => stopClock());
afterEach(cleanUp);

const BEFORE = TENANT_MIGRATIONS.findIndex(({ name }) => name === "spell_out_overage");

/** As the object was left by the version before: its schema, its settings, and all that it had stored. */
async function stored(tenant: ATenant, settings: object): Promise<void> {
  await inTenant(tenant.id, async ({ storage }) => {
    const { sql } = storage;
    const tables = sql.exec<{ name: string }>(TABLES).toArray();
    const kept = tables.map(
      ({ name }) => [name, sql.exec(`SELECT * FROM ${name}`).toArray()] as const,
    );
    await storage.deleteAll();
    migrate(objectDatabase(storage), TENANT_MIGRATIONS.slice(0, BEFORE));
    const before = new Set(sql.exec<{ name: string }>(TABLES).toArray().map(nameOf));
    for (const [name, records] of kept) {
      if (name === "features" || name === "schema_version" || !before.has(name)) continue;
      const columns = sql.exec(`SELECT * FROM ${name} LIMIT 0`).columnNames;
      const places = columns.map(() => "?").join();
      for (const record of records) {
        const values = columns.map((column) => record[column]);
        sql.exec(`INSERT INTO ${name} (${columns.join()}) VALUES (${places})`, ...values);
      }
    }
    sql.exec("UPDATE tenant SET settings = ?", JSON.stringify(settings));
  });
  await evictDurableObject(env.TENANT.getByName(tenant.id));
}

const nameOf = ({ name }: { readonly name: string }): string => name;

/** The runtime's own tables begin with `_cf_`. */
const TABLES =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";

const read = async ({ id }: ATenant) => (await admin("GET", `/admin/tenants/${id}`)).body;

const PAID = { plan: "paid", daily_neurons: 0.000001, max_in_flight: 3, aliases: { é: "auto" } };

describe("a paid tenant that was stored without a cap", () => {
  it.each([
    ["as null", { ...PAID, overage_cap_neurons: null }],
    ["before there was such a setting", PAID],
  ])("%s is unlimited, in so many words", async (_, settings) => {
    const tenant = await aTenant();
    await stored(tenant, settings);
    expect(await read(tenant)).toMatchObject({
      ...settings,
      overage_cap_neurons: "unlimited",
      version: 1,
    });
    // It is admitted as before, and nobody is surprised: the next change warns.
    expect((await tenant.admit()).kind).toBe("admitted");
    expect((await tenant.limits()).overage.capNeurons).toBe("unlimited");
    const changed = await admin("PATCH", `/admin/tenants/${tenant.id}`, { max_in_flight: 4 });
    expect(changed.body.warnings[0]).toMatchObject({ kind: "unlimited_overage" });
    const again = await admin("PUT", "/admin/state", (await admin("GET", "/admin/state")).body);
    expect(again.body.counts).toMatchObject({ unchanged: 1, update: 0 });
  });

  it("is rewritten in storage once, and no row is written at the next start", async () => {
    const tenant = await aTenant();
    await stored(tenant, { ...PAID, overage_cap_neurons: null });
    await tenant.limits();
    const [row] = await rows(tenant.id, "SELECT settings, version FROM tenant");
    expect(JSON.parse(row?.["settings"] as string)).toEqual({
      ...PAID,
      overage_cap_neurons: "unlimited",
    });
    expect(await rows(tenant.id, "SELECT version FROM schema_version")).toEqual([
      { version: TENANT_MIGRATIONS.length },
    ]);
  });
});

it.each([
  ["a cap on the paid plan", { ...PAID, overage_cap_neurons: 2.5 }, 2.5],
  ["a cap of nothing", { ...PAID, overage_cap_neurons: 0 }, 0],
  ["no cap on the free plan", { plan: "free", daily_neurons: 1, overage_cap_neurons: null }, null],
  [
    "a cap that the free plan never had",
    { plan: "free", daily_neurons: 1, overage_cap_neurons: 5 },
    null,
  ],
  ["the free plan, before there were caps", { plan: "free", daily_neurons: 1 }, null],
])("%s is read as it was meant", async (_, settings, cap) => {
  const tenant = await aTenant();
  await stored(tenant, settings);
  expect((await read(tenant)).overage_cap_neurons).toBe(cap);
});
