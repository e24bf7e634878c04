import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../../durable-objects/account/account.ts";
import {
  account,
  aTenant,
  type ATenant,
  cleanUp,
  MINUTE,
  NOW,
  SECOND,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";
import { until } from "../until.ts";

// What an idle tenant reads of the account's day: it asks when what it knows is older than a minute.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

async function closeBy(tenant: ATenant): Promise<void> {
  const hold = await tenant.hold();
  const items = voidItemsOf(hold);
  await tenant.settle(hold, { account: "exhausted", verdicts: [], items });
  await until(async () => (await account().readPool()).closure !== null);
}

const isClosed = async (tenant: ATenant): Promise<boolean> => (await tenant.limits()).accountClosed;

describe("limits", () => {
  it("show a closed day, and a reopened one, a minute later at most", async () => {
    const [busy, idle] = [await aTenant(), await aTenant()];
    expect(await isClosed(idle)).toBe(false);
    await closeBy(busy);
    expect(await isClosed(busy)).toBe(true);
    const asked = vi.spyOn(Account.prototype, "ask");
    vi.setSystemTime(NOW + MINUTE - 1);
    expect(await isClosed(idle)).toBe(false);
    expect(asked).not.toHaveBeenCalled();
    vi.setSystemTime(NOW + MINUTE);
    expect(await isClosed(idle)).toBe(true);
    expect(await isClosed(idle)).toBe(true);
    expect(asked).toHaveBeenCalledTimes(1);
    expect(asked.mock.calls[0]?.[0]).toMatchObject({ lease: null, rates: null, probe: false });
    // The alarm, which would tell it, has not rung.
    await account().reopen();
    vi.setSystemTime(NOW + 2 * MINUTE);
    expect(await isClosed(idle)).toBe(false);
  });

  it("are asked for in one message, however many read them", async () => {
    const tenant = await aTenant();
    const asked = vi.spyOn(Account.prototype, "ask");
    await Promise.all(Array.from({ length: 20 }, () => tenant.limits()));
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("are asked for by nobody without a key", async () => {
    const tenant = await aTenant();
    const asked = vi.spyOn(Account.prototype, "ask");
    const caller = { kind: "key", secretHash: "0".repeat(64), roles: ["call"] } as const;
    expect(await tenant.stub().readLimits(caller)).toEqual({ kind: "invalid_key" });
    expect(asked).not.toHaveBeenCalled();
  });

  it("are what was known when the account fails, or says nothing for a second", async () => {
    const [busy, idle] = [await aTenant(), await aTenant()];
    expect(await isClosed(idle)).toBe(false);
    await closeBy(busy);
    vi.setSystemTime(NOW + MINUTE);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const asked = vi.spyOn(Account.prototype, "ask").mockRejectedValueOnce(new Error("it is gone"));
    expect(await isClosed(idle)).toBe(false);
    expect(asked).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();

    let isOver = false;
    const silent = vi.spyOn(Account.prototype, "ask").mockImplementationOnce(async () => {
      await scheduler.wait(2_000);
      isOver = true;
      return { kind: "over" };
    });
    vi.setSystemTime(NOW + MINUTE + SECOND);
    expect(await Promise.all([isClosed(idle), isClosed(idle)])).toEqual([false, false]);
    expect(isOver).toBe(false);
    expect(silent).toHaveBeenCalledTimes(1);
    await scheduler.wait(1_500);
    expect(await isClosed(idle)).toBe(true);
  });
});
