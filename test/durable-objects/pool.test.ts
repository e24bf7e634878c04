import { env, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../../durable-objects/account/account.ts";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolAllocator } from "../../durable-objects/account/pool/pool-allocator.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import { LEASE_MS } from "../../src/domain/account/lease.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { admin } from "../client.ts";
import {
  account,
  aTenant,
  type ATenant,
  capAt,
  cleanUp,
  DAY,
  HOUR,
  inAccount,
  kindOf,
  MIDNIGHT,
  MINUTE,
  NOW,
  PICTURE,
  pictures,
  ringAccount,
  rows,
  SECOND,
  stopClock,
  TEXT,
  voidItemsOf,
} from "./a-tenant.ts";
import { askOf } from "./many-tenants.ts";
import { until } from "../until.ts";

// Tenants' objects and the account's, for real: leases, what is lost on the way, and what is refused.

beforeEach(() => stopClock());
afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const sharesOf = ({ id }: ATenant) =>
  inAccount(({ storage }) =>
    storage.sql.exec("SELECT * FROM pool_shares WHERE tenant = ? ORDER BY life", id).toArray(),
  );
const leaseOf = async ({ id }: ATenant) => (await rows(id, "SELECT * FROM leases"))[0];
const isClosed = () =>
  inAccount(({ storage }) => {
    const [state] = storage.sql.exec("SELECT closed_day FROM pool_state").toArray();
    return state !== undefined && state["closed_day"] !== null;
  });
const ringTenant = ({ id }: ATenant) => runDurableObjectAlarm(env.TENANT.getByName(id));

/** The account's next answer comes when this has ended, or is lost with it. */
function onTheWayBack(happens: () => Promise<void>): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its object below
  const { ask } = Account.prototype;
  vi.spyOn(Account.prototype, "ask").mockImplementationOnce(async function answer(
    this: Account,
    message,
  ) {
    const answered = await ask.call(this, message);
    await happens();
    return answered;
  });
}

/** The account's object does not answer. */
const unreachable = () =>
  vi.spyOn(Account.prototype, "ask").mockRejectedValue(new Error("it is gone"));

describe("a lease", () => {
  it("is asked for once, used by many calls, and known after an eviction", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    const [share] = await sharesOf(tenant);
    expect(share).toMatchObject({ seq: 1, granted: 256 * PICTURE, spent: 0, pending: 0 });
    for (let at = 0; at < 3; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await evictDurableObject(env.TENANT.getByName(tenant.id));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await tenant.hold();
    }
    expect((await sharesOf(tenant))[0]).toMatchObject({ seq: 1 });
    expect(await leaseOf(tenant)).toMatchObject({ seq: 1, granted: 256 * PICTURE });
  });

  it("is never for more than the tenant's own quota leaves", async () => {
    const tenant = await aTenant({ daily_neurons: (3 * PICTURE) / 1e6 });
    await tenant.hold();
    expect((await sharesOf(tenant))[0]).toMatchObject({ granted: 3 * PICTURE });
  });

  it("is not used in the last five seconds before its end", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    const asked = vi.spyOn(Account.prototype, "ask");
    vi.setSystemTime(NOW + LEASE_MS - 5 * SECOND - 1);
    expect(await kindOf(tenant)).toBe("admitted");
    // Only its permits have lapsed.
    expect(asked.mock.calls.map(([{ lease }]) => lease)).toEqual([null]);
    vi.setSystemTime(NOW + LEASE_MS - 5 * SECOND);
    expect(await kindOf(tenant)).toBe("admitted");
    const last = asked.mock.calls.at(-1)?.[0];
    expect(last?.lease).toMatchObject({ seq: 2, need: { least: 0 } });
  });

  it("comes back when its time is over and nothing uses it", async () => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    vi.setSystemTime(NOW + LEASE_MS);
    await ringTenant(tenant);
    expect(await leaseOf(tenant)).toMatchObject({ granted: PICTURE });
    expect((await sharesOf(tenant))[0]).toMatchObject({ granted: PICTURE, spent: PICTURE });
  });

  it("of a day that is over is told when nothing of that day is in progress", async () => {
    vi.setSystemTime(MIDNIGHT - MINUTE);
    const tenant = await aTenant();
    const hold = await tenant.hold();
    vi.setSystemTime(MIDNIGHT + SECOND);
    await tenant.settle(hold);
    await ringTenant(tenant);
    expect((await sharesOf(tenant))[0]).toMatchObject({
      day: DAY,
      granted: PICTURE,
      spent: PICTURE,
      pending: 0,
    });
    expect(await leaseOf(tenant)).toBeUndefined();
  });

  it("is not freed by what was given back to the tenant: the account has spent it", async () => {
    const tenant = await aTenant();
    await capAt(1);
    const hold = await tenant.hold();
    await tenant.settle(hold);
    const adjusted = await admin("POST", `/admin/tenants/${tenant.id}/adjustments`, {
      line_id: hold.callId,
      reason: "contested",
    });
    expect(adjusted.status, JSON.stringify(adjusted.body)).toBeLessThan(300);
    expect(await kindOf(tenant)).toBe("account_quota_exceeded");
  });
});

