import { env, evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../../durable-objects/account/account.ts";
import type {
  AccountAnswer,
  AccountMessage,
} from "../../durable-objects/account/account-protocol.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import {
  account,
  aTenant,
  capAt,
  cleanUp,
  DAY,
  DAY_MS,
  inAccount,
  kindOf,
  MIDNIGHT,
  NOW,
  PICTURE,
  ringAccount,
  SECOND,
  stopClock,
} from "./a-tenant.ts";
import { askOf, known, nameOf, withTenants } from "./many-tenants.ts";

// What tenants hear of the account, and when: nobody is woken in a request, and by the alarm only those
// that would not ask. All of it is counted, never timed.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const exhausted = (learnedAtMs: number) => ({
  news: { kind: "exhausted" as const, day: DAY, admittedAtMs: NOW - SECOND, learnedAtMs },
});

/** Runs it with objects of tenants that only note what they are asked; those in `deaf` do not answer. */
const counting = async (
  act: (object: Account) => Promise<unknown>,
  deaf: readonly string[] = [],
): Promise<readonly string[]> => {
  const asked: string[] = [];
  // oxlint-disable-next-line consistent-function-scoping -- it notes what is asked
  const noting = (id: string) => ({
    applyAccountView: async () => {
      asked.push(id);
      if (deaf.includes(id)) throw new Error("it does not answer");
      return true;
    },
    giveBack: async () => void asked.push(`${id} gives back`),
  });
  await withTenants(noting, act);
  return asked;
};

const state = () =>
  inAccount(({ storage }) =>
    storage.sql.exec<{ notice: number; relief: number }>("SELECT * FROM pool_state").one(),
  );
const count = (table: string) =>
  inAccount(({ storage }) =>
    Number(storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one()["n"]),
  );

const alarm = () => inAccount(({ storage }) => storage.getAlarm());

const tell = (at: number, fields: Partial<AccountMessage>): Promise<AccountAnswer> =>
  account().ask(askOf(nameOf(at), fields));

const tellSpent = (day: number, spent: number, pending = 0): Promise<AccountAnswer> =>
  tell(0, { spent: [{ day, spent: microNeurons(spent), pending: microNeurons(pending) }] });

const takeUnit = (at: number): Promise<AccountAnswer> =>
  tell(at, { rates: { calls: [{ text_generation: 1 }], more: {} } });

const shares = () =>
  inAccount(({ storage }) =>
    storage.sql.exec("SELECT day, granted, spent, pending FROM pool_shares").toArray(),
  );

const answered = (answer: AccountAnswer) => {
  if (answer.kind !== "answered") throw new Error(answer.kind);
  return answer;
};

