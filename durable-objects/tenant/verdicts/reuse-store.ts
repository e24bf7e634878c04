import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import type { Database } from "../../database.ts";
import { toVerdict, type VerdictRow } from "./verdict-row.ts";

/** What contents that are judged alike have in common: a version of a policy, and a key. */
export interface ReuseName {
  readonly policy: { readonly name: string; readonly version: number };
  readonly key: string;
}

const named = ({ policy, key }: ReuseName) => [policy.name, policy.version, key] as const;

const SAME = "r.policy_name = ? AND r.policy_version = ? AND r.key = ?";

/** Verdicts by the contents that they answer for, of today and yesterday. */
export class ReuseStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The newest that was made after a time; null: there is none, or a person has disputed one. */
  find(name: ReuseName, sinceMs: number, nowMs: number): Verdict | null {
    const today = dayOf(nowMs);
    if (this.#isDisputed(name, today)) return null;
    const [row] = this.#db.run<VerdictRow>(
      `SELECT v.* FROM reusable_verdicts AS r JOIN verdicts AS v ON v.id = r.verdict_id
        WHERE r.day IN (?, ?) AND ${SAME} AND v.created_at_ms > ? ORDER BY r.day DESC LIMIT 1`,
      today,
      today - 1,
      ...named(name),
      sinceMs,
    );
    return row === undefined ? null : toVerdict(row);
  }

  /** It answers from now on, unless a person has disputed what was said of such a content. */
  insert(name: ReuseName, { id, createdAtMs }: Verdict): void {
    const day = dayOf(createdAtMs);
    if (!this.#isDisputed(name, day)) this.#write(name, day, id);
  }

  /** No verdict of that name answers, or will, for a day at least. */
  dispute(name: ReuseName, nowMs: number): void {
    this.#write(name, dayOf(nowMs), null);
  }

  forget(name: ReuseName, { id, createdAtMs }: Verdict): void {
    this.#db.run(
      `DELETE FROM reusable_verdicts AS r WHERE r.day = ? AND ${SAME} AND r.verdict_id = ?`,
      dayOf(createdAtMs),
      ...named(name),
      id,
    );
  }

  /** Of the first row; null: there is none. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number }>(
      "SELECT day FROM reusable_verdicts ORDER BY day LIMIT 1",
    );
    return row?.day ?? null;
  }

  /** Days before yesterday, at most `limit` rows; true when there may be more. */
  purge(today: Day, limit: number): boolean {
    const rows = this.#db.run(
      `DELETE FROM reusable_verdicts WHERE (day, policy_name, policy_version, key) IN
        (SELECT day, policy_name, policy_version, key FROM reusable_verdicts WHERE day < ? LIMIT ?)
        RETURNING day`,
      today - 1,
      limit,
    );
    return rows.length === limit;
  }

  #isDisputed(name: ReuseName, today: Day): boolean {
    const rows = this.#db.run(
      `SELECT 1 AS found FROM reusable_verdicts AS r
        WHERE r.day IN (?, ?) AND ${SAME} AND r.verdict_id IS NULL LIMIT 1`,
      today,
      today - 1,
      ...named(name),
    );
    return rows.length > 0;
  }

  #write(name: ReuseName, day: Day, verdictId: string | null): void {
    this.#db.run(
      `INSERT OR REPLACE INTO reusable_verdicts
        (day, policy_name, policy_version, key, verdict_id) VALUES (?, ?, ?, ?, ?)`,
      day,
      ...named(name),
      verdictId,
    );
  }
}
