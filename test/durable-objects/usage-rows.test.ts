import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { UsageReport } from "../../durable-objects/tenant/usage/usage.ts";
import type { GroupKey, UsageGroup } from "../../src/domain/usage/usage-report.ts";
import { FakeQueue } from "../reports/fake-queue.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  DEADLINE,
  expectKind,
  HOUR,
  itemsOf,
  MIDNIGHT,
  NOW,
  PICTURE,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
} from "./a-tenant.ts";

// What a tenant's own report knows of hours, users, latencies and how calls ended: the rows that its
// object folds from the journal, beside the days that every settlement keeps.

beforeEach(() => stopClock());
afterEach(cleanUp);

const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

async function fold(tenant: ATenant): Promise<void> {
  later(5 * SECOND);
  await new FakeQueue().ring(tenant.id);
}

interface Call {
  readonly userId?: string;
  readonly tookMs?: number;
  readonly failed?: boolean;
}

async function call(tenant: ATenant, { userId, tookMs = 100, failed = false }: Call = {}) {
  const hold = await tenant.hold(userId === undefined ? {} : { userId });
  later(tookMs);
  await tenant.settle(hold, { items: itemsOf(hold).map((item) => ({ ...item, failed })) });
}

async function report(
  tenant: ATenant,
  groupBy: readonly GroupKey[],
  { from = DAY, to = DAY } = {},
): Promise<UsageReport> {
  const ask = { from, to, groupBy, skip: 0, limit: 200 };
  return expectKind(await tenant.stub().readUsage(PLATFORM, ask), "usage");
}

const count = (latency: UsageGroup["latency"]): number =>
  Object.values(latency ?? {}).reduce((sum, one) => sum + one, 0);

const users = (of: UsageReport) => of.groups.map(({ key, user }) => [key.user, user]);

describe("a tenant's report", () => {
  it("by hour has what was admitted in each, as the days have it together", async () => {
    const tenant = await aTenant();
    await call(tenant);
    later(HOUR);
    await call(tenant);
    await call(tenant);
    // The first hour of the next day is not asked for.
    vi.setSystemTime(MIDNIGHT);
    await call(tenant);
    await fold(tenant);
    const hour = Math.floor(NOW / HOUR);
    const { groups, totals } = await report(tenant, ["hour"]);
    expect(groups.map(({ key, calls, engines }) => [key.hour, calls?.calls, engines])).toEqual([
      [hour, 1, expect.objectContaining({ microNeurons: BigInt(PICTURE), engineRequests: 1 })],
      [hour + 1, 2, expect.objectContaining({ microNeurons: BigInt(2 * PICTURE) })],
    ]);
    expect(groups.map(({ calls }) => calls?.quota)).toEqual([BigInt(PICTURE), BigInt(2 * PICTURE)]);
    expect(totals.calls.quota).toBe(BigInt(3 * PICTURE));
    const models = await report(tenant, ["hour", "model"]);
    expect(models.groups.map(({ key, engines }) => [key.hour, engines?.engineRequests])).toEqual([
      [hour, 1],
      [hour + 1, 2],
    ]);
  });

  it("by user has each one's calls and charge, of the days asked for", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    await call(tenant, { userId: "u_2" });
    await call(tenant, { userId: "u_1" });
    later(DAY_MS);
    await call(tenant, { userId: "u_1" });
    await fold(tenant);
    expect(users(await report(tenant, ["user"]))).toEqual([
      ["u_1", { calls: 2, microNeurons: BigInt(2 * PICTURE) }],
      ["u_2", { calls: 1, microNeurons: BigInt(PICTURE) }],
    ]);
    const both = await report(tenant, ["user"], { to: DAY + 1 });
    expect(users(both)[0]).toEqual(["u_1", { calls: 3, microNeurons: BigInt(3 * PICTURE) }]);
  });

  it("knows how long calls took and how they ended, of the days asked for", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await call(tenant, { failed: true });
    await tenant.hold();
    later(DEADLINE + SECOND);
    await fold(tenant);
    later(DAY_MS);
    await call(tenant, { failed: true });
    await fold(tenant);
    const { groups, totals } = await report(tenant, ["day"]);
    expect(groups).toHaveLength(1);
    for (const { calls, latency } of [...groups, totals]) {
      expect(calls).toMatchObject({ calls: 3, failed: 1, expired: 1 });
      expect(count(latency)).toBe(3);
    }
    const [model] = (await report(tenant, ["model"])).groups;
    expect(count(model?.latency ?? null)).toBeGreaterThanOrEqual(2);
  });

  it("has no model's latency over more than a month, and the same amounts", async () => {
    const tenant = await aTenant();
    await call(tenant);
    await fold(tenant);
    const month = await report(tenant, ["model"], { from: DAY - 30 });
    const more = await report(tenant, ["model"], { from: DAY - 31 });
    expect(count(month.groups[0]?.latency ?? null)).toBe(1);
    expect(count(more.groups[0]?.latency ?? null)).toBe(0);
    expect(more.groups[0]?.engines).toEqual(month.groups[0]?.engines);
    expect(count(more.totals.latency)).toBe(1);
  });

  it("says that it is behind until what settled is folded, and while an older journal is", async () => {
    const tenant = await aTenant();
    const isBehind = async () => (await report(tenant, ["day"])).isBehind;
    expect(await isBehind()).toBe(false);
    await call(tenant);
    expect(await isBehind()).toBe(true);
    await fold(tenant);
    expect(await isBehind()).toBe(false);
    await call(tenant);
    expect(await isBehind()).toBe(true);
    await fold(tenant);
    expect(await isBehind()).toBe(false);
    await rows(tenant.id, "UPDATE feed SET walked_id = ''");
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await isBehind()).toBe(true);
    await rows(tenant.id, "DELETE FROM feed");
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await isBehind()).toBe(true);
  });
});
