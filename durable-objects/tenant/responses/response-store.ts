import type { Database } from "../../database.ts";

/** What is known of a kept response without its file. */
export interface ResponseRecord {
  /** `resp_` and a ULID. */
  readonly id: string;
  /** The response that it continues; null: it began a conversation. */
  readonly previousId: string | null;
  readonly userId: string | null;
  readonly createdAtMs: number;
  /** When it was made, or later used as a parent. */
  readonly usedAtMs: number;
  /** The size of its file. */
  readonly bytes: number;
}

type ResponseRow = {
  id: string;
  previous_id: string | null;
  user_id: string | null;
  created_at_ms: number;
  used_at_ms: number;
  bytes: number;
};

/** Rows that one page of a search for a person looks at: they have no index by person. */
const SCAN = 1000;

export class ResponseStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** A repeat changes nothing. */
  insert(response: ResponseRecord): void {
    this.#db.run(
      `INSERT INTO responses (id, previous_id, user_id, created_at_ms, used_at_ms, bytes)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      response.id,
      response.previousId,
      response.userId,
      response.createdAtMs,
      response.usedAtMs,
      response.bytes,
    );
  }

  /** Null: there is none, or it was last used before `sinceMs`. */
  read(id: string, sinceMs: number): ResponseRecord | null {
    const [row] = this.#db.run<ResponseRow>(
      "SELECT * FROM responses WHERE id = ? AND used_at_ms >= ?",
      id,
      sinceMs,
    );
    return row === undefined ? null : toRecord(row);
  }

  use(id: string, atMs: number): void {
    this.#db.run("UPDATE responses SET used_at_ms = ? WHERE id = ?", atMs, id);
  }

  /** Of a person, among the next rows. */
  ofPerson(
    person: string,
    after: string,
  ): { readonly responses: readonly ResponseRecord[]; readonly next: string | null } {
    const rows = this.#db.run<ResponseRow>(
      "SELECT * FROM responses WHERE id > ? ORDER BY id LIMIT ?",
      after,
      SCAN,
    );
    const found = rows.filter(({ user_id }) => user_id === person);
    const next = rows.length < SCAN ? null : (rows.at(-1)?.id ?? null);
    return { responses: found.map(toRecord), next };
  }

  /** Its file is to be erased at that time, or again. */
  delete(id: string, eraseAtMs: number): void {
    this.#db.run("DELETE FROM responses WHERE id = ?", id);
    this.#db.run(
      "INSERT OR REPLACE INTO response_files (id, erase_at_ms) VALUES (?, ?)",
      id,
      eraseAtMs,
    );
  }

  /** Its file is gone, and no write to it is under way. */
  forget(id: string): void {
    this.#db.run("DELETE FROM responses WHERE id = ?", id);
    this.#db.run("DELETE FROM response_files WHERE id = ?", id);
  }

  /** When the one that was not used for the longest was used; null: there is none. */
  oldestMs(): number | null {
    const oldest = "SELECT MIN(used_at_ms) AS at FROM responses";
    return this.#db.run<{ at: number | null }>(oldest)[0]?.at ?? null;
  }

  /** Last used before a time, the oldest first. */
  listUsedBefore(beforeMs: number, limit: number): string[] {
    return this.#db
      .run<{ id: string }>(
        "SELECT id FROM responses WHERE used_at_ms < ? ORDER BY used_at_ms LIMIT ?",
        beforeMs,
        limit,
      )
      .map(({ id }) => id);
  }

  /** When the first file of a deleted response is to be erased; null: there is none. */
  fileDueMs(): number | null {
    const first = "SELECT MIN(erase_at_ms) AS at FROM response_files";
    return this.#db.run<{ at: number | null }>(first)[0]?.at ?? null;
  }

  /** Deleted responses whose files are due, in any order. */
  listDueFiles(nowMs: number, limit: number): string[] {
    return this.#db
      .run<{ id: string }>(
        "SELECT id FROM response_files WHERE erase_at_ms <= ? LIMIT ?",
        nowMs,
        limit,
      )
      .map(({ id }) => id);
  }
}

const toRecord = (row: ResponseRow): ResponseRecord => ({
  id: row.id,
  previousId: row.previous_id,
  userId: row.user_id,
  createdAtMs: row.created_at_ms,
  usedAtMs: row.used_at_ms,
  bytes: row.bytes,
});
