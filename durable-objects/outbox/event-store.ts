import {
  NO_EVENT,
  currentType,
  type EventType,
  type Happening,
  type RecordedEvent,
} from "../../src/domain/webhooks/event.ts";
import type { Decision } from "../../src/domain/moderation/verdict.ts";
import type { Database } from "../database.ts";
import { nextEventId } from "./event-id.ts";

export type EventRow = {
  id: string;
  type: EventType;
  created_at_ms: number;
  subject: string | null;
  decision: Decision | null;
  data: string | null;
};

/** Events in the order in which they were recorded. */
export class EventStore {
  readonly #db: Database;
  /** The latest id; undefined: not looked up. */
  #last: string | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#last = undefined;
  }

  /** The id of the latest event; before every id when there is none. */
  last(): string {
    this.#last ??=
      this.#db.run<{ id: string }>("SELECT id FROM events ORDER BY id DESC LIMIT 1")[0]?.id ??
      NO_EVENT;
    return this.#last;
  }

  insert(happening: Happening, nowMs: number): RecordedEvent {
    const id = nextEventId(this.last(), nowMs);
    const { type, subject, decision, data } = happening;
    this.#db.run(
      `INSERT INTO events (id, type, created_at_ms, subject, decision, data)
        VALUES (?, ?, ?, ?, ?, ?)`,
      id,
      type,
      nowMs,
      subject,
      decision,
      data === null ? null : JSON.stringify(data),
    );
    this.#last = id;
    return { ...happening, id, createdAtMs: nowMs };
  }

  read(id: string): RecordedEvent | null {
    const [row] = this.#db.run<EventRow>("SELECT * FROM events WHERE id = ?", id);
    return row === undefined ? null : toEvent(row);
  }

  /** Those after an id, oldest first. */
  listAfter(id: string, limit: number): RecordedEvent[] {
    return this.#db
      .run<EventRow>("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", id, limit)
      .map(toEvent);
  }

  /** The last ones, newest first, but none up to `id`. */
  listLatest(id: string, limit: number): RecordedEvent[] {
    return this.#db
      .run<EventRow>("SELECT * FROM events WHERE id > ? ORDER BY id DESC LIMIT ?", id, limit)
      .map(toEvent);
  }

  /** When the oldest was recorded; null: there is none. */
  oldestMs(): number | null {
    const oldest = "SELECT created_at_ms AS at FROM events ORDER BY id LIMIT 1";
    return this.#db.run<{ at: number }>(oldest)[0]?.at ?? null;
  }

  /** Deletes at most `limit` events recorded before `beforeMs`; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; created_at_ms: number }>(
        "SELECT id, created_at_ms FROM events ORDER BY id LIMIT ?",
        limit,
      )
      .filter((row) => row.created_at_ms < beforeMs);
    for (const { id } of old) this.#db.run("DELETE FROM events WHERE id = ?", id);
    // The latest id goes on from the clock when all are gone.
    if (old.length > 0) this.forget();
    return old.length === limit;
  }
}

export const toEvent = (row: EventRow): RecordedEvent => ({
  id: row.id,
  type: currentType(row.type),
  createdAtMs: row.created_at_ms,
  subject: row.subject,
  decision: row.decision,
  data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
});
