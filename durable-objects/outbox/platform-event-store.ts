import type { EventType } from "../../src/domain/webhooks/event.ts";
import type { Database } from "../database.ts";

/** An event that the platform's endpoints may want as well. */
export interface PlatformEvent {
  /** In the order in which they were recorded. */
  readonly id: number;
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
}

export const REPORTS_TABLE = `CREATE TABLE reports (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT`;

/**
 * Events of a tenant that the platform may have subscribed to: they wait here until its object has them,
 * which the alarm sees to. They are few: each is told once a day at most, or ends an endpoint.
 */
export class PlatformEventStore {
  readonly #db: Database;
  #waiting: boolean | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#waiting = undefined;
  }

  get isWaiting(): boolean {
    this.#waiting ??= this.list(1).length === 1;
    return this.#waiting;
  }

  add(type: EventType, data: PlatformEvent["data"]): void {
    this.#db.run("INSERT INTO reports (type, data) VALUES (?, ?)", type, JSON.stringify(data));
    this.forget();
  }

  list(limit: number): PlatformEvent[] {
    return this.#db
      .run<{ id: number; type: EventType; data: string }>(
        "SELECT * FROM reports ORDER BY id LIMIT ?",
        limit,
      )
      .map(({ id, type, data }) => ({ id, type, data: JSON.parse(data) as PlatformEvent["data"] }));
  }

  /** They were handed over. */
  removeUpTo(id: number): void {
    this.#db.run("DELETE FROM reports WHERE id <= ?", id);
    this.forget();
  }
}
