import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AdjustLine } from "../../durable-objects/tenant/ledger/adjustments.ts";
import type { JournalLine } from "../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { newId } from "../../src/http/ids.ts";
import {
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  HOUR,
  idempotency,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  pictures,
  rows,
  stopClock,
} from "./a-tenant.ts";

// Adjustments in a tenant's object: what they do to the day, the month, the grants and the room for
// the next call, and that they can neither be made twice nor give back too much.

beforeEach(() => stopClock());
afterEach(cleanUp);

const neurons = (count: number): number => (count * PICTURE) / 1e6;

async function post(tenant: ATenant, count = 1): Promise<JournalLine> {
  const hold = await tenant.hold({ contents: [pictures(count)] });
  return expectKind((await tenant.settle(hold)).settlement, "settled").line;
}

const ask = (lineId: string, fields: Partial<AdjustLine> = {}): AdjustLine => ({
  route: "POST /admin/tenants/{tenant}/adjustments",
  id: newId("jnl"),
  requestId: newId("req"),
  lineId,
  amount: null,
  reason: "contested",
  idempotency: null,
  ...fields,
});

const adjust = (tenant: ATenant, lineId: string, fields: Partial<AdjustLine> = {}) =>
  tenant.stub().adjustLine(PLATFORM, ask(lineId, fields));

describe("an adjustment", () => {
  it("gives back to the day of its line, and makes room there", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(2), monthly_cap_neurons: neurons(2) });
    const line = await post(tenant, 2);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    const made = expectKind(await adjust(tenant, line.callId), "adjustment");
    expect(made).toMatchObject({
      adjustment: { adjusts: line.callId, day: DAY, givenBack: { quota: 2 * PICTURE } },
      repeated: false,
    });
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: 0, available: 2 * PICTURE });
    expect(limits.month.posted).toBe(0);
    // The line stays as it was, and invariants count both.
    expect((await tenant.lines())[0]).toEqual(line);
    expect(await broken(tenant.id)).toEqual([]);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await post(tenant, 2);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("of an earlier day leaves today alone, and today's month is less", async () => {
    const tenant = await aTenant({ daily_neurons: neurons(1) });
    const line = await post(tenant);
    vi.setSystemTime(MIDNIGHT + 3 * DAY_MS);
    await post(tenant);
    await adjust(tenant, line.callId);
    const limits = await tenant.limits();
    expect(limits.neurons.posted).toBe(PICTURE);
    expect(limits.month.posted).toBe(PICTURE);
    const days = await rows(tenant.id, "SELECT day, posted FROM periods ORDER BY day");
    expect(days).toEqual([
      { day: DAY, posted: 0 },
      { day: DAY + 4, posted: PICTURE },
    ]);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
  });

  it("gives back to grants, open or not, what was drawn on them", async () => {
    const tenant = await aTenant({ daily_neurons: 0 });
    const request = {
      route: "POST /admin/tenants/{tenant}/grants",
      id: newId("grt"),
      amount: microNeurons(2 * PICTURE),
      reason: "launch week",
      expiresAtMs: NOW + 2 * HOUR,
      idempotency: null,
    };
    await tenant.stub().createGrant(PLATFORM, request);
    const line = await post(tenant, 2);
    await adjust(tenant, line.callId, { amount: microNeurons(PICTURE) });
    await post(tenant);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    vi.setSystemTime(NOW + 3 * HOUR);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    await adjust(tenant, line.callId);
    const grant = expectKind(await tenant.stub().readGrant(PLATFORM, request.id), "grant").grant;
    expect(grant.drawn).toBe(PICTURE);
    // It has expired: nothing is admitted on what came back to it.
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    expect((await tenant.limits()).neurons).toMatchObject({ limit: PICTURE, posted: PICTURE });
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("lowers what is owed at the line's own rate, whatever the rate is now", async () => {
    const tenant = await aTenant({ plan: "paid", daily_neurons: 0 });
    const line = await post(tenant);
    await tenant.configure({ overage_usd_per_1000_neurons: "0.05" });
    const dearer = await post(tenant);
    await adjust(tenant, line.callId);
    const [period] = await rows(tenant.id, "SELECT overage, totals FROM periods");
    expect(period).toMatchObject({ overage: PICTURE });
    expect(JSON.parse(period?.["totals"] as string)).toMatchObject({
      calls: 2,
      adjusted: 0 - PICTURE,
      overageByRate: { "0.011": 0, "0.05": dearer.drawn.overage },
    });
  });

  it("stands in the journal among the lines, newest first, and in pages", async () => {
    const tenant = await aTenant();
    const first = await post(tenant);
    vi.setSystemTime(NOW + 1000);
    const made = expectKind(await adjust(tenant, first.callId), "adjustment").adjustment;
    vi.setSystemTime(NOW + 2000);
    const last = await post(tenant);
    const query = { fromMs: null, toMs: null, outcome: null, limit: 2 };
    const read = async (before: string | null, fields = {}) =>
      expectKind(await tenant.stub().listLines(PLATFORM, { ...query, before, ...fields }), "page");
    const page = await read(null);
    expect(page.data).toEqual([last, made]);
    expect(page.more).toBe(true);
    expect((await read(made.id)).data).toEqual([first]);
    expect((await read(null, { outcome: "voided" })).data).toEqual([]);
    expect((await read(null, { fromMs: NOW + 500, toMs: NOW + 1500 })).data).toEqual([made]);
    const only = await tenant
      .stub()
      .listAdjustments(PLATFORM, { before: null, fromMs: null, toMs: null, limit: 2 });
    expect(expectKind(only, "page").data).toEqual([made]);
  });
});

