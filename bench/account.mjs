// The account's object by the number of tenants: the product's own desk over SQLite in one process. What a
// question for tickets costs by the number of takers, and what it takes to start beside a full database.
import { DatabaseSync } from "node:sqlite";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ACCOUNT_MIGRATIONS } from "../durable-objects/account/account-schema.ts";
import { DeniedStore } from "../durable-objects/account/denied-store.ts";
import { PoolBook } from "../durable-objects/account/pool-book.ts";
import { PoolDesk } from "../durable-objects/account/pool-desk.ts";
import { PoolStore } from "../durable-objects/account/pool-store.ts";
import { migrate } from "../durable-objects/database.ts";
import { say } from "./machine.mjs";
import { median } from "./stats.mjs";

const DAY_MS = 86_400_000;
const DAY = 20_700;
const NOW_MS = DAY * DAY_MS + DAY_MS / 2;
const MESSAGES = 2000;
const ROUNDS = 7;

class LocalDatabase {
  #sqlite = new DatabaseSync(":memory:");
  #statements = new Map();
  rowsWritten = 0;

  run(statement, ...values) {
    const prepared = this.#statements.get(statement) ?? this.#sqlite.prepare(statement);
    this.#statements.set(statement, prepared);
    if (prepared.columns().length > 0) return prepared.all(...values);
    this.rowsWritten += Number(prepared.run(...values).changes);
    return [];
  }

