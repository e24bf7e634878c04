import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AccountNode } from "../../durable-objects/account/account-node.ts";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolAllocator } from "../../durable-objects/account/pool/pool-allocator.ts";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import type { Database, SqlValue } from "../../durable-objects/database.ts";
import { ALLOCATION } from "../../src/domain/account/account-terms.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { monthStart } from "../../src/domain/ledger/period.ts";
import {
  account,
  cleanUp,
  DAY,
  DAY_MS,
  HOUR,
  inAccount,
  MIDNIGHT,
  MINUTE,
  NOW,
  ringAccount,
  stopClock,
} from "./a-tenant.ts";
import { askOf, nameOf } from "./many-tenants.ts";

// What days that are over cost the account: the month that a cap looks back on, midnight, and the end of
// their shares.

beforeEach(() => stopClock());
afterEach(cleanUp);

/** As many shares of a day, each of a tenant that used all of its lease. */
function fill(storage: DurableObjectStorage, day: number, tenants: number, each: number): void {
  for (let at = 0; at < tenants; at += 1) {
    storage.sql.exec(
      `INSERT INTO pool_shares VALUES (?, ?, 1, ?, ?, 0, ?, 1, NULL, ?, ?, 10, 0)`,
      day,
      nameOf(at),
      each,
      each,
      day * DAY_MS + 10 * HOUR,
      day * DAY_MS + 9 * HOUR,
      day * DAY_MS + 10 * HOUR,
    );
  }
}

interface Read {
  rows: number;
}

function counting(storage: DurableObjectStorage) {
  const read: Read = { rows: 0 };
  const run = (statement: string, ...values: SqlValue[]) => {
    const cursor = storage.sql.exec(statement, ...values);
    const found = cursor.toArray();
    read.rows += cursor.rowsRead;
    return found;
  };
  return { db: { run } as unknown as Database, read };
}

/** An object that has just started. */
function started(db: Database) {
  const cache = new PoolCache(new PoolStore(db), "paid");
  return { cache, allocator: new PoolAllocator(cache, new DeniedStore(db), () => undefined) };
}

const report = (at: number, day: number, spent: number, seq = 2) =>
  askOf(nameOf(at), {
    lease: {
      day,
      seq,
      allowance: microNeurons(spent),
      spent: microNeurons(spent),
      pending: ZERO,
      need: null,
    },
  });

const shares = (storage: DurableObjectStorage, where: string): number =>
  Number(storage.sql.exec(`SELECT COUNT(*) AS n FROM pool_shares WHERE ${where}`).one()["n"]);

/** From all shares, as the product added them up before it wrote sums down. */
const billedFromShares = (storage: DurableObjectStorage, day: number): number =>
  storage.sql
    .exec<{ claim: number }>(
      `SELECT SUM(MAX(granted, spent + pending)) AS claim FROM pool_shares
        WHERE day >= ? AND day < ? GROUP BY day`,
      monthStart(day),
      day,
    )
    .toArray()
    .reduce((sum, { claim }) => sum + Math.max(0, claim - ALLOCATION), 0);

const FIRST = monthStart(DAY);

describe("the month that a cap looks back on", () => {
  it("is read as one row a day, and not from the shares of its days", async () => {
    await inAccount(({ storage }) => {
      for (let day = FIRST; day < DAY; day += 1) fill(storage, day, 50, ALLOCATION / 20);
      const { db, read } = counting(storage);
      const first = started(db);
      first.allocator.patch({ monthly_cap_usd: "100" }, NOW);
      expect(first.cache.basis(DAY).billedBefore).toBe(billedFromShares(storage, DAY));
      first.allocator.purge(NOW);
      // What is read of yesterday is its pool, for late reports.
      const ofYesterday = started(db);
      const before = read.rows;
      ofYesterday.cache.now(NOW);
      ofYesterday.cache.pool(DAY - 1);
      const pools = read.rows - before;
      const second = started(db);
      second.cache.now(NOW);
      const from = read.rows;
      expect(second.cache.basis(DAY).billedBefore).toBe(billedFromShares(storage, DAY));
      expect(read.rows - from).toBeLessThanOrEqual(pools + (DAY - FIRST) + 5);
      // A transaction that is rolled back drops what is in memory.
      second.cache.forget();
      const again = read.rows;
      second.cache.basis(DAY);
      expect(read.rows - again).toBeLessThanOrEqual(pools + (DAY - FIRST) + 5);
    });
  });

  it("counts late reports, also of days whose sums were written down, and after a restart", async () => {
    await inAccount(({ storage }) => {
      const db = counting(storage).db;
      for (let day = DAY - 4; day < DAY; day += 1) fill(storage, day, 3, ALLOCATION);
      let { cache, allocator } = started(db);
      const agrees = (day: number) => {
        const expected = billedFromShares(storage, day);
        expect(expected).toBeGreaterThan(0);
        expect(cache.basis(day).billedBefore).toBe(expected);
        ({ cache, allocator } = started(db));
        cache.now(day * DAY_MS + 5 * HOUR);
        expect(cache.basis(day).billedBefore).toBe(expected);
      };
      allocator.patch({ monthly_cap_usd: "100" }, NOW);
      agrees(DAY);
      // Yesterday's sum is in memory, then it is written down.
      allocator.ask(report(0, DAY - 1, ALLOCATION + 7), NOW);
      agrees(DAY);
      allocator.purge(NOW);
      allocator.ask(report(1, DAY - 1, ALLOCATION + 11), NOW);
      allocator.ask(report(1, DAY - 2, ALLOCATION + 13), NOW);
      agrees(DAY);
      const spent = [{ day: DAY - 3, spent: microNeurons(17), pending: microNeurons(2) }];
      allocator.ask(askOf(nameOf(9), { spent }), NOW);
      agrees(DAY);
      // The next day: the last day of the old one counts, whatever was written down of it.
      const tomorrow = MIDNIGHT + MINUTE;
      allocator.ask(report(2, DAY, ALLOCATION * 2, 1), NOW);
      allocator.ask(report(2, DAY, ALLOCATION * 3, 2), tomorrow);
      agrees(DAY + 1);
      allocator.purge(MIDNIGHT + 3 * HOUR);
      allocator.ask(report(2, DAY, ALLOCATION * 4, 3), MIDNIGHT + 3 * HOUR);
      agrees(DAY + 1);
      const written = storage.sql.exec("SELECT claim FROM pool_days WHERE day = ?", DAY).one();
      expect(written["claim"]).toBe(ALLOCATION * 4);
    });
  });
});

