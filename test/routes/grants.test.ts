import { beforeAll, describe, expect, it } from "vitest";
import { env } from "cloudflare:workers";
import { admin, ask, makeKey, makeTenant, type TestTenant } from "../client.ts";

// Grants over HTTP: the platform makes and ends them, the tenant reads them.

const IN_A_WEEK = new Date(Date.now() + 7 * 86_400_000).toISOString();
const GRANTS = "/admin/tenants/granted/grants";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant("granted", NOTHING);
});

const NOTHING = { plan: "free", daily_neurons: 0 };

const good = { neurons: 100.5, expires_at: IN_A_WEEK, reason: "launch week" };

describe("a grant", () => {
  it("is made, drawn on, read by both, and ended", async () => {
    const own = await makeTenant("granted-once", NOTHING);
    const grants = "/admin/tenants/granted-once/grants";
    const refused = await own.call("POST", "/v1/verdicts", { text: "Nice to see you." });
    expect(refused.body.kind).toBe("over_limit");
    const made = await admin("POST", grants, good);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      object: "grant",
      state: "active",
      micro_neurons: 100_500_000,
      neurons: 100.5,
      drawn_micro_neurons: 0,
      remaining_micro_neurons: 100_500_000,
      reason: "launch week",
      expires_at: IN_A_WEEK,
      ended_at: null,
    });
    expect(made.body.id).toMatch(/^grt_[0-9A-HJKMNP-TV-Z]{26}$/);

    const verdict = await own.call("POST", "/v1/verdicts", { text: "Nice to see you." });
    expect(verdict.status).toBe(200);
    const used = verdict.body.micro_neurons as number;
    const { body: limits } = await own.call("GET", "/v1/limits");
    expect(limits).toMatchObject({
      limit_micro_neurons: 100_500_000,
      posted_micro_neurons: used,
      available_micro_neurons: 100_500_000 - used,
      grants: [
        {
          id: made.body.id,
          remaining_micro_neurons: 100_500_000 - used,
          expires_at: IN_A_WEEK,
        },
      ],
    });
    const { body: ledger } = await own.call("GET", "/v1/ledger");
    expect(ledger.data[0]).toMatchObject({
      quota_micro_neurons: 0,
      granted_micro_neurons: used,
      grants: [{ id: made.body.id, micro_neurons: used }],
    });
    const { body: usage } = await own.call("GET", "/v1/usage");
    expect(usage.totals).toMatchObject({ granted_micro_neurons: used, charge_usd: "0" });

    const read = await own.call("GET", `/v1/grants/${made.body.id}`);
    expect(read.body).toMatchObject({ state: "active", drawn_micro_neurons: used });
    expect((await admin("GET", `${grants}/${made.body.id}`)).body).toEqual(read.body);
    expect((await own.call("GET", "/v1/grants")).body.data).toEqual([read.body]);

    expect((await admin("DELETE", `${grants}/${made.body.id}`)).status).toBe(204);
    const ended = await own.call("GET", `/v1/grants/${made.body.id}`);
    expect(ended.body).toMatchObject({
      state: "ended",
      drawn_micro_neurons: used,
      remaining_micro_neurons: 0,
      ended_at: expect.any(String),
    });
    expect((await own.call("GET", "/v1/limits")).body.grants).toEqual([]);
    expect((await admin("DELETE", `${grants}/${made.body.id}`)).status).toBe(204);
  });

  it("is given again under its idempotency key, and on the record of what was done", async () => {
    const send = (body: unknown) =>
      ask("POST", GRANTS, { key: env.ADMIN_TOKEN, body, headers: { "Idempotency-Key": "once" } });
    const first = await send(good);
    const again = await send(good);
    expect(again.status).toBe(201);
    expect(again.body.id).toBe(first.body.id);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await send({ ...good, neurons: 1 })).body.kind).toBe("idempotency_key_reused");
    const { body: audit } = await admin("GET", "/admin/audit?tenant=granted");
    expect(audit.data).toContainEqual(
      expect.objectContaining({
        action: "POST /admin/tenants/{tenant}/grants",
        detail: { grant: first.body.id, micro_neurons: 100_500_000, reason: "launch week" },
      }),
    );
    await admin("DELETE", `${GRANTS}/${first.body.id}`);
  });

  it("is refused with what is wrong of it", async () => {
    const cases: readonly [unknown, string][] = [
      [{ ...good, neurons: 0 }, "#/neurons"],
      [{ ...good, expires_at: "2037-02-30T00:00:00Z" }, "#/expires_at"],
      [{ ...good, neurons: -1 }, "#/neurons"],
      [{ ...good, neurons: 0.1234567 }, "#/neurons"],
      [{ ...good, neurons: 2e9 }, "#/neurons"],
      [{ ...good, reason: "" }, "#/reason"],
      [{ ...good, reason: "r".repeat(1001) }, "#/reason"],
      [{ ...good, expires_at: "tomorrow" }, "#/expires_at"],
      [{ ...good, expires_at: "2020-01-01T00:00:00Z" }, "#/expires_at"],
      [{ neurons: 1, reason: "r" }, "#/expires_at"],
      [{ ...good, more: 1 }, "#/more"],
    ];
    for (const [body, pointer] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await admin("POST", GRANTS, body);
      expect([reply.status, reply.body.errors[0].pointer]).toEqual([400, pointer]);
    }
    expect((await admin("POST", "/admin/tenants/nobody-here/grants", good)).status).toBe(404);
  });

  it("is the platform's to make, and the manager's to read", async () => {
    expect((await tenant.call("POST", "/admin/tenants/granted/grants", good)).status).toBe(401);
    expect((await tenant.call("POST", "/v1/grants", good)).status).toBe(405);
    const key = await makeKey("granted", "call");
    expect((await ask("GET", "/v1/grants", { key })).body.kind).toBe("role_required");
    expect((await tenant.call("GET", "/v1/grants/grt_none")).status).toBe(404);
  });

  it("is listed newest first, in pages", async () => {
    await makeTenant("listed-grants");
    const path = "/admin/tenants/listed-grants/grants";
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      ids.unshift((await admin("POST", path, good)).body.id);
    }
    const first = await admin("GET", `${path}?limit=2`);
    expect(first.body).toMatchObject({ has_more: true, next_cursor: ids[1] });
    const rest = await admin("GET", `${path}?limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...rest.body.data].map(({ id }) => id)).toEqual(ids);
    expect(rest.body.has_more).toBe(false);
  });
});
