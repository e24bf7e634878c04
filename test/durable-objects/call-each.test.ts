import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callEach } from "../../durable-objects/account/call-each.ts";
import {
  account,
  aTenant,
  cleanUp,
  inAccount,
  kindOf,
  NOW,
  stopClock,
  voidItemsOf,
} from "./a-tenant.ts";
import { withTenants } from "./many-tenants.ts";
import { until } from "../until.ts";

const HANGS = new Promise<never>(() => undefined);
const LIMITS = { atOnce: 3, eachMs: 1000, allMs: 5000 };

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

const asked = async (items: readonly number[], answer: (item: number) => Promise<unknown>) => {
  const order: number[] = [];
  let inFlight = 0;
  let most = 0;
  const done = callEach(
    items,
    async (item) => {
      order.push(item);
      inFlight += 1;
      most = Math.max(most, inFlight);
      try {
        return await answer(item);
      } finally {
        inFlight -= 1;
      }
    },
    LIMITS,
  );
  await vi.runAllTimersAsync();
  return { answered: await done, order, most };
};

describe("questions to many", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW, toFake: ["setTimeout", "clearTimeout", "Date"] });
  });
  afterEach(() => void vi.useRealTimers());

  it("reach all, in order, so many at once", async () => {
    const { answered, order, most } = await asked(numbers(20), async () => undefined);
    expect(answered).toBe(20);
    expect(order).toEqual(numbers(20));
    expect(most).toBe(3);
  });

  it.each([
    ["one hangs", [4]],
    ["two hang", [0, 9]],
    ["three hang, as many as are asked at once", [0, 1, 2]],
    ["the last hangs", [19]],
  ])("reach all others when %s", async (_, hung) => {
    const { answered, order } = await asked(numbers(20), (item) =>
      hung.includes(item) ? HANGS : Promise.resolve(),
    );
    expect(answered).toBe(20 - hung.length);
    expect(order).toEqual(numbers(20));
  });

  it("go on after one that throws", async () => {
    const { answered } = await asked(numbers(5), async (item) => {
      if (item === 1) throw new Error("no");
    });
    expect(answered).toBe(4);
  });

  it("end when all hang, and ask nobody after that", async () => {
    const { answered, order } = await asked(numbers(100), () => HANGS);
    expect(answered).toBe(0);
    // Three a second, for five seconds.
    expect(order).toEqual(numbers(15));
  });
});

const states = () =>
  inAccount(({ storage }) =>
    Object.fromEntries(
      storage.sql
        .exec<{ id: string; state: string }>("SELECT id, state FROM tenants")
        .toArray()
        .map(({ id, state }) => [id, state]),
    ),
  );

const leave = (ids: readonly string[]) =>
  inAccount(({ storage }) => {
    for (const id of ids) {
      storage.sql.exec("UPDATE tenants SET state = 'deleting' WHERE id = ?", id);
    }
  });

/**
 * Rings the account, with some tenants' objects that never answer. Time passes while nothing else is
 * waited for: however slow the machine, no object that answers is late.
 */
async function ring(hung: readonly string[]): Promise<void> {
  vi.useFakeTimers({ now: NOW, toFake: ["setTimeout", "clearTimeout", "Date"] });
  let answering = 0;
  const counted = async <Result>(answer: () => Promise<Result>): Promise<Result> => {
    answering += 1;
    try {
      return await answer();
    } finally {
      answering -= 1;
    }
  };
  const hanging = new Proxy({}, { get: () => () => HANGS });
  const getByName = (id: string) =>
    hung.includes(id) ? hanging : withCalls(env.TENANT.getByName(id), counted);
  await withTenants(getByName, async (object) => {
    // A deletion also waits for the bucket and the database of reports.
    const deleteTenant = object.deleteTenant.bind(object);
    const deletions = vi
      .spyOn(object, "deleteTenant")
      .mockImplementation((id) =>
        hung.includes(id) ? deleteTenant(id) : counted(() => deleteTenant(id)),
      );
    const state = { done: false };
    const rung = object.alarm().finally(() => (state.done = true));
    while (!state.done) {
      // oxlint-disable-next-line no-await-in-loop -- until it has ended
      await scheduler.wait(1);
      if (answering === 0) vi.advanceTimersByTime(500);
    }
    await rung;
    deletions.mockRestore();
  });
  vi.useRealTimers();
}

/** An object's stub, of which each call is made by way of a function. */
const withCalls = (
  stub: object,
  call: (answer: () => Promise<unknown>) => Promise<unknown>,
): object =>
  new Proxy(stub, {
    get: (target, name) => {
      const methods = target as Record<string | symbol, (...args: unknown[]) => Promise<unknown>>;
      return (...args: unknown[]) => call(async () => methods[name]?.(...args));
    },
  });

describe("the alarm of the account", () => {
  afterEach(cleanUp);

  it("ends deletions although the first of them hangs, and that one later", async () => {
    const tenants = [];
    for (let n = 0; n < 4; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      tenants.push((await aTenant({}, `del-${n}-${crypto.randomUUID().slice(0, 8)}`)).id);
    }
    const [first = "", ...others] = tenants;
    await leave(tenants);
    await ring([first]);
    const after = await states();
    expect(after[first]).toBe("deleting");
    expect(others.map((id) => after[id])).toEqual(others.map(() => "deleted"));
    await ring([]);
    expect((await states())[first]).toBe("deleted");
  });

  it("takes up those behind fifty that hang", async () => {
    const ids = Array.from({ length: 60 }, (_, at) => `many-${String(at).padStart(3, "0")}`);
    await inAccount(({ storage }) => {
      for (const id of ids) {
        storage.sql.exec(
          `INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms)
            VALUES (?, 1, 'deleting', 0, 0, ?)`,
          id,
          NOW,
        );
      }
    });
    const hung = ids.slice(0, 50);
    await ring(hung);
    await ring(hung);
    const after = await states();
    expect(ids.slice(50).map((id) => after[id])).toEqual(Array(10).fill("deleted"));
  });

  it("tells the others what one does not hear, and that one later", async () => {
    stopClock();
    const [one, two] = [await aTenant(), await aTenant()];
    const hold = await one.hold();
    await one.settle(hold, { account: "exhausted", verdicts: [], items: voidItemsOf(hold) });
    await until(async () => (await kindOf(two)) === "account_quota_exceeded");
    await account().reopen();
    await ring([one.id]);
    stopClock();
    expect([await kindOf(one), await kindOf(two)]).toEqual(["account_quota_exceeded", "admitted"]);
    await ring([]);
    stopClock();
    expect(await kindOf(one)).toBe("admitted");
  });
});
