import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Database } from "../../database.ts";

/** How many pictures each user has been given today, calls in progress included. */
export class UserPictureStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  count(day: Day, userId: string): number {
    const [row] = this.#db.run<{ count: number }>(
      "SELECT count FROM user_pictures WHERE day = ? AND user_id = ?",
      day,
      userId,
    );
    return row?.count ?? 0;
  }

  add(day: Day, userId: string, pictures: number): void {
    this.#db.run(
      `INSERT INTO user_pictures (day, user_id, count) VALUES (?, ?, ?)
        ON CONFLICT (day, user_id) DO UPDATE SET count = count + excluded.count`,
      day,
      userId,
      pictures,
    );
  }

  /** Of a day that is over, or a person who was erased, there may be less than what is given back. */
  giveBack(day: Day, userId: string, pictures: number): void {
    this.#db.run(
      "UPDATE user_pictures SET count = MAX(0, count - ?) WHERE day = ? AND user_id = ?",
      pictures,
      day,
      userId,
    );
  }

  /** Of the oldest count; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>(
      "SELECT day FROM user_pictures ORDER BY day LIMIT 1",
    );
    return row?.day ?? null;
  }

  /** Counts of days before this one; true when there are more. */
  purge(today: Day, limit: number): boolean {
    const rows = this.#db.run<{ day: number; user_id: string }>(
      "SELECT day, user_id FROM user_pictures WHERE day < ? LIMIT ?",
      today,
      limit,
    );
    for (const { day, user_id } of rows) {
      this.#db.run("DELETE FROM user_pictures WHERE day = ? AND user_id = ?", day, user_id);
    }
    return rows.length === limit;
  }
}
