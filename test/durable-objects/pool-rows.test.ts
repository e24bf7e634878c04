import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AccountMessage } from "../../durable-objects/account/account-protocol.ts";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolAllocator } from "../../durable-objects/account/pool/pool-allocator.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import type { Database, SqlValue } from "../../durable-objects/database.ts";
import { microNeurons, ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import { cleanUp, DAY, inAccount, MIDNIGHT, NOW, stopClock } from "./a-tenant.ts";
import { askOf, nameOf } from "./many-tenants.ts";

// What a message about neurons costs the account in rows, and what stays in memory, however many
// tenants share the pool.

beforeEach(() => stopClock());
afterEach(cleanUp);

interface Counted {
  read: number;
  written: number;
}

function counting(storage: DurableObjectStorage): {
  readonly db: Database;
  readonly rows: Counted;
} {
  const rows = { read: 0, written: 0 };
  const db = {
    run: (statement: string, ...values: SqlValue[]) => {
      const cursor = storage.sql.exec(statement, ...values);
      const found = cursor.toArray();
      rows.read += cursor.rowsRead;
      rows.written += cursor.rowsWritten;
      return found;
    },
  };
  return { db: db as unknown as Database, rows };
}

const leaseAsk = (
  at: number,
  lease: { day: Day; seq: number; spent: number; want: number | null },
): AccountMessage =>
  askOf(nameOf(at), {
    lease: {
      day: lease.day,
      seq: lease.seq,
      allowance: microNeurons(100),
      spent: microNeurons(lease.spent),
      pending: ZERO,
      need:
        lease.want === null
          ? null
          : {
              least: microNeurons(1),
              need: microNeurons(1),
              want: microNeurons(lease.want),
            },
    },
  });

/** As many shares of today and of yesterday, each with a lease of 100 of which 90 are used. */
function fill(storage: DurableObjectStorage, tenants: number): void {
  for (let at = 0; at < tenants; at += 1) {
    storage.sql.exec("INSERT INTO promises VALUES (?, 1, 1, 'free', 0, 0, 0, 0)", nameOf(at));
    for (const [day, granted] of [
      [DAY - 1, at % 10 === 0 ? 100 : 90],
      [DAY, 100],
    ] as const) {
      storage.sql.exec(
        `INSERT INTO pool_shares VALUES (?, ?, 1, ?, 90, 0, ?, 1, NULL, ?, ?, 10, 0)`,
        day,
        nameOf(at),
        granted,
        NOW + 200_000,
        day === DAY ? NOW - 30_000 : NOW - 86_400_000,
        NOW - 30_000,
      );
    }
  }
}

/** Of a message of today with a question, and of one that is late: rows, once the object has started. */
const messageAt = (tenants: number) =>
  inAccount(({ storage }) => {
    fill(storage, tenants);
    const { db, rows } = counting(storage);
    const book = new PoolCache(new PoolStore(db), "paid");
    const allocator = new PoolAllocator(book, new DeniedStore(db), () => undefined);
    allocator.patch({ daily_cap_neurons: 1e6, monthly_cap_usd: "100" }, NOW);
    const costs = (ask: AccountMessage) => {
      const before = { ...rows };
      allocator.recallsBefore(ask, NOW);
      expect(allocator.ask(ask, NOW)).toMatchObject({ lease: { repeated: false } });
      allocator.dueMs(NOW);
      return { read: rows.read - before.read, written: rows.written - before.written };
    };
    costs(leaseAsk(1, { day: DAY, seq: 2, spent: 95, want: 10 }));
    const today = costs(leaseAsk(2, { day: DAY, seq: 2, spent: 95, want: 10 }));
    const late = costs(leaseAsk(11, { day: DAY - 1, seq: 2, spent: 95, want: null }));
    return { today, late, open: book.pool(DAY - 1).shares.size };
  });

describe("a message", () => {
  it.each([20, 10_000])("costs the same rows with %i shares a day", async (tenants) => {
    const { today, late, open } = await messageAt(tenants);
    expect(today.written).toBe(1);
    expect(today.read).toBeLessThanOrEqual(3);
    expect(late.written).toBe(1);
    expect(late.read).toBeLessThanOrEqual(5);
    // Of yesterday only what may come back is in memory: some of the late one's too.
    expect(open).toBe(tenants / 10 + 1);
  });
});

describe("promises in memory", () => {
  it("are bounded, and are read again", async () => {
    await inAccount(({ storage }) => {
      fill(storage, 6_000);
      const { promises } = new PoolCache(new PoolStore(counting(storage).db), "paid");
      for (let at = 0; at < 6_000; at += 1) promises.get(nameOf(at));
      expect(promises.size).toBe(5_000);
      expect(promises.get(nameOf(0))?.tenant).toBe(nameOf(0));
      expect(promises.size).toBe(5_000);
      expect(promises.sums.tenants).toBe(6_000);
    });
  });
});

describe("a call that comes alone", () => {
  it("costs one row beside that of its lease, whatever classes it takes units of", async () => {
    await inAccount(({ storage }) => {
      fill(storage, 3);
      const { db, rows } = counting(storage);
      const book = new PoolCache(new PoolStore(db), "paid");
      const allocator = new PoolAllocator(book, new DeniedStore(db), () => undefined);
      allocator.patch({ daily_cap_neurons: 1e6 }, NOW);
      const calls = [{ text_generation: 1, text_classification: 1, text_embeddings: 1 }];
      const rates = { calls, more: { text_classification: 2, text_embeddings: 2 } };
      const costs = (ask: AccountMessage, nowMs: number) => {
        const before = rows.written;
        expect(allocator.ask(ask, nowMs)).toMatchObject({ rates: { refused: {} } });
        allocator.dueMs(nowMs);
        return rows.written - before;
      };
      const alone = {
        ...leaseAsk(1, { day: DAY, seq: 2, spent: 95, want: 10 }),
        rates,
        lease: null,
      };
      const written = Array.from({ length: 30 }, (_, at) => costs(alone, NOW + at * 6_500));
      expect(written).toEqual(written.map(() => 1));
      // Five seconds later nothing of it is covered; in the same five seconds some of it is.
      const leased = { ...leaseAsk(2, { day: DAY, seq: 2, spent: 95, want: 10 }), rates };
      expect(costs(leased, NOW + 300_000)).toBe(1 + 1);
      expect(costs(alone, NOW + 300_000)).toBe(0);
    });
  });
});

describe("the day before", () => {
  it("leaves memory when midnight comes, and a late report is heard all the same", async () => {
    await inAccount(({ storage }) => {
      fill(storage, 30);
      const { db } = counting(storage);
      const book = new PoolCache(new PoolStore(db), "free");
      const allocator = new PoolAllocator(book, new DeniedStore(db), () => undefined);
      allocator.ask(leaseAsk(3, { day: DAY, seq: 2, spent: 100, want: null }), NOW);
      expect(book.pool(DAY).shares.size).toBe(30);
      const before = book.pool(DAY).claimed;
      expect(
        allocator.ask(leaseAsk(3, { day: DAY, seq: 3, spent: 130, want: null }), MIDNIGHT),
      ).toMatchObject({ lease: { seq: 3 } });
      expect(book.pool(DAY).claimed).toBe(before + 30);
      allocator.purge(MIDNIGHT);
      // All others still have ten that are unused.
      expect(book.pool(DAY).shares.size).toBe(29);
      // As after a restart.
      book.forget();
      expect(book.pool(DAY).claimed).toBe(before + 30);
    });
  });
});