describe("is refused", () => {
  it("for more than the line was charged, also in parts", async () => {
    const tenant = await aTenant();
    const line = await post(tenant);
    const half = microNeurons(PICTURE - 100);
    expect((await adjust(tenant, line.callId, { amount: half })).kind).toBe("adjustment");
    expect(await adjust(tenant, line.callId, { amount: microNeurons(101) })).toMatchObject({
      kind: "invalid_request",
      errors: [
        {
          path: ["neurons"],
          detail: "must be at most 0.0001, the part of that line that was not given back yet",
        },
      ],
    });
    expect((await adjust(tenant, line.callId)).kind).toBe("adjustment");
    expect((await adjust(tenant, line.callId)).kind).toBe("invalid_request");
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("for what is no line that has ended", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    expect(await adjust(tenant, hold.callId)).toMatchObject({
      kind: "invalid_request",
      errors: [{ path: ["line_id"], detail: "is of a call that is still in progress" }],
    });
    const { settlement } = await tenant.settle(hold);
    const { line } = expectKind(settlement, "settled");
    const made = expectKind(await adjust(tenant, line.callId), "adjustment");
    expect((await adjust(tenant, made.adjustment.id)).kind).toBe("invalid_request");
    expect(await adjust(tenant, "jnl_none")).toEqual({ kind: "not_found", what: "journal line" });
  });

  it("beyond a thousand for the lines of a day", async () => {
    const tenant = await aTenant();
    const line = await post(tenant);
    await rows(
      tenant.id,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO adjustments SELECT 'jnl_0' || i, 'jnl_other', ${DAY}, 0, 0, 'req', 'r', 1, 1,
          0, 0, NULL, '2026-09', NULL FROM n`,
    );
    expect((await adjust(tenant, line.callId)).kind).toBe("over_limit");
  });
});

describe("is made once", () => {
  it("under an idempotency key, and when a message is repeated", async () => {
    const tenant = await aTenant();
    const line = await post(tenant, 2);
    const one = { amount: microNeurons(PICTURE), idempotency: idempotency("k") };
    const first = expectKind(await adjust(tenant, line.callId, one), "adjustment");
    const again = expectKind(await adjust(tenant, line.callId, one), "adjustment");
    expect(again).toEqual({ ...first, repeated: true });
    const other = { ...one, idempotency: idempotency("k", "other") };
    expect((await adjust(tenant, line.callId, other)).kind).toBe("idempotency_key_reused");
    const message = ask(line.callId, { amount: microNeurons(7) });
    await tenant.stub().adjustLine(PLATFORM, message);
    expect(await tenant.stub().adjustLine(PLATFORM, message)).toMatchObject({ repeated: false });
    expect((await tenant.limits()).neurons.posted).toBe(PICTURE - 7);
  });
});