describe("a closed day", () => {
  beforeEach(async () => {
    await account().createWebhook({
      id: "whk_1",
      secret: "a secret",
      url: "https://ops.platform.dev/",
      events: ["account.closed"],
      description: null,
    } as never);
  });

  it("of which fifty calls hear among 2,000 tenants is one notice and one event", async () => {
    await known(2_000);
    const asked = await counting(async (object) => {
      const news = Array.from({ length: 50 }, (_, at) =>
        object.ask(askOf(nameOf(at), exhausted(NOW - 50 + at))),
      );
      await Promise.all(news);
    });
    expect(asked).toEqual([]);
    expect(await state()).toMatchObject({ notice: 1, relief: 0 });
    expect(await count("events")).toBe(1);
    // Nobody has to hear of it that does not ask.
    expect(await counting((object) => object.alarm())).toEqual([]);
    expect(await count("denied_tenants")).toBe(50);
  });

  it("is found closed once more: a call that was sent before does not lift it", async () => {
    await known(1);
    await tell(0, exhausted(NOW));
    vi.setSystemTime(NOW + SECOND);
    const { view } = answered(await tell(0, exhausted(NOW + SECOND)));
    expect(view).toMatchObject({ notice: 1, closure: { probeAtMs: NOW + SECOND + 900_000 } });
    const answer = { kind: "answered" as const, day: DAY, admittedAtMs: NOW + 1, learnedAtMs: NOW };
    expect(answered(await tell(0, { news: answer })).view.closure).not.toBeNull();
    const later = { ...answer, admittedAtMs: NOW + SECOND + 1 };
    expect(answered(await tell(0, { news: later })).view).toMatchObject({
      notice: 2,
      closure: null,
    });
    // A day that is closed anew is news.
    vi.setSystemTime(NOW + 5 * SECOND);
    const again = exhausted(NOW + 5 * SECOND).news;
    await tell(0, { news: { ...again, admittedAtMs: NOW + 4 * SECOND } });
    expect(await count("events")).toBe(2);
  });

  it("of tomorrow, which a clock that is ahead has already, is told when it is opened", async () => {
    await known(1);
    vi.setSystemTime(MIDNIGHT - 200);
    const news = { kind: "exhausted" as const, day: DAY + 1, admittedAtMs: MIDNIGHT + 1 };
    await tell(0, { news: { ...news, learnedAtMs: MIDNIGHT + 2 } });
    vi.setSystemTime(MIDNIGHT + SECOND);
    expect(await counting((object) => object.alarm())).toEqual([]);
    await account().reopen();
    expect(await counting((object) => object.alarm())).toEqual([nameOf(0)]);
  });

  it("that is open again is told by the alarm, 50 at a time, to who knew of it alone", async () => {
    await known(200);
    for (let at = 0; at < 120; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await account().ask(askOf(nameOf(at), at === 0 ? exhausted(NOW) : {}));
    }
    let told = 0;
    const reopening = await counting(async (object) => void (told = await object.reopen()));
    expect([reopening, told]).toEqual([[], 120]);
    // Two ask before they are told, and are answered that it is open. One of them says that it heard.
    const { view } = answered(await tell(70, {}));
    expect(view.closure).toBeNull();
    await tell(80, {});
    await tell(70, { notice: view.notice });
    const rounds = [];
    for (let round = 0; round < 4; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- alarm after alarm
      rounds.push(await counting((object) => object.alarm()));
    }
    expect(rounds.map(({ length }) => length)).toEqual([50, 50, 19, 0]);
    const heard = Array.from({ length: 120 }, (_, at) => nameOf(at)).filter(
      (name) => name !== nameOf(70),
    );
    expect(rounds.flat()).toEqual(heard);
    expect(await count("denied_tenants")).toBe(0);
  });

  it("is told again to who could not be reached, also after a restart", async () => {
    await known(3);
    for (let at = 0; at < 3; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await account().ask(askOf(nameOf(at), at === 0 ? exhausted(NOW) : {}));
    }
    await account().reopen();
    expect(await counting((object) => object.alarm(), [nameOf(1)])).toHaveLength(3);
    await evictDurableObject(env.ACCOUNT.getByName("account"));
    await account().ask(askOf(nameOf(2), {}));
    expect(await counting((object) => object.alarm())).toEqual([nameOf(1)]);
  });

  it("that a call finds open again is told by the alarm to who knew of it", async () => {
    await known(2);
    await tell(0, exhausted(NOW));
    await tell(1, {});
    const admittedAtMs = NOW + 1;
    vi.setSystemTime(NOW + SECOND);
    const news = { kind: "answered" as const, day: DAY, admittedAtMs, learnedAtMs: NOW + SECOND };
    await tell(0, { news, notice: 1 });
    expect(await counting((object) => object.alarm())).toContain(nameOf(1));
  });

  it("that is open again is told to who asked meanwhile, was refused, and may not have heard", async () => {
    await capAt(1);
    await known(1);
    await tell(0, exhausted(NOW));
    await account().reopen();
    const two = microNeurons(2 * PICTURE);
    const need = { least: two, need: two, want: two };
    const lease = { day: DAY, seq: 1, allowance: ZERO, spent: ZERO, pending: ZERO, need };
    const answer = answered(await tell(0, { notice: 1, lease }));
    expect(answer.lease).toMatchObject({ refused: expect.anything() });
    expect(await counting((object) => object.alarm())).toEqual([nameOf(0)]);
  });

  it("is forgotten with its day", async () => {
    await known(1);
    await account().ask(askOf(nameOf(0), exhausted(NOW)));
    vi.setSystemTime(MIDNIGHT);
    expect(await counting((object) => object.reopen())).toEqual([]);
    expect(await counting((object) => object.alarm())).toEqual([]);
    expect(await count("denied_tenants")).toBe(0);
  });
});

describe("a change of the account's settings", () => {
  it("wakes none of 3,000 tenants, in the request or by the alarm", async () => {
    await known(3_000);
    const asked = await counting(async (object) => {
      await object.patchPool({ daily_cap_neurons: 100 });
      await object.patchPool({ daily_cap_neurons: 200 });
      await object.alarm();
    });
    expect(asked).toEqual([]);
  });

  it("is a notice only if tenants see anything of it", async () => {
    const noticeAfter = async (patch: Parameters<Account["patchPool"]>[0]) => {
      await account().patchPool(patch);
      return (await state()).notice;
    };
    expect(await noticeAfter({ rpm: { text_generation: 50 } })).toBe(0);
    expect(await noticeAfter({ safety_margin_neurons: 10 })).toBe(0);
    expect(await noticeAfter({ thresholds: [0.5] })).toBe(0);
    expect(await noticeAfter({ daily_cap_neurons: 1_000 })).toBe(0);
    expect(await noticeAfter({ daily_cap_neurons: 2_000 })).toBe(1);
    expect(await noticeAfter({ daily_cap_neurons: 2_000 })).toBe(1);
    expect(await noticeAfter({ max_unspent_share: 0.5 })).toBe(2);
    expect(await state()).toMatchObject({ relief: 2 });
  });

  it("is told to who was refused and may have more now, to nobody else", async () => {
    await capAt(2);
    const [served, refused] = [await aTenant(), await aTenant()];
    await served.hold();
    await served.hold();
    expect(await kindOf(refused)).toBe("quota_reserved");
    await capAt(1);
    await capAt(9);
    expect(await counting((object) => object.alarm())).toEqual([refused.id]);
    // It was only counted: this one did not hear of it, and asks again when its wait is over.
    vi.setSystemTime(NOW + SECOND);
    expect(await kindOf(refused)).toBe("admitted");
    await capAt(10);
    expect(await counting((object) => object.alarm())).toEqual([]);
  });

  it("lets a refused tenant's next call through once it was told", async () => {
    await capAt(1);
    const [served, refused] = [await aTenant(), await aTenant()];
    await served.hold();
    expect(await kindOf(refused)).toBe("quota_reserved");
    await capAt(2);
    expect(await kindOf(refused)).toBe("quota_reserved");
    await ringAccount();
    expect(await kindOf(refused)).toBe("admitted");
  });
});

