import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { objectDatabase } from "../../durable-objects/database.ts";
import { StagedDatabase } from "../../durable-objects/database.ts";
import { TENANT_SCHEMA } from "../../durable-objects/tenant/features.ts";
import type { Caller } from "../../durable-objects/tenant/protocol.ts";
import { SplitStore } from "../../durable-objects/tenant/usage-splits/split-store.ts";
import { addSplits } from "../../durable-objects/tenant/usage-splits/usage-splits.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { GroupKey, UsageGroup } from "../../src/domain/usage/usage-report.ts";
import type { Split } from "../../src/domain/usage/usage-split.ts";
import { toUsageRow } from "../../src/api/native/usage.ts";
import { newId } from "../../src/http/ids.ts";
import { FakeQueue } from "../reports/fake-queue.ts";
import {
  aKey,
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  DAY_MS,
  expectKind,
  inTenant,
  PLATFORM,
  rows,
  SECOND,
  stopClock,
  TEXT,
  voidItemsOf,
  withAllTables,
} from "./a-tenant.ts";

// Usage by user, key and model at once.

beforeEach(() => stopClock());
afterEach(cleanUp);

async function fold(tenant: ATenant): Promise<void> {
  vi.setSystemTime(Date.now() + 5 * SECOND);
  await new FakeQueue().ring(tenant.id);
}

/** A text: two models run. */
async function call(
  tenant: ATenant,
  { caller = tenant.key, userId = null }: { caller?: Caller; userId?: string | null } = {},
) {
  const hold = await tenant.hold({ caller, userId, contents: [TEXT] });
  await tenant.settle(hold);
  return hold;
}

async function report(
  tenant: ATenant,
  groupBy: readonly GroupKey[],
  { from = DAY, to = DAY } = {},
) {
  const ask = { from, to, groupBy, skip: 0, limit: 200 };
  return expectKind(await tenant.stub().readUsage(PLATFORM, ask), "usage");
}

const microNeuronsOf = (groups: readonly UsageGroup[]): bigint =>
  groups.reduce((sum, { engines }) => sum + (engines?.microNeurons ?? 0n), 0n);

const callsOf = (groups: readonly UsageGroup[]) => groups.map(({ user }) => user?.calls ?? null);

