// The usage pages of a month, through the server that `npm start` runs, with a tenant behind them
// whose journal is long. Nothing is made up but the journal and its days: the object itself folds it
// into hours, which reach the reports through the queue.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, say } from "./machine.mjs";
import { objectFile, seedJournal } from "./object-file.mjs";
import { median } from "./stats.mjs";
import { checkVerdict, getJson, makeTenants } from "./tenants.mjs";

const ID = "long";
const DAYS = 30;
const DAY_MS = 86_400_000;
const READY_MS = 120_000;
const ASKED = 40;

/** A million lines are folded in some minutes. */
const FOLDED_MS = 1_800_000;

/** The server as a newcomer starts it, in a folder of its own. */
class Started {
  url = "";
  adminToken = "";
  #dir;
  #process = null;

  constructor(dir) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  get objects() {
    return join(this.#dir, ".wrangler/state/v3/do/neurogate-Tenant");
  }

  async start() {
    this.#process = spawn(process.execPath, [join(ROOT, "scripts/start.mjs")], {
      cwd: ROOT,
      // A group of its own: a signal reaches workerd too.
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PORT: "0", NEUROGATE_STATE_DIR: this.#dir },
    });
    process.once("exit", this.#kill);
    let output = "";
    this.#process.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    const deadlineMs = Date.now() + READY_MS;
    while (!output.includes("Stop with Ctrl-C")) {
      if (this.#process.exitCode !== null || Date.now() > deadlineMs) throw new Error(output);
      // oxlint-disable-next-line no-await-in-loop -- until it is ready
      await sleep(50);
    }
    this.url = /URL +(\S+)/.exec(output)[1];
    this.adminToken = /Admin token +(\S+)/.exec(output)[1];
  }

  async stop() {
    const exited = once(this.#process, "exit");
    this.#kill("SIGTERM");
    await exited;
    process.removeListener("exit", this.#kill);
  }

  #kill = (signal) => {
    try {
      process.kill(-this.#process.pid, typeof signal === "string" ? signal : "SIGKILL");
    } catch {
      // It has ended.
    }
  };
}

const dayText = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** Counts of one call, for as many. */
const times = (value, factor) => {
  if (typeof value === "number") return value * factor;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, times(one, factor)]));
};

/** The days' books as their settlements would have kept them, and nothing folded. */
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
  for (const table of ["feed", "report_rows", "report_users"]) db.exec(`DELETE FROM ${table}`);
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

/** A month by day and model, as the tenant and as the platform asks for it. */
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
  // Something that settles wakes the object.
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
