import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import {
  cleanUp,
  DAY_MS,
  MIDNIGHT,
  stopClock,
  withoutReports,
} from "../durable-objects/a-tenant.ts";
import { storedKeys } from "./stored-pictures.ts";

// Archived days of the journal over HTTP: listed, streamed with their hash, exported and erased.

beforeEach(() => stopClock());
afterEach(cleanUp);

const OLD = MIDNIGHT + 35 * DAY_MS;
const DAY = "2036-11-20";
const PATH = "/v1/ledger/archives";

/** A tenant with one old day of two lines, one of them a person's. */
async function archived(id: string): Promise<TestTenant> {
  const tenant = await makeTenant(id);
  await withoutReports(id);
  await tenant.call("POST", "/v1/verdicts", { text: "Nice to see you.", user_id: "u_one" });
  await tenant.call("POST", "/v1/verdicts", { text: "Nice to see you." });
  vi.setSystemTime(OLD);
  for (let rung = 0; rung < 5; rung += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
    await runDurableObjectAlarm(env.TENANT.getByName(id));
  }
  return tenant;
}

const linesOf = (body: unknown): { readonly user_id: string | null; readonly object: string }[] =>
  String(body)
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as { user_id: string | null; object: string });

describe("archived days", () => {
  it("are listed with hash and sum, and streamed as they were", async () => {
    const tenant = await archived("archived-days");
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toEqual([]);
    const { body: list } = await tenant.call("GET", PATH);
    expect(list.data).toMatchObject([
      {
        object: "journal_archive",
        day: DAY,
        lines: 2,
        revision: 1,
        created_at: new Date(OLD).toISOString(),
        rewritten_at: null,
      },
    ]);
    expect((await admin("GET", "/admin/tenants/archived-days/ledger/archives")).body).toEqual(list);
    const file = await tenant.call("GET", `${PATH}/${DAY}`);
    expect(file.status).toBe(200);
    expect(file.headers.get("Content-Type")).toBe("application/x-ndjson");
    const bytes = new TextEncoder().encode(String(file.body));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    expect(list.data[0]).toMatchObject({ bytes: bytes.length, sha256: digest.toHex() });
    expect(file.headers.get("Repr-Digest")).toBe(`sha-256=:${digest.toBase64()}:`);
    const lines = linesOf(file.body) as unknown as { readonly micro_neurons: number }[];
    const sum = lines.reduce((total, line) => total + line.micro_neurons, 0);
    expect(list.data[0].micro_neurons).toBe(sum);
    // The day's totals stay.
    const { body: usage } = await tenant.call("GET", `/v1/usage?from=${DAY}&to=${DAY}`);
    expect(usage.totals).toMatchObject({ calls: 2, micro_neurons: sum });
  });

  it("are given out with what is held of a person, and forget them", async () => {
    const tenant = await archived("archived-person");
    const exported = await tenant.call("GET", "/v1/export?user_id=u_one");
    const lines = linesOf(exported.body);
    expect(lines.filter(({ object }) => object === "journal_line")).toMatchObject([
      { user_id: "u_one" },
    ]);
    expect(lines.at(-1)).toMatchObject({ counts: { journal_line: 1 } });

    const asked = await tenant.call("POST", "/v1/erasures", { user_id: "u_one" });
    expect(asked.status).toBe(202);
    await runDurableObjectAlarm(env.TENANT.getByName("archived-person"));
    await runDurableObjectAlarm(env.TENANT.getByName("archived-person"));
    const { body: erasure } = await tenant.call("GET", `/v1/erasures/${asked.body.id}`);
    expect(erasure).toMatchObject({ state: "done", counts: { journal_lines: 1 } });
    const file = await tenant.call("GET", `${PATH}/${DAY}`);
    expect(linesOf(file.body).map(({ user_id }) => user_id)).toEqual([null, null]);
    expect((await tenant.call("GET", PATH)).body.data[0]).toMatchObject({
      revision: 2,
      lines: 2,
      rewritten_at: new Date(OLD).toISOString(),
    });
    expect(String((await tenant.call("GET", "/v1/export?user_id=u_one")).body)).not.toContain(
      '"journal_line"',
    );
  });

  it("go with their tenant", async () => {
    await archived("archived-ended");
    expect(await storedKeys("archived-ended/")).toEqual([
      "archived-ended/1/journal/2036-11-20.ndjson",
    ]);
    expect((await admin("DELETE", "/admin/tenants/archived-ended")).status).toBe(204);
    expect(await storedKeys("archived-ended/")).toEqual([]);
  });

  it("are the manager's, and are not there where there are none", async () => {
    const tenant = await archived("archived-roles");
    const key = await makeKey("archived-roles", "call");
    expect((await ask("GET", `${PATH}/${DAY}`, { key })).body.kind).toBe("role_required");
    for (const day of ["2036-11-19", "yesterday"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await tenant.call("GET", `${PATH}/${day}`)).status).toBe(404);
    }
    expect((await tenant.call("GET", `${PATH}?cursor=nonsense`)).status).toBe(400);
    expect((await tenant.call("GET", `${PATH}?cursor=${DAY}`)).body.data).toEqual([]);
    const broken = { IMAGES: { get: () => Promise.reject(new Error("down")) } };
    for (const bindings of [broken, { IMAGES: undefined }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const failed = await ask("GET", `${PATH}/${DAY}`, { key: tenant.key, env: bindings });
      expect(failed.body.kind).toBe("unavailable");
    }
  });
});