describe("a pool that is used up", () => {
  it("refuses until midnight when all is spent", async () => {
    await capAt(3);
    const [first, second] = [await aTenant(), await aTenant()];
    for (let at = 0; at < 3; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await first.settle(await first.hold());
    }
    expect(await kindOf(first)).toBe("account_quota_exceeded");
    expect(await second.admit()).toMatchObject({
      kind: "account_quota_exceeded",
      neurons: { dayEndsAtMs: MIDNIGHT },
    });
    vi.setSystemTime(MIDNIGHT);
    expect(await kindOf(second)).toBe("admitted");
  });

  it("refuses for a moment while others' calls in progress hold what is left", async () => {
    await capAt(100);
    const [first, second] = [await aTenant(), await aTenant()];
    const hold = await first.hold({ contents: [pictures(100)] });
    const refused = await second.admit();
    expect(refused).toMatchObject({ kind: "quota_reserved", againAtMs: NOW + SECOND });
    // It remembers, and asks nobody.
    const [before] = await sharesOf(second);
    expect(await kindOf(second)).toBe("quota_reserved");
    expect(await sharesOf(second)).toEqual([before]);
    await first.settle(hold, { items: voidItemsOf(hold) });
    vi.setSystemTime(NOW + 2 * SECOND);
    expect(await kindOf(second)).toBe("admitted");
    expect((await sharesOf(first))[0]).toMatchObject({ granted: 0, spent: 0 });
  });

  it("keeps what it promised to a tenant that comes last", async () => {
    await capAt(10);
    const [greedy, patient] = [
      await aTenant(),
      await aTenant({ reserved_neurons: (4 * PICTURE) / 1e6 }),
    ];
    const kinds: string[] = [];
    for (let at = 0; at < 7; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      kinds.push(await kindOf(greedy));
    }
    expect(kinds.filter((kind) => kind === "admitted")).toHaveLength(6);
    for (let at = 0; at < 4; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await kindOf(patient)).toBe("admitted");
    }
    expect(await kindOf(patient)).not.toBe("admitted");
  });

  it("has what a deleted tenant held and did not use, and a new life takes up the day", async () => {
    await capAt(10);
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold({ contents: [pictures(4)] }));
    await tenant
      .hold({ contents: [pictures(3)] })
      .then((hold) => tenant.settle(hold, { items: voidItemsOf(hold) }));
    await account().deleteTenant(tenant.id);
    expect((await sharesOf(tenant))[0]).toMatchObject({
      granted: 4 * PICTURE,
      spent: 4 * PICTURE,
      pending: 0,
    });
    const again = await aTenant({}, tenant.id);
    expect(await kindOf(again, 6)).toBe("admitted");
    expect(await kindOf(again)).not.toBe("admitted");
    expect(await sharesOf(again)).toHaveLength(2);
  });

  it("hears nothing of a life that has ended", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    await account().deleteTenant(tenant.id);
    const late = leaseAsk(tenant.id, { seq: 9, allowance: 5_000 * 1e6 });
    expect(await account().ask(late)).toEqual({ kind: "over" });
  });
});

const leaseAsk = (tenant: string, lease: { seq: number; allowance: number; want?: number }) =>
  askOf(tenant, {
    promised: { plan: "free", daily: ZERO, floor: ZERO, suspended: false, version: 0 },
    lease: {
      day: DAY,
      seq: lease.seq,
      allowance: microNeurons(lease.allowance),
      spent: ZERO,
      pending: ZERO,
      need: {
        least: microNeurons(PICTURE),
        need: microNeurons(PICTURE),
        want: microNeurons(lease.want ?? PICTURE),
      },
    },
  });

