import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../../durable-objects/account/account.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import {
  aTenant,
  type ATenant,
  capAt,
  cleanUp,
  inAccount,
  kindOf,
  MIDNIGHT,
  MINUTE,
  PICTURE,
  pictures,
  stopClock,
} from "./a-tenant.ts";

// What is known of the pool after an object died, and after midnight.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const evict = ({ id }: ATenant) => evictDurableObject(env.TENANT.getByName(id));

const granted = () =>
  inAccount(({ storage }) =>
    storage.sql
      .exec("SELECT granted FROM pool_shares")
      .toArray()
      .map((row) => row["granted"]),
  );

/** All of the pool is held by a call of the first. */
async function leasedAway(count: number): Promise<readonly [ATenant, ATenant]> {
  await capAt(count);
  const [first, second] = [await aTenant(), await aTenant()];
  await first.hold({ contents: [pictures(count)] });
  return [first, second];
}

describe("a refusal", () => {
  it("is known after an eviction, and the account is not asked again", async () => {
    const [, second] = await leasedAway(100);
    expect(await kindOf(second)).toBe("quota_reserved");
    await evict(second);
    const asked = vi.spyOn(Account.prototype, "ask");
    expect(await kindOf(second)).toBe("quota_reserved");
    expect(asked.mock.calls.filter(([{ lease }]) => lease !== null)).toEqual([]);
  });

  it("is over when all tenants are told of a change", async () => {
    const [, second] = await leasedAway(100);
    expect(await kindOf(second)).toBe("quota_reserved");
    await capAt(101);
    await runDurableObjectAlarm(env.ACCOUNT.getByName("account"));
    expect(await kindOf(second)).toBe("admitted");
  });

  it("outlives a report, which asks for nothing", async () => {
    const [, second] = await leasedAway(100);
    expect(await kindOf(second)).toBe("quota_reserved");
    await second.stub().giveBack(1, MIDNIGHT / 86_400_000 - 1, ZERO);
    const asked = vi.spyOn(Account.prototype, "ask");
    expect(await kindOf(second)).toBe("quota_reserved");
    expect(asked.mock.calls.filter(([{ lease }]) => lease !== null)).toEqual([]);
  });

  it("of a large call keeps no small one from the tenant's floor", async () => {
    await capAt(10);
    const patient = await aTenant({ reserved_neurons: (4 * PICTURE) / 1e6 });
    const greedy = await aTenant();
    expect(await kindOf(greedy, 6)).toBe("admitted");
    expect(await kindOf(patient, 5)).not.toBe("admitted");
    expect(await kindOf(patient)).toBe("admitted");
    expect(await kindOf(patient, 3)).toBe("admitted");
    expect(await kindOf(patient)).not.toBe("admitted");
  });
});

describe("a lease of the day before", () => {
  it("is asked back of a tenant that died with it", async () => {
    vi.setSystemTime(MIDNIGHT - MINUTE);
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await evict(tenant);
    expect(await granted()).toEqual([256 * PICTURE]);
    vi.setSystemTime(MIDNIGHT + 5 * MINUTE);
    await runDurableObjectAlarm(env.ACCOUNT.getByName("account"));
    expect(await granted()).toEqual([PICTURE]);
  });
});
