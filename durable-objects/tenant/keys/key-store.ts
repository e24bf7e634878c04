import type { Key } from "../../../src/domain/tenant/key.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
import type { Database } from "../../database.ts";

// Keys of a tenant. Only a hash of the secret is kept.

type KeyRow = {
  id: string;
  name: string | null;
  role: Role;
  prefix: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  last_used_day: number | null;
};

const COLUMNS = "id, name, role, prefix, created_at_ms, expires_at_ms, last_used_day";

export class KeyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The key with that secret, if it has neither ended nor expired. */
  find(secretHash: string, nowMs: number): Key | null {
    return this.#one(
      `SELECT ${COLUMNS} FROM keys WHERE secret_hash = ? AND ended = 0
        AND (expires_at_ms IS NULL OR expires_at_ms > ?)`,
      secretHash,
      nowMs,
    );
  }

  /** Whether that was a key once, and never will be again. */
  hasEnded(secretHash: string, nowMs: number): boolean {
    const found = this.#db.run(
      "SELECT 1 FROM keys WHERE secret_hash = ? AND (ended = 1 OR expires_at_ms <= ?)",
      secretHash,
      nowMs,
    );
    return found.length > 0;
  }

  read(id: string, nowMs: number): Key | null {
    return this.#one(
      `SELECT ${COLUMNS} FROM keys WHERE id = ? AND ended = 0
        AND (expires_at_ms IS NULL OR expires_at_ms > ?)`,
      id,
      nowMs,
    );
  }

  /** Newest first; ended keys are gone from the list, expired ones are not. */
  list(before: string, limit: number): Key[] {
    return this.#db
      .run<KeyRow>(
        `SELECT ${COLUMNS} FROM keys WHERE ended = 0 AND id < ? ORDER BY id DESC LIMIT ?`,
        before,
        limit + 1,
      )
      .map(toKey);
  }

  /** Those that still open something: what a rotation left behind does not count for ever. */
  count(nowMs: number): number {
    const row = this.#db.run<{ n: number }>(
      `SELECT COUNT(*) AS n FROM keys WHERE ended = 0
        AND (expires_at_ms IS NULL OR expires_at_ms > ?)`,
      nowMs,
    )[0];
    return row?.n ?? 0;
  }

  /** The first key of its rotations: what one of them made is the others' too. */
  lineageOf(id: string): string {
    const [row] = this.#db.run<{ lineage: string | null }>(
      "SELECT lineage FROM keys WHERE id = ?",
      id,
    );
    return row?.lineage ?? id;
  }

  /** @param lineage null: it is the first of its rotations */
  insert(key: Key, secretHash: string, lineage: string | null = null): void {
    this.#db.run(
      `INSERT INTO keys (id, secret_hash, name, role, prefix, created_at_ms, expires_at_ms, lineage)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      key.id,
      secretHash,
      key.name,
      key.role,
      key.prefix,
      key.createdAtMs,
      key.expiresAtMs,
      lineage,
    );
  }

  expireAt(id: string, expiresAtMs: number): void {
    this.#db.run("UPDATE keys SET expires_at_ms = ? WHERE id = ?", expiresAtMs, id);
  }

  /**
   * From the next call on it opens nothing. The row stays: reviews and lines name its id.
   *
   * @returns whether there was such a key, expired or not, that had not been ended
   */
  end(id: string): boolean {
    const statement = "UPDATE keys SET ended = 1 WHERE id = ? AND ended = 0 RETURNING id";
    return this.#db.run(statement, id).length === 1;
  }

  endAll(): void {
    this.#db.run("UPDATE keys SET ended = 1");
  }

  markUsed(id: string, day: Day): void {
    this.#db.run("UPDATE keys SET last_used_day = ? WHERE id = ?", day, id);
  }

  #one(statement: string, ...values: (string | number)[]): Key | null {
    const row = this.#db.run<KeyRow>(statement, ...values)[0];
    return row === undefined ? null : toKey(row);
  }
}

const toKey = (row: KeyRow): Key => ({
  id: row.id,
  name: row.name,
  role: row.role,
  prefix: row.prefix,
  createdAtMs: row.created_at_ms,
  expiresAtMs: row.expires_at_ms,
  lastUsedDay: row.last_used_day,
});
