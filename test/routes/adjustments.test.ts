import { beforeAll, describe, expect, it } from "vitest";
import { env } from "cloudflare:workers";
import { admin, ask, makeTenant, type TestTenant } from "../client.ts";

// Adjustments over HTTP: made by the platform, seen by the tenant in its journal and its usage.

const PATH = "/admin/tenants/adjusted/adjustments";
const TEXT = { text: "Nice to see you." };

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("adjusted", { plan: "paid", daily_neurons: 0 });
});

const linesOf = (body: unknown): { readonly route: string }[] =>
  String(body)
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as { route: string });

const send = (body: unknown) =>
  ask("POST", PATH, { key: env.ADMIN_TOKEN, body, headers: { "Idempotency-Key": "once" } });

const newestLine = async () => (await tenant.call("GET", "/v1/ledger?limit=1")).body.data[0];

// One story: each test goes on where the one before it ended, in whatever order others are run.
describe("an adjustment", { shuffle: false }, () => {
  it("is made, recorded, and in journal, usage and money", async () => {
    await tenant.call("POST", "/v1/verdicts", TEXT);
    const line = await newestLine();
    const used = line.micro_neurons as number;
    const before = (await tenant.call("GET", "/v1/usage")).body.totals;
    expect(Number(before.charge_usd)).toBeGreaterThan(0);

    const made = await admin("POST", PATH, { line_id: line.id, reason: "not asked for" });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      object: "journal_line",
      route: "adjustment",
      day: line.day,
      outcome: "posted",
      micro_neurons: 0 - used,
      overage_micro_neurons: 0 - used,
      overage_usd_per_1000_neurons: "0.011",
      adjusts: line.id,
      reason: "not asked for",
    });
    expect(await newestLine()).toEqual(made.body);
    expect((await admin("GET", PATH)).body.data).toEqual([made.body]);

    const { totals, data } = (await tenant.call("GET", "/v1/usage")).body;
    expect(totals).toMatchObject({
      micro_neurons: 0,
      overage_micro_neurons: 0,
      adjusted_micro_neurons: 0 - used,
      charge_usd: "0",
      // It ran, and the platform pays for it.
      cost_usd: before.cost_usd,
    });
    const ran = data.reduce(
      (sum: number, row: { micro_neurons: number }) => sum + row.micro_neurons,
      0,
    );
    expect(ran + totals.adjusted_micro_neurons).toBe(totals.micro_neurons);

    const month = line.day.slice(0, 7);
    const statement = await ask("GET", `/admin/tenants/adjusted/statements/${month}`, {
      key: env.ADMIN_TOKEN,
      headers: { Accept: "application/x-ndjson" },
    });
    const stated = linesOf(statement.body);
    expect(stated).toContainEqual(
      expect.objectContaining({ line: "adjustment", adjusts: line.id, micro_neurons: 0 - used }),
    );
    const { body: audit } = await admin("GET", "/admin/audit?tenant=adjusted");
    expect(audit.data[0]).toMatchObject({
      action: "POST /admin/tenants/{tenant}/adjustments",
      detail: { adjustment: made.body.id, adjusts: line.id, micro_neurons: 0 - used },
    });
    const { body: invariants } = await tenant.call("GET", "/v1/invariants");
    expect(invariants.holds).toBe(true);
  });

  it("is given again under its idempotency key", async () => {
    await tenant.call("POST", "/v1/verdicts", TEXT);
    const line = await newestLine();
    const good = { line_id: line.id, neurons: 0.5, reason: "half" };
    const first = await send(good);
    expect(first.body.micro_neurons).toBe(-500_000);
    const again = await send(good);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await send({ ...good, neurons: 1 })).status).toBe(422);
  });

  it("streams with the other lines", async () => {
    const reply = await ask("GET", "/v1/ledger", {
      key: tenant.key,
      headers: { Accept: "application/x-ndjson" },
    });
    const lines = linesOf(reply.body);
    expect(lines.filter(({ route }) => route === "adjustment")).toHaveLength(2);
    expect(lines).toHaveLength(4);
  });

  it("is refused with what is wrong of it", async () => {
    const good = { line_id: "jnl_none", neurons: 1, reason: "r" };
    const cases: readonly [unknown, string][] = [
      [{ ...good, neurons: 0 }, "#/neurons"],
      [{ ...good, neurons: -1 }, "#/neurons"],
      [{ ...good, neurons: 0.1234567 }, "#/neurons"],
      [{ ...good, reason: "" }, "#/reason"],
      [{ neurons: 1, reason: "r" }, "#/line_id"],
      [{ ...good, more: 1 }, "#/more"],
    ];
    for (const [body, pointer] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await admin("POST", PATH, body);
      expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await admin("POST", PATH, good)).body).toMatchObject({
      status: 404,
      detail: "There is no such journal line.",
    });
    expect((await tenant.call("POST", PATH, good)).status).toBe(401);
  });
});
