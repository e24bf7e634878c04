// Checks the rows of an account and its tenants, read from the files while no process has them open.
import assert from "node:assert/strict";
import { join } from "node:path";
import { allOf, eachDatabase, tenantOf } from "./rows.mjs";

const DAY_MS = 86_400_000;
export const WINDOW_MS = 60_000;

const amountOf = (line) =>
  line.outcome === "pending" ? line.held : line.quota + line.granted + line.overage;

/**
 * @typedef {object} PoolRows
 * @property {Map<string, { lines: any[], leases: any[] }>} tenants
 * @property {any[]} shares the account's row of each tenant's day
 * @property {{ tenant: string, kind: string, second: number, times: number }[]} asked messages that
 *   the account answered
 */

/** @returns {PoolRows} */
export function readPool(/** @type {string} */ stateDir, /** @type {string} */ scratch) {
  const tenants = new Map();
  eachDatabase(join(stateDir, "neurogate-Tenant"), scratch, (db) => {
    const id = tenantOf(db);
    if (id === null) return;
    const lines = allOf(db, "SELECT * FROM journal ORDER BY admitted_at_ms");
    tenants.set(id, { lines, leases: allOf(db, "SELECT * FROM leases") });
  });
  let shares = [];
  let asked = [];
  eachDatabase(join(stateDir, "neurogate-Account"), scratch, (db) => {
    // The folder also has the runtime's own database of alarms.
    if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'pool_shares'").all().length === 0) {
      return;
    }
    shares = db.prepare("SELECT * FROM pool_shares").all();
    asked = db.prepare("SELECT tenant, kind, second, times FROM harness_asked").all();
  });
  return { tenants, shares, asked };
}

/** The amounts held and charged on a day, by tenant, in µN. */
export const usedOf = ({ tenants }, day) =>
  new Map(
    [...tenants].map(([id, { lines }]) => [
      id,
      lines.filter((line) => line.day === day).reduce((sum, line) => sum + amountOf(line), 0),
    ]),
  );

export const total = (/** @type {Iterable<number>} */ amounts) =>
  [...amounts].reduce((sum, one) => sum + one, 0);

/** Checks that journals and leases stay within the pool, and each tenant within its own limit. */
export function checkNeurons(/** @type {PoolRows} */ rows, { day, size }) {
  const used = usedOf(rows, day);
  const admitted = total(used.values());
  assert.ok(admitted <= size, `${admitted} µN admitted of ${size}`);
  const shares = rows.shares.filter((share) => share.day === day);
  const claims = shares.map(({ granted, spent, pending }) => Math.max(granted, spent + pending));
  assert.ok(total(claims) <= size, `${total(claims)} µN leased of ${size}`);
  const grantedTo = new Map(shares.map(({ tenant, granted }) => [tenant, granted]));
  let allowances = 0;
  for (const [tenant, { leases }] of rows.tenants) {
    const allowance = leases.find((lease) => lease.day === day)?.granted ?? 0;
    const granted = grantedTo.get(tenant) ?? 0;
    const uses = used.get(tenant) ?? 0;
    assert.ok(allowance <= granted, `${tenant}: leases ${allowance} of ${granted} granted µN`);
    assert.ok(uses <= allowance, `${tenant}: uses ${uses} of ${allowance} leased µN`);
    allowances += allowance;
  }
  assert.ok(allowances <= size, `tenants lease ${allowances} µN of ${size}`);
  return { used, admitted };
}

/** The messages of some tenants, counted by kind. */
export function askedBy(/** @type {PoolRows} */ { asked }, isOne) {
  const counts = { granted: 0, refused: 0, reported: 0 };
  for (const { tenant, kind, times } of asked) if (isOne(tenant)) counts[kind] += times;
  return counts;
}

/** The largest number of messages that one of some tenants sent within a second. */
export function mostInASecond(/** @type {PoolRows} */ { asked }, isOne) {
  const counts = new Map();
  for (const { tenant, second, times } of asked) {
    const key = `${tenant}/${second}`;
    if (isOne(tenant)) counts.set(key, (counts.get(key) ?? 0) + times);
  }
  return Math.max(0, ...counts.values());
}

/** Checks that every call whose admission was confirmed is in the journal. */
export function checkConfirmed(/** @type {PoolRows} */ { tenants }, confirmed) {
  for (const [tenant, ids] of confirmed) {
    const lines = new Set(tenants.get(tenant)?.lines.map(({ id }) => id));
    for (const id of ids) assert.ok(lines.has(id), `${tenant}: ${id} was admitted and has no line`);
  }
}

/** The largest number of calls, of one unit each, that any rolling minute admitted. */
export function fullestMinute(/** @type {PoolRows} */ { tenants }) {
  const times = [...tenants.values()]
    .flatMap(({ lines }) => lines.map((line) => line.admitted_at_ms))
    .toSorted((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while (times[to] - times[from] >= WINDOW_MS) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** The calls of each whole minute between two moments, by tenant. */
export function perMinute(/** @type {PoolRows} */ { tenants }, fromMs, toMs) {
  const minutes = Math.floor((toMs - fromMs) / WINDOW_MS);
  return new Map(
    [...tenants].map(([id, { lines }]) => {
      const counts = Array.from({ length: minutes }, () => 0);
      for (const { admitted_at_ms: at } of lines) {
        const minute = Math.floor((at - fromMs) / WINDOW_MS);
        if (minute in counts) counts[minute] += 1;
      }
      return [id, counts];
    }),
  );
}

export const dayOf = (/** @type {number} */ ms) => Math.floor(ms / DAY_MS);
