import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MOST_EXPIRED } from "../../durable-objects/tenant/ledger/ledger.ts";
import {
  account,
  admitRequest,
  aTenant,
  type ATenant,
  broken,
  cleanUp,
  DAY,
  DEADLINE,
  expectKind,
  NOW,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  settleRequest,
  stopClock,
  withoutReports,
} from "./a-tenant.ts";

// Calls that died with their Worker all end at once: a step writes a bounded number of lines, and
// those that wait for theirs already count as what they will be.

beforeEach(() => stopClock());
afterEach(cleanUp);

const MANY = 350;

const lines = async (tenant: ATenant): Promise<number> => {
  const [row] = await rows(
    tenant.id,
    "SELECT COUNT(*) AS n FROM journal WHERE outcome = 'expired'",
  );
  return Number(row?.["n"]);
};

/** One step, which asks the account nothing. */
const watched = async (tenant: ATenant) =>
  expectKind(await tenant.stub().watchLimits(PLATFORM, { watcher: "test" }), "limits");

async function dying(count = MANY, settings = {}) {
  const tenant = await aTenant({ daily_neurons: 1000, ...settings });
  await withoutReports(tenant.id);
  const calls = Array.from({ length: count }, () => admitRequest({ caller: tenant.key }));
  const replies = await Promise.all(calls.map((call) => tenant.stub().admit(call)));
  const holds = replies.map((reply) => expectKind(reply, "admitted").hold);
  return { tenant, calls, holds };
}

describe("holds whose deadline passed together", () => {
  it("become lines a hundred a step, and are no calls in progress from the first on", async () => {
    const { tenant } = await dying();
    vi.setSystemTime(NOW + DEADLINE);
    for (const step of [1, 2, 3, 4, 5]) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      const limits = await watched(tenant);
      expect(limits.inFlight.used).toBe(0);
      expect(limits.neurons).toMatchObject({ posted: MANY * PICTURE, pending: 0 });
      expect(limits.month).toMatchObject({ posted: MANY * PICTURE, pending: 0 });
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await lines(tenant)).toBe(Math.min(MANY, step * MOST_EXPIRED));
    }
    expect(await broken(tenant.id)).toEqual([]);
  });

  it.each([
    ["as long as they live", DEADLINE - 1, "concurrency_exceeded"],
    ["not when they have ended", DEADLINE, "admitted"],
  ])("stand in a call's way %s", async (_, afterMs, kind) => {
    const { tenant } = await dying(250, { max_in_flight: 250 });
    vi.setSystemTime(NOW + afterMs);
    expect((await tenant.admit()).kind).toBe(kind);
  });

  it("are charged for an admission before they have their lines", async () => {
    // 250 pictures and not one more.
    const { tenant } = await dying(250, { daily_neurons: (250 * PICTURE) / 1e6 });
    expect((await tenant.admit()).kind).toBe("quota_reserved");
    vi.setSystemTime(NOW + DEADLINE);
    expect((await tenant.admit()).kind).toBe("quota_exceeded");
    expect(await lines(tenant)).toBeLessThan(250);
  });

  it("are found as their lines by whoever settles late or repeats an admission", async () => {
    const { tenant, calls, holds } = await dying();
    vi.setSystemTime(NOW + DEADLINE + SECOND);
    const [call] = calls.slice(-1);
    const [last, before] = holds.toReversed();
    if (call === undefined || last === undefined || before === undefined) throw new Error("none");
    const late = await tenant.stub().settle(settleRequest(before));
    expect(late.settlement.kind).toBe("settled_late");
    // The hold has ended: there is no second chance to run.
    expect((await tenant.stub().admit(call)).kind).toBe("unavailable");
    expect(await tenant.stub().chargeOf(1, last.callId)).toBe(PICTURE);
    for (let step = 0; step < 5; step += 1) await tenant.limits();
    expect(await lines(tenant)).toBe(MANY);
    expect((await tenant.limits()).neurons.posted).toBe(MANY * PICTURE);
    expect(await broken(tenant.id)).toEqual([]);
  });

  it("all end by alarms alone, which ring until there are none", async () => {
    const { tenant } = await dying();
    const stub = env.TENANT.getByName(tenant.id);
    vi.setSystemTime(NOW + DEADLINE);
    for (let ring = 0; ring < 4 && (await lines(tenant)) < MANY; ring += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one alarm after the other
      expect(await runDurableObjectAlarm(stub)).toBe(true);
    }
    expect(await lines(tenant)).toBe(MANY);
  });

  it("count the same after an eviction", async () => {
    const { tenant } = await dying();
    vi.setSystemTime(NOW + DEADLINE);
    await watched(tenant);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    const limits = await watched(tenant);
    expect(limits.neurons).toMatchObject({ posted: MANY * PICTURE, pending: 0 });
    expect(limits.inFlight.used).toBe(0);
    expect(await lines(tenant)).toBe(2 * MOST_EXPIRED);
  });

  it("are no broken invariant while they wait for their lines, however late it is", async () => {
    const { tenant } = await dying(250);
    vi.setSystemTime(NOW + 10 * DEADLINE);
    expect(await broken(tenant.id)).toEqual([]);
    expect(await lines(tenant)).toBeLessThan(250);
    for (let step = 0; step < 3; step += 1) expect(await broken(tenant.id)).toEqual([]);
    expect(await lines(tenant)).toBe(250);
  });

  it("of yesterday belong to yesterday", async () => {
    const lateMs = NOW - (NOW % 86_400_000) + 86_400_000 - SECOND;
    vi.setSystemTime(lateMs);
    const { tenant } = await dying(150);
    vi.setSystemTime(lateMs + DEADLINE);
    const limits = await tenant.limits();
    expect(limits.neurons).toMatchObject({ posted: 0, pending: 0 });
    await tenant.limits();
    const periods = expectKind(await tenant.stub().listPeriods(PLATFORM, DAY, DAY), "periods");
    expect(periods.periods[0]?.drawn.quota).toBe(150 * PICTURE);
  });

  it("are ended in bounded steps when the tenant is deleted", async () => {
    const { tenant } = await dying();
    expect(await account().deleteTenant(tenant.id)).toBe(true);
    const closed = await account().readClosedMonth(tenant.id, null, {
      first: DAY - 20,
      end: DAY + 20,
    });
    expect(JSON.stringify(closed)).toContain(String(MANY * PICTURE));
  });
});
