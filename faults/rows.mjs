// Checks the rows themselves, read from the SQLite files while no process has them open. Nothing here
// trusts the code that wrote them or its answers.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dayLimit, TENANTS } from "./load.mjs";

const DAY_MS = 86_400_000;
const WINDOW_MS = 60_000;

/** The place of an item's amount in its tuple: durable-objects/tenant/ledger/ledger-row.ts. */
const AMOUNT = 9;

const NAMESPACE = "neurogate-Tenant";

/** @typedef {{ journal: any[], periods: any[], verdicts: any[], pending: number }} Rows */

/**
 * Opens a copy of each database of a namespace, so that the files stay as the crash left them.
 * @param {string} folder @param {string} scratch @param {(db: DatabaseSync) => void} look
 */
export function eachDatabase(folder, scratch, look) {
  if (!existsSync(folder)) return;
  mkdirSync(scratch, { recursive: true });
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sqlite"))) {
    for (const end of ["", "-wal"]) {
      if (existsSync(join(folder, file + end))) {
        copyFileSync(join(folder, file + end), join(scratch, file + end));
      }
    }
    const db = new DatabaseSync(join(scratch, file));
    look(db);
    db.close();
  }
  rmSync(scratch, { recursive: true, force: true });
}

/**
 * The rows of a statement on one table; none if the table does not exist, since its feature has no row.
 * @param {DatabaseSync} db @param {string} select
 */
export function allOf(db, select) {
  const table = /FROM (\w+)/.exec(select)?.[1] ?? "";
  const found = db.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").all(table);
  return found.length === 0 ? [] : db.prepare(select).all();
}

/** Checks the database and returns the id of its tenant; null: it has no tenant. */
export function tenantOf(/** @type {DatabaseSync} */ db) {
  const [profile] = allOf(db, "SELECT id FROM tenant");
  if (profile === undefined) return null;
  const sound = db.prepare("PRAGMA integrity_check").all();
  assert.deepEqual(sound.map(Object.values), [["ok"]]);
  assert.deepEqual(allOf(db, "SELECT * FROM violations"), [], `${String(profile.id)}: violations`);
  return String(profile.id);
}

/** The rows of every tenant. */
export function readRows(/** @type {string} */ stateDir, /** @type {string} */ scratch) {
  /** @type {Map<string, Rows>} */
  const tenants = new Map();
  eachDatabase(join(stateDir, NAMESPACE), scratch, (db) => {
    const id = tenantOf(db);
    if (id === null) return;
    const journal = allOf(db, "SELECT * FROM journal ORDER BY id");
    tenants.set(id, {
      journal,
      periods: allOf(db, "SELECT * FROM periods"),
      verdicts: allOf(db, "SELECT id, call_id, decision, body FROM verdicts"),
      pending: journal.filter(({ outcome }) => outcome === "pending").length,
    });
  });
  return tenants;
}

const charged = (row) => row.quota + row.granted + row.overage;

export class RowsAudit {
  /** Ended lines by id, as they were first seen. @type {Map<string, string>} */
  #ended = new Map();
  /** The number of checks, for the report. */
  counts = { audits: 0, lines: 0, ended: { posted: 0, voided: 0, expired: 0 } };

  /** @param {Map<string, Rows>} tenants @param {readonly import("./load.mjs").Call[]} calls */
  check(tenants, calls) {
    this.counts.audits += 1;
    const byTenant = Map.groupBy(calls, ({ tenant }) => tenant);
    for (const [tenant, rows] of tenants) {
      for (const row of rows.journal) this.#line(tenant, row);
      days(tenant, rows);
      rates(tenant, rows.journal);
      clients(tenant, rows, byTenant.get(tenant) ?? []);
    }
    const all = [...tenants.values()].flatMap(({ journal }) => journal);
    this.counts.lines = all.length;
    for (const outcome of Object.keys(this.counts.ended)) {
      this.counts.ended[outcome] = all.filter((row) => row.outcome === outcome).length;
    }
  }

  /** Checks one row: its charge follows from its outcome and never changes again. */
  #line(tenant, row) {
    const at = `${tenant} ${row.id} (${row.user_id})`;
    assert.equal(row.day, Math.floor(row.admitted_at_ms / DAY_MS), `${at}: in another day`);
    if (row.outcome === "pending") return;
    const ofItems = JSON.parse(row.items).reduce((sum, item) => sum + item[AMOUNT], 0);
    assert.equal(charged(row), ofItems, `${at}: items do not add up`);
    assert.ok(charged(row) <= row.held, `${at}: charged above its hold`);
    if (row.outcome === "expired") assert.equal(charged(row), row.held, `${at}: expired for less`);
    if (row.outcome === "voided") assert.equal(charged(row), 0, `${at}: voided and charged`);
    // A late settle adds the verdict to an expired line; nothing else may change.
    const { verdict_id: _, ...fixed } = row;
    const now = JSON.stringify(fixed);
    const before = this.#ended.get(row.id);
    if (before !== undefined) assert.equal(now, before, `${at}: a line changed`);
    this.#ended.set(row.id, now);
  }
}

