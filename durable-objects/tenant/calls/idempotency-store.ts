import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";

/** How long a key is remembered. */
const KEPT_MS = 86_400_000;

export interface Remembered {
  /** SHA-256 of the body, hex: the same key with another body is refused. */
  readonly fingerprint: string;
  /** The call (`jnl_…`) or the thing (`key_…`) that the first request made. */
  readonly subject: string;
  readonly verdictIds: readonly string[];
}

type RememberedRow = {
  fingerprint: string;
  subject: string;
  verdict_ids: string;
  created_at_ms: number;
};

/** Idempotency keys, per route. */
export class IdempotencyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(route: string, key: string, nowMs: number): Remembered | null {
    const day = dayOf(nowMs);
    const rows = this.#db.run<RememberedRow>(
      `SELECT fingerprint, subject, verdict_ids, created_at_ms FROM idempotency
        WHERE day IN (?, ?) AND route = ? AND key = ? AND created_at_ms > ? LIMIT 1`,
      day,
      day - 1,
      route,
      key,
      nowMs - KEPT_MS,
    );
    const [row] = rows;
    if (row === undefined) return null;
    return {
      fingerprint: row.fingerprint,
      subject: row.subject,
      verdictIds: JSON.parse(row.verdict_ids) as string[],
    };
  }

  remember(
    scope: { readonly route: string; readonly key: string; readonly nowMs: number },
    remembered: Remembered,
  ): void {
    this.#db.run(
      `INSERT OR REPLACE INTO idempotency
        (day, route, key, fingerprint, subject, verdict_ids, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      dayOf(scope.nowMs),
      scope.route,
      scope.key,
      remembered.fingerprint,
      remembered.subject,
      JSON.stringify(remembered.verdictIds),
      scope.nowMs,
    );
  }

  /** A call that charged nothing and left no verdict leaves no record either. */
  forget(route: string, key: string, nowMs: number): void {
    const day = dayOf(nowMs);
    this.#db.run(
      "DELETE FROM idempotency WHERE day IN (?, ?) AND route = ? AND key = ?",
      day,
      day - 1,
      route,
      key,
    );
  }

  /** As `forget`, of the key that made a thing. It reads all keys of the route: for what is rare. */
  forgetSubject(route: string, subject: string, nowMs: number): void {
    const day = dayOf(nowMs);
    this.#db.run(
      "DELETE FROM idempotency WHERE day IN (?, ?) AND route = ? AND subject = ?",
      day,
      day - 1,
      route,
      subject,
    );
  }

  /** The day of the oldest key; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>("SELECT day FROM idempotency ORDER BY day LIMIT 1");
    return row?.day ?? null;
  }

  /** Keys of days that are wholly older than 24 h. */
  purge(today: Day, limit: number): boolean {
    const rows = this.#db.run<{ day: number; route: string; key: string }>(
      "SELECT day, route, key FROM idempotency WHERE day < ? LIMIT ?",
      today - 1,
      limit,
    );
    for (const { day, route, key } of rows) {
      this.#db.run(
        "DELETE FROM idempotency WHERE day = ? AND route = ? AND key = ?",
        day,
        route,
        key,
      );
    }
    return rows.length === limit;
  }
}