describe("what a tenant spends without a lease", () => {
  it("is told with every message, of the day before too, and costs a row when it changed", async () => {
    await known(1);
    await tellSpent(DAY, 5, 2);
    await tellSpent(DAY - 1, 9);
    // What was overtaken by a later message says less.
    await tellSpent(DAY, 4, 9);
    await tellSpent(DAY - 60, 4);
    expect(await shares()).toEqual([
      { day: DAY - 1, granted: 9, spent: 9, pending: 0 },
      { day: DAY, granted: 7, spent: 5, pending: 2 },
    ]);
  });

  it("is in each message of the tenant's object, and the whole month once there is a cap", async () => {
    const tenant = await aTenant();
    // An account on the paid plan without a cap.
    // oxlint-disable-next-line unbound-method -- it is called with its object
    const { ask } = Account.prototype;
    const asked = vi.spyOn(Account.prototype, "ask").mockImplementation(async function (
      this: Account,
      message,
    ) {
      const answer = answered(await ask.call(this, message));
      return { ...answer, lease: null, view: { ...answer.view, isPooled: false, sizes: null } };
    });
    const told = () => asked.mock.calls.splice(0).flatMap(([{ spent }]) => spent);
    const at = async (ms: number) => {
      vi.setSystemTime(ms);
      return tenant.settle(await tenant.hold());
    };
    await at(NOW);
    await at(NOW + 10 * SECOND);
    expect(told()).toEqual([{ day: DAY, spent: PICTURE, pending: 0 }]);
    // What was spent of a day after its last message is told on the next one.
    await at(NOW + DAY_MS);
    await at(NOW + DAY_MS + 10 * SECOND);
    expect(told()).toEqual([
      { day: DAY, spent: 2 * PICTURE, pending: 0 },
      { day: DAY + 1, spent: PICTURE, pending: 0 },
    ]);
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    asked.mockRestore();
    const capped = vi.spyOn(Account.prototype, "ask");
    await at(NOW + 2 * DAY_MS);
    const first = capped.mock.calls.map(([{ lease, spent }]) => [
      lease !== null,
      spent.map(({ day }) => day),
    ]);
    expect(first).toEqual([
      [false, [DAY + 1]],
      [true, [DAY]],
    ]);
  });

  it("is not said of a day that has a lease: its messages are numbered", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    const asked = vi.spyOn(Account.prototype, "ask");
    vi.setSystemTime(NOW + 10 * SECOND);
    await tenant.settle(await tenant.hold());
    expect(asked.mock.calls.map(([{ spent }]) => spent)).toEqual([[]]);
  });
});

describe("units of a rate class", () => {
  it("leave no more rows than a minute has, and nothing for the alarm to do", async () => {
    await known(40);
    for (let at = 0; at < 40; at += 1) {
      vi.setSystemTime(NOW + at * 5 * SECOND);
      // oxlint-disable-next-line no-await-in-loop -- time goes on
      await takeUnit(at);
    }
    expect(await count("rate_bounds")).toBe(16);
    expect(await alarm()).toBeNull();
  });
});

describe("shares of more than forty days ago", () => {
  it("make the alarm ring once, although nothing else does, and are gone then", async () => {
    await known(2);
    await tellSpent(DAY, 7);
    expect(await alarm()).toBeNull();
    vi.setSystemTime(NOW + 40 * DAY_MS);
    await takeUnit(0);
    expect(await alarm()).toBeNull();
    vi.setSystemTime(NOW + 41 * DAY_MS);
    await takeUnit(1);
    expect(await alarm()).toBe(NOW + 41 * DAY_MS);
    await ringAccount();
    expect(await shares()).toEqual([]);
    expect(await alarm()).toBeNull();
  });
});
