import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database, FeatureDatabase, StagedDatabase } from "../../database.ts";
import type { StoredReply } from "../protocol.ts";
import { QUOTED_DOCUMENTS, REPLIES } from "./call-schema.ts";

type ReplyRow = { content_type: string; body: ArrayBuffer };

/** Names a call's reply: by its day first, so that what is older than 24 h is purged as a range. */
type CallOfDay = Pick<JournalLine, "callId" | "day">;

/** Replies of generations whose callers named their request, kept as long as the name. */
export class ReplyStore {
  readonly #db: Database;
  readonly #quoted: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(REPLIES);
    this.#quoted = db.of(QUOTED_DOCUMENTS);
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
  insert({ callId, day }: CallOfDay, { contentType, body, quotes = [] }: StoredReply): void {
    this.#db.run(
      "INSERT OR IGNORE INTO replies (day, call_id, content_type, body) VALUES (?, ?, ?, ?)",
      day,
      callId,
      contentType,
      body,
    );
    for (const documentId of quotes) {
      this.#quoted.run(
        "INSERT OR IGNORE INTO quoted_documents (day, document_id, call_id) VALUES (?, ?, ?)",
        day,
        documentId,
        callId,
      );
    }
  }

  delete({ callId, day }: CallOfDay): void {
    this.#db.run("DELETE FROM replies WHERE day = ? AND call_id = ?", day, callId);
  }

  /** Those that may quote a document; the days that are there are few. */
  deleteQuoting(documentId: string): void {
    const [days] = this.#quoted.run<{ first: number | null; last: number | null }>(
      `SELECT (SELECT day FROM quoted_documents ORDER BY day LIMIT 1) AS first,
        (SELECT day FROM quoted_documents ORDER BY day DESC LIMIT 1) AS last`,
    );
    const { first, last } = days ?? { first: null, last: null };
    for (let day = first ?? 0; day <= (last ?? -1); day += 1) {
      const of = [day, documentId] as const;
      const found = this.#quoted.run<{ call_id: string }>(
        "SELECT call_id FROM quoted_documents WHERE day = ? AND document_id = ?",
        ...of,
      );
      for (const { call_id: callId } of found) this.delete({ day, callId });
      if (found.length === 0) continue;
      this.#quoted.run("DELETE FROM quoted_documents WHERE day = ? AND document_id = ?", ...of);
    }
  }

  /** Of the oldest row that says what a reply quotes: it can be there without its reply. */
  oldestQuotedDay(): Day | null {
    const [row] = this.#quoted.run<{ day: number }>(
      "SELECT day FROM quoted_documents ORDER BY day LIMIT 1",
    );
    return row?.day ?? null;
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
    for (const { day, call_id: callId } of rows) this.delete({ day, callId });
    return [rows.length === limit, this.#purgeQuoted(today, limit)].includes(true);
  }

  #purgeQuoted(today: Day, limit: number): boolean {
    const rows = this.#quoted.run<{ day: number; document_id: string; call_id: string }>(
      "SELECT day, document_id, call_id FROM quoted_documents WHERE day < ? LIMIT ?",
      today - 1,
      limit,
    );
    for (const { day, document_id: documentId, call_id: callId } of rows) {
      this.#quoted.run(
        "DELETE FROM quoted_documents WHERE day = ? AND document_id = ? AND call_id = ?",
        day,
        documentId,
        callId,
      );
    }
    return rows.length === limit;
  }
}
