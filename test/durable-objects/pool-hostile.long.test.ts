import { env, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../../durable-objects/account/account.ts";
import {
  account,
  aTenant,
  type ATenant,
  capAt,
  cleanUp,
  inAccount,
  kindOf,
  MIDNIGHT,
  MINUTE,
  NOW,
  PICTURE,
  pictures,
  ringAccount,
  SECOND,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";

// What one tenant can do to the others, who share the pool with it: hold it with calls that cost
// nothing, ask for what cannot be had, or ask all the time.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

/** In pictures. */
const shareOf = async ({ id }: ATenant) => {
  const rows = await inAccount(({ storage }) =>
    storage.sql.exec("SELECT granted, spent FROM pool_shares WHERE tenant = ?", id).toArray(),
  );
  return rows.map(({ granted, spent }) => [Number(granted) / PICTURE, Number(spent) / PICTURE])[0];
};

const ringTenant = ({ id }: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(id));

const spends = async (tenant: ATenant, count: number) =>
  tenant.settle(await tenant.hold({ contents: [pictures(count)] }));

/** A call that its own tenant's block term stops, so that nothing runs. */
const costsNothing = async (tenant: ATenant, count: number) => {
  const hold = await tenant.hold({ contents: [pictures(count)] });
  await tenant.settle(hold, { items: voidItemsOf(hold) });
};

/** Questions for neurons from now on. */
const questions = () => {
  const asked = vi.spyOn(Account.prototype, "ask");
  return () =>
    asked.mock.calls.filter(([{ lease }]) => lease !== null && lease.need !== null).length;
};

describe("a call that is too large for what is left", () => {
  it("keeps no smaller one out, and is refused itself without another question", async () => {
    await capAt(10);
    const [other, tenant] = [await aTenant(), await aTenant()];
    await spends(other, 6);
    const asked = questions();
    expect(await tenant.admit({ contents: [pictures(5)] })).toMatchObject({
      kind: "account_quota_exceeded",
      reason: "too_large_for_account",
      againAtMs: NOW + 300 * SECOND,
    });
    expect(await kindOf(tenant, 6)).toBe("account_quota_exceeded");
    expect(await kindOf(tenant, 5)).toBe("account_quota_exceeded");
    expect(asked()).toBe(1);
    expect(await kindOf(tenant, 3)).toBe("admitted");
    expect(await kindOf(tenant, 1)).toBe("admitted");
    // Of ten pictures six are spent and four are held: such a call may fit again.
    expect(await kindOf(tenant, 1)).toBe("quota_reserved");
    expect(await kindOf(tenant, 5)).toBe("account_quota_exceeded");
  });

  it("is asked for again after five minutes, or when the account is changed", async () => {
    await capAt(10);
    const [other, tenant] = [await aTenant(), await aTenant()];
    await spends(other, 6);
    expect(await kindOf(tenant, 5)).toBe("account_quota_exceeded");
    const asked = questions();
    vi.setSystemTime(NOW + 300 * SECOND - 1);
    expect(await kindOf(tenant, 5)).toBe("account_quota_exceeded");
    expect(asked()).toBe(0);
    vi.setSystemTime(NOW + 300 * SECOND);
    expect(await kindOf(tenant, 5)).toBe("account_quota_exceeded");
    expect(asked()).toBe(1);
    await capAt(11);
    await ringAccount();
    expect(await kindOf(tenant, 5)).toBe("admitted");
  });

  it("is never put off beyond midnight, and until midnight only when all is spent", async () => {
    vi.setSystemTime(MIDNIGHT - MINUTE);
    await capAt(10);
    const [other, tenant] = [await aTenant(), await aTenant()];
    await spends(other, 6);
    expect(await tenant.admit({ contents: [pictures(5)] })).toMatchObject({
      reason: "too_large_for_account",
      againAtMs: MIDNIGHT,
    });
    await spends(tenant, 4);
    const spent = await other.admit();
    expect(spent).toMatchObject({
      kind: "account_quota_exceeded",
      neurons: { dayEndsAtMs: MIDNIGHT },
    });
    expect(spent).not.toHaveProperty("reason");
  });

  it("is reserved, not gone, while calls in progress hold what it needs", async () => {
    await capAt(10);
    const [other, tenant] = [await aTenant(), await aTenant()];
    const hold = await other.hold({ contents: [pictures(6)] });
    expect(await tenant.admit({ contents: [pictures(5)] })).toMatchObject({
      kind: "quota_reserved",
      againAtMs: NOW + SECOND,
    });
    expect(await kindOf(tenant, 4)).toBe("admitted");
    await other.settle(hold, { items: voidItemsOf(hold) });
    // Within a minute the other one may want as much again.
    vi.setSystemTime(NOW + MINUTE);
    expect(await kindOf(tenant, 5)).toBe("admitted");
  });

  it("is not hidden by its own tenant's calls in progress", async () => {
    await capAt(10);
    const tenant = await aTenant();
    const hold = await tenant.hold({ contents: [pictures(8)] });
    expect(await kindOf(tenant, 5)).toBe("quota_reserved");
    expect(await kindOf(tenant, 2)).toBe("admitted");
    await tenant.settle(hold, { items: voidItemsOf(hold) });
    expect(await kindOf(tenant, 5)).toBe("admitted");
  });
});

describe("dear calls that cost nothing", () => {
  it("keep nothing from another tenant's call, not even its first one", async () => {
    await capAt(100);
    const [hostile, honest] = [await aTenant(), await aTenant()];
    await costsNothing(hostile, 90);
    expect(await shareOf(hostile)).toEqual([90, 0]);
    expect(await kindOf(honest, 50)).toBe("admitted");
    // It was asked for what it does not use, and is not busy.
    expect(await shareOf(hostile)).toEqual([0, 0]);
  });

  it("do so again and again, and from several tenants", async () => {
    await capAt(100);
    const [a, b, honest] = [await aTenant(), await aTenant(), await aTenant()];
    for (let round = 0; round < 3; round += 1) {
      vi.setSystemTime(NOW + 2 * round * SECOND);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await costsNothing(a, 40);
      // oxlint-disable-next-line no-await-in-loop
      await costsNothing(b, 40);
      // oxlint-disable-next-line no-await-in-loop
      await spends(honest, 30);
    }
    expect((await shareOf(honest))?.[0]).toBe(90);
  });

  it("let a busy tenant keep one chunk, and only what it was charged for makes it busy", async () => {
    await capAt(1000);
    const [busy, idle, honest] = [await aTenant(), await aTenant(), await aTenant()];
    await spends(busy, 1);
    await costsNothing(busy, 400);
    await costsNothing(idle, 400);
    // Both are asked: more is missing than each of them has.
    expect(await kindOf(honest, 900)).toBe("admitted");
    expect(await shareOf(busy)).toEqual([11, 1]);
    expect(await shareOf(idle)).toEqual([0, 0]);
  });

  it("leave what calls in progress hold", async () => {
    await capAt(100);
    const [hostile, honest] = [await aTenant(), await aTenant()];
    await costsNothing(hostile, 80);
    await hostile.hold({ contents: [pictures(20)] });
    expect(await kindOf(honest, 81)).toBe("quota_reserved");
    expect(await kindOf(honest, 80)).toBe("admitted");
    expect(await shareOf(hostile)).toEqual([20, 0]);
  });

  it("come back without a question after ten seconds, beyond two chunks", async () => {
    await capAt(1000);
    const [much, little] = [await aTenant(), await aTenant()];
    await costsNothing(much, 21);
    await costsNothing(little, 20);
    const give = async () => [await ringTenant(much), await ringTenant(little)];
    vi.setSystemTime(NOW + 10 * SECOND - 1);
    await give();
    expect([await shareOf(much), await shareOf(little)]).toEqual([
      [21, 0],
      [20, 0],
    ]);
    vi.setSystemTime(NOW + 10 * SECOND);
    await give();
    expect([await shareOf(much), await shareOf(little)]).toEqual([
      [0, 0],
      [20, 0],
    ]);
  });
});

const THIRD = { max_hold_share: 1, max_unspent_share: 1 / 3 };

describe("what one tenant may have unspent", () => {
  it("is a share of it while another asks, with all of its calls", async () => {
    await capAt(90, THIRD);
    const [tenant, other] = [await aTenant(), await aTenant()];
    await other.hold();
    expect(await kindOf(tenant, 20)).toBe("admitted");
    expect(await kindOf(tenant, 11)).toBe("quota_reserved");
    expect(await kindOf(tenant, 10)).toBe("admitted");
  });

  it("is all of it while no other asked within the last minute", async () => {
    await capAt(90, THIRD);
    const [tenant, other] = [await aTenant(), await aTenant()];
    await spends(other, 1);
    expect(await kindOf(tenant, 50)).toBe("quota_reserved");
    vi.setSystemTime(NOW + MINUTE);
    await spends(tenant, 50);
    for (let at = 0; at < 39; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- to the last one
      await spends(tenant, 1);
    }
    expect(await kindOf(tenant)).toBe("account_quota_exceeded");
  });

  it("is beyond its floor, which it has whoever asks", async () => {
    await capAt(90, THIRD);
    const tenant = await aTenant({ reserved_neurons: (60 * PICTURE) / 1e6 });
    const other = await aTenant();
    await other.hold();
    expect(await kindOf(tenant, 60)).toBe("admitted");
    expect(await kindOf(tenant, 29)).toBe("admitted");
    expect(await kindOf(other, 1)).toBe("quota_reserved");
  });
});

describe("what one call may hold", () => {
  it("is a share of the pool, or the tenant's floor", async () => {
    await capAt(100, { max_hold_share: 0.2, max_unspent_share: 1 });
    const tenant = await aTenant();
    const floored = await aTenant({ reserved_neurons: (30 * PICTURE) / 1e6 });
    expect(await tenant.admit({ contents: [pictures(21)] })).toMatchObject({
      kind: "over_limit",
      detail: expect.stringContaining("4.5611 (the account's max_hold_share)"),
    });
    expect(await shareOf(tenant)).toEqual([0, 0]);
    // It has heard of the limit, and asks nobody any more.
    const asked = questions();
    expect(await kindOf(tenant, 21)).toBe("over_limit");
    expect(asked()).toBe(0);
    expect(await kindOf(tenant, 20)).toBe("admitted");
    expect(await kindOf(floored, 31)).toBe("over_limit");
    expect(await kindOf(floored, 30)).toBe("admitted");
  });

  it("is not got around by what was leased before", async () => {
    await capAt(100, { max_hold_share: 0.2, max_unspent_share: 1 });
    const tenant = await aTenant();
    await Promise.all([1, 2, 3].map(() => costsNothing(tenant, 20)));
    expect(await kindOf(tenant, 21)).toBe("over_limit");
  });

  it("follows the account's settings within six seconds", async () => {
    await capAt(100, { max_hold_share: 0.2, max_unspent_share: 1 });
    const tenant = await aTenant();
    expect(await kindOf(tenant, 40)).toBe("over_limit");
    await account().patchPool({ max_hold_share: 0.4 });
    vi.setSystemTime(NOW + 6 * SECOND);
    expect(await kindOf(tenant, 40)).toBe("admitted");
    await account().patchPool({ max_hold_share: 0.1 });
    vi.setSystemTime(NOW + 12 * SECOND);
    expect(await kindOf(tenant, 11)).toBe("over_limit");
  });
});