/** Checks that a day's lines add up to `posted`, and that lines and holds stay within the limit. */
function days(tenant, { journal, periods }) {
  const { plan, daily_neurons: daily } = TENANTS[tenant];
  const limit = dayLimit(tenant);
  const posted = new Map(periods.map((period) => [period.day, period]));
  for (const [day, rows] of Map.groupBy(journal, (row) => row.day)) {
    const at = `${tenant}, day ${day}`;
    const sum = rows.reduce((total, row) => total + charged(row), 0);
    const period = posted.get(day);
    assert.equal(period?.posted ?? 0, sum, `${at}: lines do not add up to posted`);
    for (const drawn of ["quota", "granted", "overage"]) {
      const ofLines = rows.reduce((total, row) => total + row[drawn], 0);
      assert.equal(period?.[drawn] ?? 0, ofLines, `${at}: ${drawn} does not add up`);
    }
    const held = rows
      .filter(({ outcome }) => outcome === "pending")
      .reduce((total, row) => total + row.held, 0);
    if (limit !== null) assert.ok(sum + held <= limit, `${at}: ${sum} + ${held} above ${limit}`);
    if (plan === "free") assert.equal(period?.overage ?? 0, 0, `${at}: overage on the free plan`);
    else assert.equal(period?.quota ?? 0, Math.min(sum, daily * 1_000_000), `${at}: overage early`);
  }
  for (const { day } of periods) {
    const lines = journal.some((row) => row.day === day);
    if (!lines) assert.equal(posted.get(day).posted, 0, `${tenant}: day ${day} has no lines`);
  }
}

/** Checks that no rolling minute has more calls than the tenant's rate of requests. */
function rates(tenant, journal) {
  const limit = TENANTS[tenant].rpm.requests;
  const times = journal.map((row) => row.admitted_at_ms).toSorted((a, b) => a - b);
  for (let last = limit; last < times.length; last += 1) {
    const span = times[last] - times[last - limit];
    assert.ok(span >= WINDOW_MS, `${tenant}: ${limit + 1} admitted in ${span} ms`);
  }
}

/**
 * A generation may be answered before its settlement is confirmed; its hold is durable by then. The reply
 * states the cost, and a lost settlement is charged the hold.
 */
function generated(at, own, seen) {
  const [line] = own.filter(({ outcome }) => outcome !== "voided");
  assert.ok(line ?? own[0], `${at}: succeeded and is not in the journal`);
  if (seen.charged === null) return;
  const posted = line === undefined ? 0 : line.outcome === "posted" ? charged(line) : line.held;
  if (seen.streamed) assert.ok(seen.charged <= posted, `${at}: charged less than the reply said`);
  else assert.equal(posted, seen.charged, `${at}: not charged what the reply said`);
}

/** Checks that each call that a client saw admitted has one line, and that a refused call has none. */
function clients(tenant, { journal, verdicts }, calls) {
  const lines = Map.groupBy(journal, (row) => row.user_id);
  const stored = new Map(verdicts.map((verdict) => [verdict.id, verdict]));
  const names = new Set(calls.map(({ name }) => name));
  for (const name of lines.keys()) assert.ok(names.has(name), `${tenant}: a line of nobody's`);
  for (const call of calls) {
    const at = `${tenant} ${call.name}`;
    const own = lines.get(call.name) ?? [];
    const paid = own.filter(({ outcome }) => outcome !== "voided");
    assert.ok(paid.length <= 1, `${at}: charged ${paid.length} times`);
    if (!call.keyed) assert.ok(own.length <= call.seen.length, `${at}: more lines than calls`);
    const statuses = new Set(call.seen.map(({ status }) => status));
    // A call with refusals only has no line, except a voided one: its admission was lost, and its key had
    // ended when it was repeated.
    const only = (...some) => statuses.size > 0 && statuses.isSubsetOf(new Set(some));
    if (only(429)) assert.equal(own.length, 0, `${at}: refused, and has a line`);
    if (only(401, 429)) assert.equal(paid.length, 0, `${at}: refused, and held or charged`);
    const ran = own.some(({ outcome }) => outcome === "posted");
    if (only(503)) assert.ok(!ran, `${at}: unavailable, and it ran`);
    for (const seen of call.seen.filter(({ status }) => status === 200)) {
      if (seen.streamed !== null) generated(at, own, seen);
      for (const { id, decision } of seen.verdicts) {
        const verdict = stored.get(id);
        assert.ok(verdict, `${at}: ${id} was returned and is not stored`);
        assert.equal(verdict.decision, decision, `${at}: ${id} is another decision`);
        const line = own.find((row) => row.id === verdict.call_id);
        assert.ok(line, `${at}: succeeded and is not in the journal`);
        assert.notEqual(line.outcome, "pending", `${at}: succeeded and is still pending`);
        assert.equal(charged(line), seen.charged, `${at}: not charged what the reply said`);
        if (seen.lineId !== null) assert.equal(line.id, seen.lineId, `${at}: another line`);
      }
    }
    const answers = new Set(
      call.seen.flatMap((seen) =>
        seen.status === 200 ? [seen.verdicts.map((v) => v.id).join()] : [],
      ),
    );
    assert.ok(answers.size <= 1, `${at}: repeats were answered with different verdicts`);
  }
}
