import type { Session, SessionTerms } from "../../src/domain/session/session.ts";
import type { Database } from "../database.ts";

// A session and its messages: rows become domain values here.

/** A message in OpenAI's form, as it is stored: what is in it beyond this, only its readers know. */
export interface StoredMessage {
  readonly role: string;
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly tool_call_id?: string;
  readonly [field: string]: unknown;
}

export interface MessageRecord {
  /** Its place in the session, counted from 1 and never used twice. */
  readonly position: number;
  readonly turn: number;
  readonly callId: string;
  readonly message: StoredMessage;
  readonly createdAtMs: number;
}

type SessionRow = {
  id: string;
  tenant: string;
  user_id: string | null;
  system: string | null;
  model: string;
  ttl_s: number;
  max_turns: number;
  metadata: string;
  context: string | null;
  created_at_ms: number;
  last_message_at_ms: number | null;
  listed: number;
};

type MessageRow = {
  position: number;
  turn: number;
  call_id: string;
  message: string;
  created_at_ms: number;
};

export interface StoredSession extends Session {
  readonly listed: boolean;
}

export class SessionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Null: there is no session, and no table either. */
  read(): StoredSession | null {
    const tables = "SELECT 1 AS found FROM sqlite_master WHERE name = 'session'";
    if (this.#db.run(tables).length === 0) return null;
    const [row] = this.#db.run<SessionRow>("SELECT * FROM session");
    return row === undefined ? null : toSession(row);
  }

  insert(session: SessionTerms & Pick<Session, "id" | "tenant" | "createdAtMs">): void {
    this.#db.run(
      `INSERT INTO session (only_row, id, tenant, user_id, system, model, ttl_s, max_turns,
        metadata, context, created_at_ms) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      session.id,
      session.tenant,
      session.userId,
      session.system,
      session.model,
      session.ttlS,
      session.maxTurns,
      JSON.stringify(session.metadata),
      session.context,
      session.createdAtMs,
    );
  }

  markListed(): void {
    this.#db.run("UPDATE session SET listed = 1");
  }

  noteMessage(atMs: number): void {
    this.#db.run("UPDATE session SET last_message_at_ms = ?", atMs);
  }

  /** In order, after one of them. */
  list(after: number, limit: number): MessageRecord[] {
    return this.#db
      .run<MessageRow>(
        "SELECT * FROM messages WHERE position > ? ORDER BY position LIMIT ?",
        after,
        limit,
      )
      .map(toMessage);
  }

  /** Of the last message; null: there is none. */
  lastTurn(): number | null {
    const [row] = this.#db.run<{ turn: number }>(
      "SELECT turn FROM messages ORDER BY position DESC LIMIT 1",
    );
    return row?.turn ?? null;
  }

  insertMessage(message: Omit<MessageRecord, "position">): void {
    this.#db.run(
      `INSERT INTO messages (position, turn, call_id, message, created_at_ms)
        VALUES ((SELECT IFNULL(MAX(position), 0) + 1 FROM messages), ?, ?, ?, ?)`,
      message.turn,
      message.callId,
      JSON.stringify(message.message),
      message.createdAtMs,
    );
  }

  deleteTurnsBefore(turn: number): void {
    this.#db.run("DELETE FROM messages WHERE turn < ?", turn);
  }

  /** The bytes of each turn's messages, the oldest first. */
  turnSizes(): { readonly turn: number; readonly bytes: number }[] {
    return this.#db.run<{ turn: number; bytes: number }>(
      `SELECT turn, SUM(LENGTH(CAST(message AS BLOB))) AS bytes FROM messages
        GROUP BY turn ORDER BY turn`,
    );
  }
}

const toSession = (row: SessionRow): StoredSession => ({
  id: row.id,
  tenant: row.tenant,
  userId: row.user_id,
  system: row.system,
  model: row.model,
  ttlS: row.ttl_s,
  maxTurns: row.max_turns,
  metadata: JSON.parse(row.metadata) as Session["metadata"],
  context: row.context,
  createdAtMs: row.created_at_ms,
  lastMessageAtMs: row.last_message_at_ms,
  listed: row.listed === 1,
});

const toMessage = (row: MessageRow): MessageRecord => ({
  position: row.position,
  turn: row.turn,
  callId: row.call_id,
  message: JSON.parse(row.message) as StoredMessage,
  createdAtMs: row.created_at_ms,
});