describe("a tenant's usage", () => {
  it("by key has each key's calls once, whatever models they use, and adds up", async () => {
    const tenant = await aTenant();
    const other = await aKey(tenant.id, "call");
    await call(tenant, { userId: "u_1" });
    await call(tenant);
    await call(tenant, { caller: other });
    await call(tenant, { caller: PLATFORM });
    const nothingRan = await tenant.hold();
    await tenant.settle(nothingRan, { items: voidItemsOf(nothingRan) });
    await fold(tenant);
    const { groups, totals } = await report(tenant, ["key"]);
    const keys = await rows(tenant.id, "SELECT id, role FROM keys");
    const idOf = (role: string) => JSON.stringify(keys.find((key) => key["role"] === role)?.["id"]);
    const calls = Object.fromEntries(
      groups.map(({ key, user }) => [JSON.stringify(key.keyId), user?.calls]),
    );
    expect(calls).toEqual({ null: 1, [idOf("manage")]: 3, [idOf("call")]: 1 });
    expect(groups.map(toUsageRow).map(({ key_id, calls: all }) => [key_id, all])).toEqual(
      groups.map(({ key, user }) => [key.keyId, user?.calls]),
    );
    expect(microNeuronsOf(groups)).toBe(totals.engines.microNeurons);
    expect(groups.map(({ engines }) => engines?.engineRequests)).toEqual(
      groups.map(({ key }) => (JSON.stringify(key.keyId) === idOf("manage") ? 4 : 2)),
    );
  });

  it("by user and model has what each user's calls asked of each, by up to three keys", async () => {
    const tenant = await aTenant();
    for (const userId of ["u_1", "u_1", "u_2", null]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await call(tenant, { userId });
    }
    await fold(tenant);
    const byModel = (await report(tenant, ["model"])).groups;
    const both = (await report(tenant, ["user", "model"])).groups;
    expect(byModel).toHaveLength(2);
    expect(both.map(({ key, engines }) => [key.user, key.model, engines?.engineRequests])).toEqual(
      [
        ["u_1", 2],
        ["u_2", 1],
      ].flatMap(([user, requests]) => byModel.map(({ key }) => [user, key.model, requests])),
    );
    expect(callsOf(both)).toEqual([null, null, null, null]);
    const byUser = (await report(tenant, ["user"])).groups;
    const sums = byUser.reduce((sum, { user }) => sum + (user?.microNeurons ?? 0n), 0n);
    expect(microNeuronsOf(both)).toBe(sums);
    const all = (await report(tenant, ["day", "key", "task"])).groups;
    expect(microNeuronsOf(all)).toBe(microNeuronsOf(byModel));
    expect(all.map(({ engines }) => engines?.units["input_token"])).toEqual(
      all
        .map(({ key }) => byModel.find((one) => one.key.task === key.task))
        .map((one) => one?.engines?.units["input_token"]),
    );
  });

  it("by user and key counts a user's calls, of the days asked for", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    vi.setSystemTime(Date.now() + DAY_MS);
    await call(tenant, { userId: "u_1" });
    await call(tenant, { userId: "u_1", caller: PLATFORM });
    await fold(tenant);
    expect(callsOf((await report(tenant, ["user", "key"])).groups)).toEqual([1]);
    const both = await report(tenant, ["user", "key"], { to: DAY + 1 });
    expect(callsOf(both.groups)).toEqual([1, 2]);
    expect(callsOf((await report(tenant, ["day", "key"], { to: DAY + 1 })).groups)).toHaveLength(3);
  });

  it("names no user who was erased", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    await fold(tenant);
    await tenant.stub().startErasure(PLATFORM, { id: newId("era"), userId: "u_1" });
    for (let rings = 0; rings < 10; rings += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await fold(tenant);
    }
    const { groups } = await report(tenant, ["user", "model"]);
    expect(groups.map(({ key }) => key.user)).toEqual([null, null]);
    expect(JSON.stringify(await rows(tenant.id, "SELECT * FROM usage_splits"))).not.toContain(
      "u_1",
    );
  });

  it("keeps its splits as long as the days of users", async () => {
    const tenant = await aTenant();
    await call(tenant, { userId: "u_1" });
    await fold(tenant);
    const count = async () => (await rows(tenant.id, "SELECT day FROM usage_splits")).length;
    expect(await count()).toBe(2);
    vi.setSystemTime(Date.now() + 91 * DAY_MS);
    await fold(tenant);
    expect(await count()).toBe(2);
    vi.setSystemTime(Date.now() + 3 * DAY_MS);
    await fold(tenant);
    expect(await count()).toBe(0);
  });
});

const slotOf = (_: number, userId: string): number => 1 + Number(userId.slice(2));

const split = (at: number, keyId = "key_1"): Split => ({
  day: DAY,
  userId: `u_${at}`,
  keyId,
  model: { model: "m", engine: "embedded", pricedAs: "m", task: "text_generation" },
  calls: 1,
  engineRequests: 1,
  failed: 0,
  units: {},
  microNeurons: microNeurons(1),
  estimated: 0,
  held: 0,
  overrun: 0,
});

const added = async (splits: readonly Split[], usersADay: number) => {
  const tenant = await aTenant();
  await withAllTables(tenant.id);
  return inTenant(tenant.id, ({ storage }) => {
    const store = new SplitStore(new StagedDatabase(objectDatabase(storage), TENANT_SCHEMA));
    storage.transactionSync(() => addSplits({ splits: store }, splits, { slotOf, usersADay }));
    return storage.sql
      .exec<{ slot: number; key_id: string; calls: number }>("SELECT * FROM usage_splits")
      .toArray();
  });
};

const sumOf = (stored: Awaited<ReturnType<typeof added>>) =>
  stored.reduce((total, { calls }) => total + calls, 0);

describe("the rows of a day", () => {
  it("are bounded: beyond a number users share one, then keys, and nothing is lost", async () => {
    // 1,000 and four for each of 10 users: 1,040; twice as many in all.
    const users = Array.from({ length: 1100 }, (_, at) => split(at));
    const keys = Array.from({ length: 1100 }, (_, at) => split(2000 + at, `key_${at}`));
    const stored = await added([...users, ...keys], 10);
    expect(sumOf(stored)).toBe(2200);
    expect(stored.filter(({ slot }) => slot > 0)).toHaveLength(1040);
    // All rows, and the one that names neither user nor key.
    expect(stored).toHaveLength(2 * 1040 + 1);
    expect(stored.find(({ slot, key_id: key }) => slot === 0 && key === "key_1")?.calls).toBe(61);
    expect(stored.find(({ key_id: key }) => key === "")?.calls).toBe(60);
  });
});
