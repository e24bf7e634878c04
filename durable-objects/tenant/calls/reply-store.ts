import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";
import type { StoredReply } from "../protocol.ts";

type ReplyRow = { content_type: string; body: ArrayBuffer };

/** Names a call's reply: by its day first, so that what is older than 24 h is purged as a range. */
type CallOfDay = Pick<JournalLine, "callId" | "day">;

/** Replies of generations whose callers named their request, kept as long as the name. */
export class ReplyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  read({ callId, day }: CallOfDay): StoredReply | null {
    const [row] = this.#db.run<ReplyRow>(
      "SELECT content_type, body FROM replies WHERE day = ? AND call_id = ?",
      day,
      callId,
    );
    return row === undefined ? null : { contentType: row.content_type, body: row.body };
  }

  /** The first reply of a call holds. */
  insert({ callId, day }: CallOfDay, { contentType, body }: StoredReply): void {
    this.#db.run(
      "INSERT OR IGNORE INTO replies (day, call_id, content_type, body) VALUES (?, ?, ?, ?)",
      day,
      callId,
      contentType,
      body,
    );
  }

  /** Of the oldest reply; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>("SELECT day FROM replies ORDER BY day LIMIT 1");
    return row?.day ?? null;
  }

  /** Replies of days that are wholly older than 24 h; true when there are more. */
  purge(today: Day, limit: number): boolean {
    const rows = this.#db.run<{ day: number; call_id: string }>(
      "SELECT day, call_id FROM replies WHERE day < ? LIMIT ?",
      today - 1,
      limit,
    );
    for (const { day, call_id } of rows) {
      this.#db.run("DELETE FROM replies WHERE day = ? AND call_id = ?", day, call_id);
    }
    return rows.length === limit;
  }
}