describe("the alarm", () => {
  it("writes a day's sum down two hours after its end, and no sooner", async () => {
    await inAccount(({ storage }) => {
      fill(storage, DAY, 3, 100);
      const { allocator } = started(counting(storage).db);
      const early = MIDNIGHT + 2 * HOUR - 1;
      const sums = () => storage.sql.exec("SELECT * FROM pool_days").toArray();
      allocator.ask(askOf(nameOf(1), {}), early);
      expect(allocator.dueMs(early)).toBeNull();
      allocator.purge(early);
      expect(sums()).toEqual([]);
      expect(allocator.dueMs(early + 1)).toBe(early + 1);
      allocator.purge(early + 1);
      expect(sums()).toEqual([{ day: DAY, claim: 300 }]);
      expect(allocator.dueMs(early + 1)).toBeNull();
    });
  });

  it("drops yesterday's shares from memory 2,000 at a time", async () => {
    await inAccount(({ storage }) => {
      fill(storage, DAY, 4_500, 100);
      const { db, read } = counting(storage);
      const { cache, allocator } = started(db);
      allocator.ask(askOf(nameOf(1), {}), NOW);
      allocator.dueMs(NOW);
      const before = read.rows;
      allocator.ask(askOf(nameOf(1), {}), MIDNIGHT);
      const left = [cache.pool(DAY).shares.size];
      while (allocator.dueMs(MIDNIGHT) === MIDNIGHT) {
        allocator.purge(MIDNIGHT);
        left.push(cache.pool(DAY).shares.size);
      }
      expect(left).toEqual([4_500, 2_500, 500, 0]);
      expect(cache.pool(DAY).claimed).toBe(450_000);
      // Nothing was read again for it, nor for the new day.
      expect(read.rows - before).toBeLessThanOrEqual(20);
    });
  });

  it("deletes shares past their retention 500 at a time, until none is left", async () => {
    await account().listTenants("", 1);
    await inAccount(({ storage }) => {
      fill(storage, DAY - 41, 1_200, 100);
      fill(storage, DAY - 40, 2, 100);
    });
    const purges = vi.spyOn(AccountNode.prototype, "alarm");
    await account().reopen();
    const left: number[] = [];
    for (let at = 0; at < 3; at += 1) {
      // oxlint-disable no-await-in-loop -- one alarm after the other
      expect(await inAccount(({ storage }) => storage.getAlarm())).toBe(NOW);
      await ringAccount();
      left.push(await inAccount(({ storage }) => shares(storage, `day < ${DAY - 40}`)));
      // oxlint-enable no-await-in-loop
    }
    expect(left).toEqual([700, 200, 0]);
    expect(purges).toHaveBeenCalledTimes(3);
    vi.restoreAllMocks();
    expect(await inAccount(({ storage }) => shares(storage, "TRUE"))).toBe(2);
  });
});

describe("a purge of shares", () => {
  it("reads those that it deletes, and no others of their day", async () => {
    await inAccount(({ storage }) => {
      fill(storage, DAY - 41, 1_200, 100);
      const { db, read } = counting(storage);
      new PoolStore(db).purgeShares(DAY - 40, 100);
      expect(shares(storage, "TRUE")).toBe(1_100);
      expect(read.rows).toBeLessThanOrEqual(300);
    });
  });
});

describe("the pool of a day", () => {
  it("reads floors and no other promises, and those of the next day not at all", async () => {
    await inAccount(({ storage }) => {
      for (let at = 0; at < 500; at += 1) {
        const floor = at % 100 === 0 ? 7 : 0;
        storage.sql.exec(
          "INSERT INTO promises VALUES (?, 1, 1, 'free', 0, ?, 0, 0)",
          nameOf(at),
          floor,
        );
      }
      const { db, read } = counting(storage);
      const { cache } = started(db);
      cache.now(NOW);
      const before = read.rows;
      expect(cache.pool(DAY).unclaimed.floors).toBe(35);
      expect(read.rows - before).toBeLessThanOrEqual(12);
      const next = read.rows;
      expect(cache.pool(DAY + 1).unclaimed.floors).toBe(35);
      expect(read.rows - next).toBeLessThanOrEqual(2);
    });
  });
});