  transaction(work) {
    this.#sqlite.exec("BEGIN");
    try {
      const result = work();
      this.#sqlite.exec("COMMIT");
      return result;
    } catch (error) {
      this.#sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  sync() {
    return Promise.resolve();
  }

  size() {
    return 0;
  }
}

const nameOf = (at) => `t-${String(at).padStart(6, "0")}`;

const ask = (at, fields) => ({
  tenant: nameOf(at),
  life: 1,
  promised: {
    plan: "free",
    daily: 1_000_000,
    floor: at % 10 === 0 ? 1000 : 0,
    suspended: false,
    version: 1,
  },
  notice: 0,
  lease: null,
  rates: null,
  news: null,
  spent: [],
  probe: false,
  look: null,
  ...fields,
});

const lease = (day, seq) => ({
  day,
  seq,
  allowance: 100_000,
  spent: 90_000,
  pending: 0,
  need: { least: 10_000, need: 10_000, want: 100_000 },
});

/** Every tenant is promised something, and so many have a share of today and of yesterday. */
function seed(db, { tenants, shares }) {
  migrate(db, ACCOUNT_MIGRATIONS);
  const answer = JSON.stringify({
    seq: 1,
    granted: 100_000,
    deadlineMs: NOW_MS + 200_000,
    refused: null,
  });
  db.transaction(() => {
    for (let at = 0; at < tenants; at += 1) {
      db.run(
        "INSERT INTO promises VALUES (?, 1, 1, 'free', 1000000, ?, 0, 0)",
        nameOf(at),
        at % 10 === 0 ? 1000 : 0,
      );
    }
    for (let at = 0; at < shares; at += 1) {
      // Of yesterday a tenth has something unused.
      for (const [day, granted, askedMs] of [
        [DAY, 100_000, NOW_MS - (at % 6 === 0 ? 30_000 : 3_000_000)],
        [DAY - 1, at % 10 === 7 ? 100_000 : 90_000, NOW_MS - DAY_MS],
      ]) {
        db.run(
          "INSERT INTO pool_shares VALUES (?, ?, 1, ?, 90000, 0, ?, 1, ?, ?, ?, 10, 0)",
          day,
          nameOf(at),
          granted,
          NOW_MS + 200_000,
          answer,
          askedMs,
          askedMs,
        );
      }
    }
  });
}

function deskOf(db) {
  const book = new PoolBook(new PoolStore(db), "free");
  return { book, desk: new PoolDesk(book, new DeniedStore(db), () => undefined) };
}

function cpuMs(work) {
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

function collector() {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

function wake(size) {
  const db = new LocalDatabase();
  seed(db, size);
  const gc = collector();
  gc();
  const before = process.memoryUsage().heapUsed;
  const { desk, book } = deskOf(db);
  const message = ask(1, { lease: lease(DAY, 2) });
  const ms = cpuMs(() => {
    const answer = desk.ask(message, NOW_MS);
    if (answer.lease?.granted === undefined) throw new Error("nothing was answered");
    desk.dueMs(NOW_MS);
  });
  gc();
  const heapMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  const { shares } = book.pool(DAY - 1);
  const next = Math.min(MESSAGES, size.shares - 2);
  const nextMs = cpuMs(() => {
    for (let at = 0; at < next; at += 1) {
      hear({ db, desk }, ask(at + 2, { lease: lease(DAY, 2) }), NOW_MS + at);
    }
  });
  const each = nextMs / next;
  say(
    `${size.tenants} tenants, ${size.shares} shares a day: the first message after a start ` +
      `${ms.toFixed(0)} ms CPU, ${heapMiB.toFixed(0)} MiB of heap, ` +
      `${shares.size} shares of yesterday in memory; the next ones ${each.toFixed(2)} ms each`,
  );
  return { ...size, first_ms: ms, heap_mib: heapMiB, next_ms: each };
}

/** A message as the object answers it, copied on its way there and back. */
function hear({ db, desk }, message, nowMs) {
  const heard = structuredClone(message);
  db.transaction(() => desk.recallsBefore(heard, nowMs));
  const answered = db.transaction(() => desk.ask(heard, nowMs));
  db.transaction(() => desk.dueMs(nowMs));
  return structuredClone(answered);
}

/** So many took units within the minute, every third of them in vain. */
function rates(takers) {
  const db = new LocalDatabase();
  migrate(db, ACCOUNT_MIGRATIONS);
  const { desk } = deskOf(db);
  desk.patch({ rpm: { text_generation: takers * 2, text_classification: takers * 4 } }, NOW_MS);
  const units = (at) => ({ text_generation: at % 3 === 0 ? takers : 1, text_classification: 1 });
  const message = (at) =>
    ask(at, { rates: { calls: [units(at)], more: { text_classification: 2 } } });
  for (let at = 0; at < takers; at += 1) {
    desk.ask(message(at), NOW_MS + Math.floor((at * 50_000) / takers));
  }
  const took = [];
  const written = db.rowsWritten;
  for (let round = 0; round < ROUNDS; round += 1) {
    const spent = cpuMs(() => {
      for (let at = 0; at < MESSAGES; at += 1) {
        hear({ db, desk }, message((at * 37) % takers), NOW_MS + 50_000 + round * MESSAGES + at);
      }
    });
    took.push(spent / MESSAGES);
  }
  const ms = median(took.toSorted((a, b) => a - b));
  const rows = (db.rowsWritten - written) / (ROUNDS * MESSAGES);
  say(
    `${takers} takers: a question for tickets ${ms.toFixed(3)} ms CPU, ${rows.toFixed(3)} rows written`,
  );
  return { takers, ms, rows_written: rows };
}

/** A call that comes alone, every seven seconds. */
function alone() {
  const db = new LocalDatabase();
  migrate(db, ACCOUNT_MIGRATIONS);
  const { desk } = deskOf(db);
  desk.ask(ask(1, {}), NOW_MS);
  const from = db.rowsWritten;
  for (let at = 1; at <= 100; at += 1) {
    const calls = [{ text_generation: 1, text_classification: 1 }];
    const asked = { rates: { calls, more: { text_classification: 2 } } };
    desk.ask(ask(1, asked), NOW_MS + at * 7000);
  }
  const rows = (db.rowsWritten - from) / 100;
  say(`a call that comes alone: ${rows.toFixed(2)} rows written at the account`);
  return { rows_written: rows };
}

export async function accounts({ plan }) {
  const asked = plan.takers.map(rates);
  const [few, many] = [asked[0], asked.at(-1)];
  say(`${(many.ms / few.ms).toFixed(2)} x for ${many.takers / few.takers} x as many takers`);
  return { rates: asked, alone: alone(), wakes: plan.woken.map(wake) };
}
