// The usage pages of a month, through the server that `npm start` runs, with a tenant behind them
// whose journal is long. Nothing is made up but the journal and its days: the object itself folds it
// into hours, which reach the reports through the queue.
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./machine.mjs";
import { objectFile, seedJournal } from "./object-file.mjs";
import { Started } from "./started.mjs";
import { median } from "./stats.mjs";
import { checkVerdict, getJson, makeTenants } from "./tenants.mjs";

const ID = "long";
const DAYS = 30;
const DAY_MS = 86_400_000;
const ASKED = 40;

/** Folding a million lines takes some minutes. */
const FOLDED_MS = 1_800_000;

const dayText = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** The counts of one call, multiplied by the number of calls. */
const times = (value, factor) => {
  if (typeof value === "number") return value * factor;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, times(one, factor)]));
};

/** Writes the days' sums as the settlements would have, with nothing folded. */
function seedDays(file) {
  const db = new DatabaseSync(file);
  const period = db.prepare("SELECT * FROM periods ORDER BY day DESC LIMIT 1").get();
  const totals = JSON.parse(String(period.totals));
  const insert = db.prepare("INSERT INTO periods VALUES (?, ?, ?, ?, ?, ?)");
  const days = db
    .prepare("SELECT day, COUNT(*) AS lines FROM journal WHERE day < ? GROUP BY day")
    .all(period.day);
  for (const { day, lines } of days) {
    const amounts = ["quota", "granted", "overage", "posted"].map((name) => period[name] * lines);
    insert.run(day, ...amounts, JSON.stringify(times(totals, lines)));
  }
  // A feature makes its tables with its first row: they may not be there yet.
  const there = db.prepare("SELECT name FROM sqlite_master").all();
  for (const table of ["feed", "report_rows", "report_users"]) {
    if (there.some(({ name }) => name === table)) db.exec(`DELETE FROM ${table}`);
  }
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}

async function until(what, isDone) {
  const deadlineMs = Date.now() + FOLDED_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    if (await isDone()) return;
    if (Date.now() > deadlineMs) throw new Error(`${what}: not within half an hour`);
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    await sleep(1000);
  }
}

async function timed(url, path, token) {
  const took = [];
  let body = null;
  for (let at = 0; at < ASKED; at += 1) {
    const from = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    body = await getJson(url, path, token);
    took.push(performance.now() - from);
  }
  took.sort((a, b) => a - b);
  return { median_ms: median(took), slowest_ms: took.at(-1), body };
}

/** Reads a month by day and model, as the tenant and as the platform. */
export async function usagePages({ dir, plan }) {
  const server = new Started(dir);
  await server.start();
  const [key] = await makeTenants(server, [ID]);
  await checkVerdict(server.url, key, "embedded");
  await server.stop();
  const file = objectFile(server.objects, "neurogate-Tenant", ID);
  const lines = seedJournal(file, plan.lines);
  seedDays(file);
  await server.start();
  const { url, adminToken } = server;
  const today = Math.floor(Date.now() / DAY_MS);
  const range = `from=${dayText(today - DAYS)}&to=${dayText(today)}&group_by=day,model&limit=200`;
  const own = `/admin/tenants/${ID}/usage?${range}`;
  const all = `/admin/usage?tenant=${ID}&${range}`;
  const foldedFrom = performance.now();
  // A settled call wakes the object.
  await checkVerdict(url, key, "embedded");
  await until("fold", async () => !(await getJson(url, own, adminToken)).is_behind);
  const foldedS = (performance.now() - foldedFrom) / 1000;
  const { totals } = await getJson(url, own, adminToken);
  await until("feed", async () => {
    const { totals: reported } = await getJson(url, all, adminToken);
    return reported.calls === totals.calls && reported.micro_neurons === totals.micro_neurons;
  });
  const rows = [];
  for (const [page, path] of [
    ["the tenant's", own],
    ["the platform's", all],
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
    const { body, ...took } = await timed(url, path, adminToken);
    const row = { page, lines, rows: body.data.length, rows_read: body.rows_read ?? null, ...took };
    say(
      `${page} month, ${lines} lines: ${took.median_ms.toFixed(0)} ms, slowest of ${ASKED} ` +
        `${took.slowest_ms.toFixed(0)} ms, ${row.rows} rows` +
        (row.rows_read === null ? "" : `, ${row.rows_read} read`),
    );
    rows.push(row);
  }
  await server.stop();
  say(`folded in ${foldedS.toFixed(0)} s; both pages give the same sums`);
  return { folded_s: foldedS, pages: rows };
}
