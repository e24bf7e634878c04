import type { EventType } from "../../src/domain/webhooks/event.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import type { Database } from "../database.ts";

/** Events that are recorded once a day: whether they were, on a day. */
export class DailyNoticeStore {
  readonly #db: Database;
  /** Looked up before: `<day> <type>`. Only the days in use, so a handful. */
  readonly #known = new Map<string, boolean>();

  constructor(db: Database) {
    this.#db = db;
  }

  forget(): void {
    this.#known.clear();
  }

  has(day: Day, type: EventType): boolean {
    const key = `${day} ${type}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const statement = "SELECT 1 AS found FROM told WHERE day = ? AND type = ?";
    const found = this.#db.run(statement, day, type).length === 1;
    this.#known.set(key, found);
    return found;
  }

  add(day: Day, type: EventType): void {
    this.#db.run("INSERT OR IGNORE INTO told (day, type) VALUES (?, ?)", day, type);
    this.forget();
  }

  /** The first day with such an event; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>("SELECT day FROM told ORDER BY day LIMIT 1");
    return row?.day ?? null;
  }

  /** Nothing looks days up that are over. */
  purge(before: Day): void {
    this.#db.run("DELETE FROM told WHERE day < ?", before);
    this.forget();
  }
}
