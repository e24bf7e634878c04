// The month to date of many tenants, read by the product's own statements: from hours alone, as a
// database is whose days were never added up, and from days that are. CPU of one process over SQLite.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { addUpADay, addUpTenants, closeADay } from "../src/reports/closed-days-store.ts";
import { addUpHours, closeHours } from "../src/reports/closed-hours-store.ts";
import { readGroups, readTotals } from "../src/reports/usage-store.ts";
import { readLargest } from "../src/reports/largest-usage-store.ts";
import { ROOT, say } from "./machine.mjs";
import { median } from "./stats.mjs";

const MIGRATIONS = readdirSync(join(ROOT, "migrations")).toSorted();
const FIRST_DAY = 20_760;
const HOURS = 4;
const MODELS = ["@cf/meta/llama-3.1-8b-instruct-fp8", "@cf/huggingface/distilbert-sst-2-int8"];
const ASKED = 5;

/** The part of D1's interface that the reports use. */
class LocalDatabase {
  constructor(db) {
    this.db = db;
  }

  prepare(sql, values = []) {
    const statement = { sql, values };
    const all = () => {
      const prepared = this.db.prepare(sql);
      const isRead = prepared.columns().length > 0;
      const results = isRead ? prepared.all(...values) : [];
      const changes = isRead ? 0 : Number(prepared.run(...values).changes);
      return { results, meta: { rows_read: 0, changes } };
    };
    return {
      ...statement,
      bind: (...bound) => this.prepare(sql, bound),
      all: async () => all(),
      run: async () => all(),
      first: async () => all().results[0] ?? null,
    };
  }

  async batch(statements) {
    this.db.exec("BEGIN");
    const results = [];
    for (const statement of statements) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      results.push(await statement.all());
    }
    this.db.exec("COMMIT");
    return results;
  }
}

/** The tables of the reports. */
export function migrated(db) {
  for (const name of MIGRATIONS) {
    db.exec(readFileSync(join(ROOT, "migrations", name), "utf8"));
  }
}

/** Each tenant of each day has four hours, and two models in each: nine calls an hour. */
export function seedDays(db, { first, tenants, days }) {
  const usage = db.prepare(`INSERT INTO usage_hours VALUES (${Array(19).fill("?").join(", ")})`);
  const calls = db.prepare(`INSERT INTO call_hours VALUES (${Array(19).fill("?").join(", ")})`);
  db.exec("BEGIN");
  for (let day = 0; day < days; day += 1) {
    for (let tenant = 0; tenant < tenants; tenant += 1) {
      const id = `t-${String(tenant).padStart(6, "0")}`;
      for (let at = 0; at < HOURS; at += 1) {
        const hour = (first + day) * 24 + ((tenant * 7 + at * 5) % 24);
        const latency = JSON.stringify({ [10 + (tenant % 9)]: 3, [20 + at]: 4, 31: 2 });
        const rate = at === 0 ? '{"0.011":5}' : "{}";
        const verdicts = '{"made":9,"micro_neurons":45,"reused":1,"saved":5}';
        const refused = tenant % 9 === 0 ? '{"rate_limited":2}' : "{}";
        const [made, later] = [
          [9, 9, 0, 0, 0, 40, 0, 5, rate, 0, refused, latency],
          [verdicts, "{}"],
        ];
        calls.run(id, 1, hour, ...made, 0, 1, ...later);
        for (const model of MODELS) {
          const units = '{"input_token":5,"output_token":6}';
          const key = [id, 1, hour, model, "workers-ai", model, "text_generation"];
          usage.run(...key, 9, 0, 5, 6, units, 22, 0, 0, 0, 0, latency, 1);
        }
      }
    }
  }
  db.exec("COMMIT");
}

/** An hour is added up within an hour and a half of its end: the last two of today are not, at worst. */
const HOURS_ADDED_UP = 22;

/** Every day before today is added up, and today's hours as far as they are at its end, as the upkeep does. */
export async function closeDays(db, today) {
  const database = new LocalDatabase(db);
  // oxlint-disable no-await-in-loop -- one step after the other
  while (await closeADay(database, today));
  while (await addUpTenants(database, 500));
  while (await addUpADay(database));
  await closeHours(database, today * 24 + HOURS_ADDED_UP);
  // And all of yesterday.
  await addUpHours(database, 24 + HOURS_ADDED_UP);
  // oxlint-enable no-await-in-loop
}

async function cpuOf(work) {
  const took = [];
  for (let at = 0; at < ASKED; at += 1) {
    const from = process.cpuUsage();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work();
    const { user, system } = process.cpuUsage(from);
    took.push((user + system) / 1000);
  }
  return median(took.toSorted((a, b) => a - b));
}

/** The last day is today, so it is not closed. */
export async function usageSums({ plan }) {
  const { tenants, days } = plan.reported;
  const db = new DatabaseSync(":memory:");
  migrated(db);
  seedDays(db, { first: FIRST_DAY, tenants, days });
  const database = new LocalDatabase(db);
  const month = { from: FIRST_DAY, to: FIRST_DAY + days, tenant: null };
  const today = { ...month, from: FIRST_DAY + days - 1 };
  const page = { groupBy: ["tenant"], after: null, limit: 200 };
  const hours = { from: today.from - 1, to: today.to, tenant: null };
  const reads = {
    "month to date": () => readTotals(database, month),
    "today's totals": () => readTotals(database, today),
    "a page of the month by tenant": () => readGroups(database, month, page),
    "the largest 20 and others, by hour of two days": () =>
      readLargest(database, hours, { groupBy: ["hour", "tenant"], most: 20 }),
  };
  const before = {};
  for (const [name, read] of Object.entries(reads)) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
    before[name] = await cpuOf(read);
  }
  const closing = process.cpuUsage();
  await closeDays(db, today.from);
  const { user, system } = process.cpuUsage(closing);
  const closedMs = (user + system) / 1000 / (days - 1);
  say(`${tenants} tenants a day, ${days} days: a day is added up in ${closedMs.toFixed(0)} ms CPU`);
  const rows = [];
  for (const [name, read] of Object.entries(reads)) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
    const after = await cpuOf(read);
    const ratio = before[name] / after;
    rows.push({ name, before_ms: before[name], after_ms: after, ratio });
    say(
      `${name}: ${before[name].toFixed(0)} ms from hours, ${after.toFixed(0)} ms from sums, ` +
        `${ratio.toFixed(1)} x less`,
    );
  }
  db.close();
  return { tenants, days, closed_ms: closedMs, reads: rows };
}
