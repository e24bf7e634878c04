// The account's file filled with tenants while no server runs: each row as the product wrote the first.
// Their own objects do not exist: what is read of them is the account's to say.
import { DatabaseSync } from "node:sqlite";

export const nameOf = (/** @type {number} */ at) => `s-${String(at).padStart(6, "0")}`;

/** Every tenth has one. */
export const floorOf = (/** @type {string} */ tenant) => (tenant.endsWith("0") ? 60_000_000 : 0);

/** Copies of a row, each with some of its columns changed. */
function copy(db, table, where, changes) {
  const row = db.prepare(`SELECT * FROM ${table} WHERE ${where} LIMIT 1`).get();
  if (row === undefined) throw new Error(`nothing in ${table} to be copied`);
  const columns = Object.keys(row);
  const insert = db.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join(", ")})
      VALUES (${columns.map(() => "?").join(", ")})`,
  );
  for (const change of changes) {
    const made = { ...row, ...change };
    insert.run(...columns.map((name) => made[name]));
  }
}

/**
 * @param {string} file of an account that has a tenant with a share of a day
 * @param {{ count: number, day: number, spent: readonly number[] }} seeded so many tenants, of which the
 *   first have spent so much of that day, in micro-neurons
 */
export function seedAccount(file, { count, day, spent }) {
  const db = new DatabaseSync(file);
  const ids = Array.from({ length: count }, (_, at) => nameOf(at));
  const settings = { version: 1, life: 1, daily: 60_000_000 };
  db.exec("BEGIN");
  copy(
    db,
    "tenants",
    "state = 'active'",
    ids.map((id) => ({ id })),
  );
  copy(
    db,
    "promises",
    "version > 0",
    ids.map((tenant) => ({ ...settings, tenant, floor: floorOf(tenant) })),
  );
  copy(
    db,
    "pool_shares",
    "1",
    spent.map((amount, at) => ({
      tenant: nameOf(at),
      day,
      life: 1,
      granted: amount,
      spent: amount,
      pending: 0,
      answer: null,
    })),
  );
  db.exec("COMMIT");
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}
