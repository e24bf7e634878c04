import type { Database } from "../../database.ts";

/**
 * Verdicts of which pictures may lie in the bucket that no row of `contents` names: written down
 * before the first of them can be there, so that a call that dies leaves nothing for ever.
 */
export class ContentFileStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  expect(verdictId: string, eraseAtMs: number): void {
    this.#db.run(
      "INSERT OR REPLACE INTO content_files (verdict_id, erase_at_ms) VALUES (?, ?)",
      verdictId,
      eraseAtMs,
    );
  }

  /** Its pictures are named by `contents`, or gone. */
  remove(verdictId: string): void {
    this.#db.run("DELETE FROM content_files WHERE verdict_id = ?", verdictId);
  }

  /** Those that are due, in any order. */
  listDue(nowMs: number, limit: number): string[] {
    return this.#db
      .run<{ verdict_id: string }>(
        "SELECT verdict_id FROM content_files WHERE erase_at_ms <= ? LIMIT ?",
        nowMs,
        limit,
      )
      .map(({ verdict_id }) => verdict_id);
  }

  /** When the first is due; null: none is. As many rows as there are calls in progress. */
  dueMs(): number | null {
    const [row] = this.#db.run<{ due: number | null }>(
      "SELECT MIN(erase_at_ms) AS due FROM content_files",
    );
    return row?.due ?? null;
  }
}
