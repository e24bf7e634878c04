import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin } from "../client.ts";
import {
  aTenant,
  cleanUp,
  DAY,
  MIDNIGHT,
  MINUTE,
  NOW,
  ringAccount,
  SECOND,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";
import { until } from "../until.ts";

// Upstream said 3036 or 4006: the Cloudflare account's own allocation of a UTC day is gone.

beforeEach(() => stopClock());
afterEach(cleanUp);

const PROBE = 15 * MINUTE;
const EXHAUSTED = { account: "exhausted", verdicts: [] } as const;

describe("an exhausted account", () => {
  it("closes the day to every call until midnight, also after an eviction", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    await tenant.settle(hold, { ...EXHAUSTED, items: voidItemsOf(hold) });
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await tenant.admit()).toMatchObject({
      kind: "account_quota_exceeded",
      neurons: { posted: 0, pending: 0, dayEndsAtMs: MIDNIGHT },
    });
    vi.setSystemTime(MIDNIGHT);
    expect((await tenant.admit()).kind).toBe("admitted");
  });

  it("closes the day in which the call was sent, not the one in which it ended", async () => {
    stopClock(MIDNIGHT - SECOND);
    const tenant = await aTenant();
    const hold = await tenant.hold();
    vi.setSystemTime(MIDNIGHT + SECOND);
    const { settlement } = await tenant.settle(hold, EXHAUSTED);
    expect(settlement).toMatchObject({ line: { day: DAY } });
    expect((await tenant.admit()).kind).toBe("admitted");
  });

  it("stays closed when a call of yesterday learns of yesterday", async () => {
    stopClock(MIDNIGHT - SECOND);
    const tenant = await aTenant();
    const yesterday = await tenant.hold();
    vi.setSystemTime(MIDNIGHT + SECOND);
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    await tenant.settle(yesterday, EXHAUSTED);
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
  });

  it("stays closed when a call that was sent before is answered", async () => {
    const tenant = await aTenant();
    const before = await tenant.hold();
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    await tenant.settle(before, { account: "answered" });
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
  });

  it("lets one call through every 15 minutes", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    vi.setSystemTime(NOW + PROBE - 1);
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + PROBE);
    const replies = await Promise.all(Array.from({ length: 5 }, () => tenant.admit()));
    expect(replies.map(({ kind }) => kind).toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => "account_quota_exceeded"),
      "admitted",
    ]);
    vi.setSystemTime(NOW + 2 * PROBE - 1);
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + 2 * PROBE);
    expect((await tenant.admit()).kind).toBe("admitted");
  });

  it("is lifted by a probe that is answered, not by one that says nothing", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    vi.setSystemTime(NOW + PROBE);
    await tenant.settle(await tenant.hold(), { account: null });
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + 2 * PROBE);
    await tenant.settle(await tenant.hold(), { account: "answered" });
    expect((await tenant.admit()).kind).toBe("admitted");
    expect((await tenant.admit()).kind).toBe("admitted");
  });

  it("closes again when the probe is exhausted", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    vi.setSystemTime(NOW + PROBE);
    const probe = await tenant.hold();
    vi.setSystemTime(NOW + PROBE + SECOND);
    await tenant.settle(probe, EXHAUSTED);
    vi.setSystemTime(NOW + 2 * PROBE + SECOND - 1);
    expect((await tenant.admit()).kind).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + 2 * PROBE + SECOND);
    expect((await tenant.admit()).kind).toBe("admitted");
  });

  it("is closed for all tenants, those that are made later too, and lifted for all", async () => {
    const tenant = await aTenant();
    const other = await aTenant();
    await tenant.settle(await tenant.hold(), EXHAUSTED);
    await until(async () => (await other.admit()).kind === "account_quota_exceeded");
    const later = await aTenant();
    expect((await later.admit()).kind).toBe("account_quota_exceeded");
    const reopened = await admin("POST", "/admin/account/reopen");
    // These three know of it, and are told by the alarm.
    expect(reopened.body).toEqual({ object: "reopened", tenants: 3 });
    await ringAccount();
    for (const each of [tenant, other, later]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await each.admit()).kind).toBe("admitted");
    }
  });

  it("lets one call of all tenants through every 15 minutes", async () => {
    const [first, second] = [await aTenant(), await aTenant()];
    await first.settle(await first.hold(), EXHAUSTED);
    await until(async () => (await second.admit()).kind === "account_quota_exceeded");
    vi.setSystemTime(NOW + PROBE);
    expect((await second.admit()).kind).toBe("admitted");
    expect((await first.admit()).kind).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + 2 * PROBE);
    expect((await first.admit()).kind).toBe("admitted");
    expect((await second.admit()).kind).toBe("account_quota_exceeded");
  });

  it("is lifted for all by one call that was answered", async () => {
    const [first, second] = [await aTenant(), await aTenant()];
    await first.settle(await first.hold(), EXHAUSTED);
    await until(async () => (await second.admit()).kind === "account_quota_exceeded");
    vi.setSystemTime(NOW + PROBE);
    await second.settle(await second.hold(), { account: "answered" });
    await until(async () => (await first.admit()).kind === "admitted");
  });
});