describe("what is lost on the way", () => {
  it("the answer: the same message has the same answer", async () => {
    const tenant = await aTenant();
    // The pool granted, and the tenant's object died before it wrote that down.
    const lost = await account().ask(
      leaseAsk(tenant.id, { seq: 1, allowance: 0, want: 9 * PICTURE }),
    );
    await tenant.hold();
    expect(lost).toMatchObject({ lease: { granted: 9 * PICTURE } });
    expect(await leaseOf(tenant)).toMatchObject({ seq: 1, granted: 9 * PICTURE });
    expect((await sharesOf(tenant))[0]).toMatchObject({ granted: 9 * PICTURE });
  });

  it("the answer to the first message of a day: the day is reported to its end all the same", async () => {
    vi.setSystemTime(MIDNIGHT - MINUTE);
    const tenant = await aTenant();
    onTheWayBack(() => Promise.reject(new Error("it is gone")));
    expect(await kindOf(tenant)).toBe("unavailable");
    expect((await sharesOf(tenant))[0]).toMatchObject({ seq: 1, granted: 256 * PICTURE });
    vi.setSystemTime(MIDNIGHT + MINUTE);
    await ringTenant(tenant);
    await ringTenant(tenant);
    expect((await sharesOf(tenant))[0]).toMatchObject({ day: DAY, seq: 2, granted: 0 });
    expect(await leaseOf(tenant)).toBeUndefined();
  });

  it("a message that was overtaken changes nothing", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    vi.setSystemTime(NOW + LEASE_MS);
    await tenant.hold();
    const before = await sharesOf(tenant);
    const late = await account().ask(
      leaseAsk(tenant.id, { seq: 1, allowance: 0, want: 5000 * 1e6 }),
    );
    expect(late).toMatchObject({ lease: { stale: 2 } });
    expect(await sharesOf(tenant)).toEqual(before);
  });

  it("what the tenant knew of its messages: it learns which was heard last", async () => {
    const tenant = await aTenant();
    await account().ask(leaseAsk(tenant.id, { seq: 7, allowance: 0 }));
    await tenant.hold();
    expect(await leaseOf(tenant)).toMatchObject({ seq: 8 });
  });

  it("the account: the tenant lives on what it has leased, and no more", async () => {
    const tenant = await aTenant();
    await tenant.hold();
    const asked = unreachable();
    // Permits of this second are left, and neurons.
    await account()
      .patchPool({ rpm: { image_classification: 100_000 } })
      .catch(() => null);
    expect(await kindOf(tenant)).toBe("unavailable");
    expect(await kindOf(tenant)).toBe("unavailable");
    expect(asked).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
    vi.setSystemTime(NOW + SECOND);
    expect(await kindOf(tenant)).toBe("admitted");
  });
});

describe("an account on the paid plan", () => {
  it("shares nothing out, until it has a cap", async () => {
    const tenant = await aTenant();
    await inAccount(({ storage }) => {
      const db = objectDatabase(storage);
      const book = new PoolCache(new PoolStore(db), "paid");
      const allocator = new PoolAllocator(book, new DeniedStore(db), () => undefined);
      const ask = leaseAsk(tenant.id, { seq: 1, allowance: 0 });
      expect(allocator.ask(ask, NOW)).toMatchObject({ view: { isPooled: false }, lease: null });
      expect(allocator.overview(NOW)).toMatchObject({ size: null, spent: null, free: null });
      // What is spent without a lease is known all the same.
      const spent = [{ day: DAY - 3, spent: microNeurons(12_000 * 1e6), pending: ZERO }];
      allocator.ask({ ...ask, lease: null, spent }, NOW);
      allocator.patch({ daily_cap_neurons: 1 }, NOW);
      expect(allocator.ask(ask, NOW)).toMatchObject({
        view: { isPooled: true },
        lease: { seq: 1 },
      });
      allocator.patch({ daily_cap_neurons: null, monthly_cap_usd: "0.033" }, NOW);
      // USD 0.033 buy 3,000 neurons; 2,000 of them were billed on an earlier day of the month.
      expect(allocator.overview(NOW).size).toBe(11_000 * 1e6);
    });
  });

  it("calls back what was held before it had a cap, when others need it", async () => {
    const [first, second] = [await aTenant(), await aTenant()];
    await inAccount(({ storage }) => {
      const db = objectDatabase(storage);
      const book = new PoolCache(new PoolStore(db), "paid");
      const allocator = new PoolAllocator(book, new DeniedStore(db), () => undefined);
      const held = [{ day: DAY, spent: ZERO, pending: microNeurons(1000 * 1e6) }];
      const report = { ...leaseAsk(first.id, { seq: 1, allowance: 0 }), lease: null, spent: held };
      allocator.ask(report, NOW);
      allocator.patch({ daily_cap_neurons: 1000 }, NOW);
      expect(allocator.overview(NOW)).toMatchObject({ spent: 0, held: 1000 * 1e6, leased: 0 });
      expect(allocator.toRecall(NOW)).toEqual([]);
      const refused = allocator.ask(leaseAsk(second.id, { seq: 1, allowance: 0 }), NOW);
      expect(refused).toMatchObject({ lease: { granted: 0 } });
      expect(allocator.toRecall(NOW + SECOND)).toMatchObject([{ tenant: first.id, day: DAY }]);
    });
  });
});

const say = async (tenant: ATenant) => (await tenant.admit({ contents: [TEXT] })).kind;

