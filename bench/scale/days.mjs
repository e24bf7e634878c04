// Measures what days that are over cost the account's pool, over SQLite in this process: a start with a
// monthly cap late in a month, the first message after midnight, and the alarm that follows it.
import { DatabaseSync } from "node:sqlite";
import { ACCOUNT_MIGRATIONS } from "../../durable-objects/account/account-schema.ts";
import { DeniedStore } from "../../durable-objects/account/pool/denied-store.ts";
import { PoolAllocator } from "../../durable-objects/account/pool/pool-allocator.ts";
import { PoolCache } from "../../durable-objects/account/pool/pool-cache.ts";
import { PoolStore } from "../../durable-objects/account/pool/pool-store.ts";
import { migrate } from "../../durable-objects/database.ts";
import { floorOf, nameOf } from "../../test/e2e/seed-account.mjs";

const DAY_MS = 86_400_000;

/** The last day of a month of thirty days, at noon. */
const NOW = Date.UTC(2026, 10, 30, 12);
const DAY = Math.floor(NOW / DAY_MS);
const DAYS = 30;

const SPENT = 30_000_000;

/** A database whose returned rows are counted. */
function counted() {
  const sqlite = new DatabaseSync(":memory:");
  const count = { rows: 0 };
  const db = {
    run: (/** @type {string} */ statement, ...values) => {
      const rows = sqlite.prepare(statement).all(...values);
      count.rows += rows.length;
      return rows;
    },
    transaction: (work) => {
      sqlite.exec("BEGIN");
      const result = work();
      sqlite.exec("COMMIT");
      return result;
    },
    sync: async () => undefined,
    size: () => 0,
  };
  return { sqlite, db, count };
}

function fill(sqlite, tenants, sharing) {
  sqlite.exec("BEGIN");
  const promise = sqlite.prepare("INSERT INTO promises VALUES (?, 1, 1, 'free', 0, ?, 0, 0)");
  for (let at = 0; at < tenants; at += 1) promise.run(nameOf(at), floorOf(nameOf(at)));
  const share = sqlite.prepare(
    "INSERT INTO pool_shares VALUES (?, ?, 1, ?, ?, 0, ?, 1, NULL, ?, ?, 10, 0)",
  );
  for (let day = DAY - DAYS + 1; day <= DAY; day += 1) {
    const atMs = day * DAY_MS + 36_000_000;
    for (let at = 0; at < sharing; at += 1) {
      share.run(day, nameOf(at), SPENT, SPENT, atMs, atMs, atMs);
    }
  }
  sqlite.exec("COMMIT");
}

function started(db) {
  const cache = new PoolCache(new PoolStore(db), "paid");
  return new PoolAllocator(cache, new DeniedStore(db), () => undefined);
}

const ask = (/** @type {string} */ tenant) => ({
  tenant,
  generation: 1,
  promised: { plan: "free", daily: 0, floor: floorOf(tenant), suspended: false, version: 1 },
  lease: null,
  rates: null,
  news: null,
  notice: 0,
  spent: [],
  probe: false,
  look: null,
});

function timed(work) {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

/** @param {number} tenants of which three in ten have a share of each day of the month */
export function pastDays(table, tenants) {
  const { sqlite, db, count } = counted();
  migrate(db, ACCOUNT_MIGRATIONS);
  const sharing = tenants * 0.3;
  fill(sqlite, tenants, sharing);
  const transact = (work) => db.transaction(work);
  const message = (of, nowMs) => () =>
    transact(() => {
      of.ask(ask(nameOf(1)), nowMs);
      of.dueMs(nowMs);
    });

  const plain = started(db);
  transact(() => plain.patch({ daily_cap_neurons: 1e8 }, NOW));
  const aStart = () => timed(message(started(db), NOW));
  // The first one is slower, whatever it does.
  aStart();
  const without = Math.min(aStart(), aStart(), aStart());
  transact(() => plain.patch({ monthly_cap_usd: "100000" }, NOW));
  const capped = Math.min(aStart(), aStart(), aStart());
  const of = `N = ${tenants}, ${sharing} shares a day`;
  const pool = started(db);
  message(pool, NOW)();
  table.told(`first message of a start, ${of}: no monthly cap`, without, "ms");
  table.told(`the same, a monthly cap and ${DAYS} days`, capped, "ms");
  table.told(`the same, against no monthly cap`, capped / without, "x", 1.2);
  transact(() => pool.purge(NOW));

  const midnight = (DAY + 1) * DAY_MS;
  count.rows = 0;
  table.told(`first message after midnight, ${of}`, timed(message(pool, midnight)), "ms", 20);
  table.held(`the same: rows returned`, count.rows, 10);
  let [alarms, longest] = [0, 0];
  while (pool.dueMs(midnight) === midnight) {
    longest = Math.max(
      longest,
      timed(() => transact(() => pool.purge(midnight))),
    );
    alarms += 1;
  }
  table.told(`alarms after it`, alarms);
  table.told(`the longest of their transactions`, longest, "ms", 20);

  // Shares of one day are past their retention.
  const old = (DAY - DAYS + 1 + 41) * DAY_MS + 3 * 3_600_000;
  const later = started(db);
  let [purges, longestPurge] = [0, 0];
  message(later, old)();
  while (later.dueMs(old) === old) {
    longestPurge = Math.max(
      longestPurge,
      timed(() => transact(() => later.purge(old))),
    );
    purges += 1;
  }
  table.told(`alarms that purge shares past their retention`, purges);
  table.told(`the longest of their transactions`, longestPurge, "ms", 20);
  sqlite.close();
}
