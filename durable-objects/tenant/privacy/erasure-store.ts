import type { ErasedCounts, Erasure, Place } from "../../../src/domain/tenant/erasure.ts";
import type { Database } from "../../database.ts";

/**
 * Something of a person that lies outside the object. `image_call`: the pictures of a call;
 * `document`: the files of a document; `vectors`: a set of vectors of one; `archive`: an archived day of
 * the journal, which may name them; `session`: a chat session, which is an object of its own. The last two
 * are rows of the platform's reports, which were emptied here and are so there once they arrived.
 */
export interface PersonalFile {
  readonly kind:
    | "image_call"
    | "content"
    | "response"
    | "document"
    | "vectors"
    | "archive"
    | "session"
    | "user_day"
    | "logged_verdict";
  /**
   * The id of the call (of a document: the one that made it), the session, response or verdict; the key of
   * the set of vectors; the number of the day; the key of the row.
   */
  readonly subject: string;
}

type ErasureRow = {
  id: string;
  person: string;
  user_id: string | null;
  place: string | null;
  again_at_ms: number | null;
  files_due_ms: number | null;
  counts: string;
  created_at_ms: number;
  finished_at_ms: number | null;
};

/** Erasures. Those that run are few, and kept in memory: each alarm reads them. */
export class ErasureStore {
  readonly #db: Database;
  #running: readonly Erasure[] | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#running = undefined;
  }

  /** Oldest first. */
  running(): readonly Erasure[] {
    this.#running ??= this.#db
      .run<ErasureRow>("SELECT * FROM erasures WHERE finished_at_ms IS NULL ORDER BY id")
      .map(toErasure);
    return this.#running;
  }

  read(id: string): Erasure | null {
    const [row] = this.#db.run<ErasureRow>("SELECT * FROM erasures WHERE id = ?", id);
    return row === undefined ? null : toErasure(row);
  }

  write(erasure: Erasure): void {
    this.#db.run(
      `INSERT OR REPLACE INTO erasures (id, person, user_id, place, again_at_ms, files_due_ms,
        counts, created_at_ms, finished_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      erasure.id,
      erasure.person,
      erasure.userId,
      erasure.place === null ? null : JSON.stringify(erasure.place),
      erasure.againAtMs,
      erasure.filesDueMs,
      JSON.stringify(erasure.counts),
      erasure.createdAtMs,
      erasure.finishedAtMs,
    );
    this.forget();
  }

  addFile(erasureId: string, { kind, subject }: PersonalFile): void {
    this.#db.run(
      "INSERT OR IGNORE INTO erasure_files (erasure_id, kind, subject) VALUES (?, ?, ?)",
      erasureId,
      kind,
      subject,
    );
  }

  listFiles(erasureId: string, limit: number): PersonalFile[] {
    return this.#db.run<{ kind: PersonalFile["kind"]; subject: string }>(
      "SELECT kind, subject FROM erasure_files WHERE erasure_id = ? LIMIT ?",
      erasureId,
      limit,
    );
  }

  removeFile(erasureId: string, { kind, subject }: PersonalFile): void {
    this.#db.run(
      "DELETE FROM erasure_files WHERE erasure_id = ? AND kind = ? AND subject = ?",
      erasureId,
      kind,
      subject,
    );
  }

  /** Of the oldest `limit` the first that ended; null: none has. */
  firstEndMs(limit: number): number | null {
    const [row] = this.#db.run<{ at: number | null }>(
      `SELECT MIN(finished_at_ms) AS at FROM (SELECT * FROM erasures ORDER BY id LIMIT ?)`,
      limit,
    );
    return row?.at ?? null;
  }

  /** Deletes at most `limit` that were done before `beforeMs`; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; finished_at_ms: number | null }>(
        "SELECT id, finished_at_ms FROM erasures ORDER BY id LIMIT ?",
        limit,
      )
      .filter((row) => row.finished_at_ms !== null && row.finished_at_ms < beforeMs);
    for (const { id } of old) this.#db.run("DELETE FROM erasures WHERE id = ?", id);
    return old.length === limit;
  }
}

const toErasure = (row: ErasureRow): Erasure => ({
  id: row.id,
  person: row.person,
  userId: row.user_id,
  place: row.place === null ? null : (JSON.parse(row.place) as Place),
  againAtMs: row.again_at_ms,
  filesDueMs: row.files_due_ms,
  counts: JSON.parse(row.counts) as ErasedCounts,
  createdAtMs: row.created_at_ms,
  finishedAtMs: row.finished_at_ms,
});