describe("rates of the account", () => {
  it("hold for all tenants together, and are shared", async () => {
    const tenants = [await aTenant(), await aTenant(), await aTenant()];
    await account().patchPool({ rpm: { text_generation: 6 } });
    const [first, second, third] = tenants as [ATenant, ATenant, ATenant];
    for (let at = 0; at < 6; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await say(first)).toBe("admitted");
    }
    const refused = await second.admit({ contents: [TEXT] });
    expect(refused).toMatchObject({
      kind: "rate_limited",
      violated: ["text_generation"],
      ofAccount: true,
      fitsAtMs: Math.floor(NOW / SECOND) * SECOND + 61 * SECOND,
    });
    expect(await say(third)).toBe("rate_limited");
    expect(await say(first)).toBe("rate_limited");
    // Nothing was taken of its own classes, nor of the other class of the call.
    expect((await second.limits()).rates.find(({ name }) => name === "requests")).toMatchObject({
      remaining: 100_000,
    });
    vi.setSystemTime(Math.floor(NOW / SECOND) * SECOND + 61 * SECOND);
    const kinds: string[] = [];
    for (const tenant of [first, first, first, second, second, second, third, third, third]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      kinds.push(await say(tenant));
    }
    expect(kinds).toEqual([0, 1, 2].flatMap(() => ["admitted", "admitted", "rate_limited"]));
  });

  it("do not forget what was admitted when the object restarts", async () => {
    const tenant = await aTenant();
    await account().patchPool({ rpm: { text_generation: 2 } });
    expect([await say(tenant), await say(tenant)]).toEqual(["admitted", "admitted"]);
    await evictDurableObject(env.ACCOUNT.getByName("account"));
    await evictDurableObject(env.TENANT.getByName(tenant.id));
    expect(await say(tenant)).toBe("rate_limited");
  });

  it("say so when a call needs more than they could ever give", async () => {
    const tenant = await aTenant();
    await account().patchPool({ rpm: { image_classification: 2 } });
    expect((await tenant.admit({ contents: [pictures(3)] })).kind).toBe("over_limit");
  });

  it("ask the account once for all calls of a commit", async () => {
    const tenant = await aTenant();
    const asked = vi.spyOn(Account.prototype, "ask");
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => tenant.admit({ contents: [TEXT] })),
    );
    expect(new Set(replies.map(({ kind }) => kind))).toEqual(new Set(["admitted"]));
    expect(asked.mock.calls.length).toBeLessThanOrEqual(8);
  });
});

describe("news that cannot be told", () => {
  it("close the day to the tenant that learned it, and to all once it is told", async () => {
    const [first, second] = [await aTenant(), await aTenant()];
    await second.hold();
    const hold = await first.hold();
    unreachable();
    await first.settle(hold, { account: "exhausted", verdicts: [], items: voidItemsOf(hold) });
    expect(await kindOf(first)).toBe("account_quota_exceeded");
    await until(async () => (await rows(first.id, "SELECT news FROM account_view")).length > 0);
    vi.restoreAllMocks();
    expect(await kindOf(second)).toBe("admitted");
    vi.setSystemTime(NOW + 31 * SECOND);
    await ringTenant(first);
    await until(async () => (await kindOf(second)) === "account_quota_exceeded");
    // A probe of its own is due only when the account's is.
    vi.setSystemTime(NOW + HOUR);
    expect(await kindOf(first)).toBe("admitted");
    expect(await kindOf(second)).toBe("account_quota_exceeded");
  });

  it("are answered before the tenant takes the account's view: it is sent again", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    const answered = Promise.withResolvers<void>();
    onTheWayBack(() => answered.promise);
    await tenant.settle(hold, { account: "exhausted", verdicts: [], items: voidItemsOf(hold) });
    await until(() => isClosed());
    await account().reopen();
    await ringAccount();
    answered.resolve();
    const newsOf = () => rows(tenant.id, "SELECT * FROM account_view WHERE news IS NOT NULL");
    await until(async () => (await newsOf()).length === 0);
    expect(await kindOf(tenant)).toBe("account_quota_exceeded");
    vi.setSystemTime(NOW + 10 * SECOND);
    await ringAccount();
    expect(await kindOf(tenant)).toBe("admitted");
  });

  it("are not needed to keep a day closed that the account does not answer for", async () => {
    const tenant = await aTenant();
    const hold = await tenant.hold();
    unreachable();
    await tenant.settle(hold, { account: "exhausted", verdicts: [], items: voidItemsOf(hold) });
    vi.setSystemTime(NOW + 15 * MINUTE - 1);
    expect(await kindOf(tenant)).toBe("account_quota_exceeded");
    // Whether it still is can only be found out with the account's leave.
    vi.setSystemTime(NOW + 15 * MINUTE);
    expect(await kindOf(tenant)).toBe("unavailable");
    vi.restoreAllMocks();
    vi.setSystemTime(NOW + 15 * MINUTE + SECOND);
    expect(await kindOf(tenant)).toBe("admitted");
  });
});
