import type { Day } from "../../../src/domain/ledger/period.ts";
import {
  addDrift,
  type CascadeDrift,
  NO_DRIFT,
} from "../../../src/domain/moderation/cascade-drift.ts";
import type { FeatureDatabase } from "../../database.ts";

/** The thresholds that a text was under: those of a policy, until they change. */
export interface DriftRules {
  readonly policyName: string;
  /** A hash of the thresholds. */
  readonly rules: number;
}

export interface DriftDay {
  readonly sums: CascadeDrift;
  /** What was reported of this day: kinds and categories of drift. */
  readonly reported: readonly string[];
}

const NOTHING: DriftDay = { sums: NO_DRIFT, reported: [] };

/** Sums over the sample of each day, by thresholds. */
export class DriftStore {
  readonly #db: FeatureDatabase;

  constructor(db: FeatureDatabase) {
    this.#db = db;
  }

  read({ policyName, rules }: DriftRules, day: Day): DriftDay {
    const [row] = this.#db.run<{ body: string }>(
      "SELECT body FROM cascade_drift WHERE policy_name = ? AND rules = ? AND day = ?",
      policyName,
      rules,
      day,
    );
    return row === undefined ? NOTHING : (JSON.parse(row.body) as DriftDay);
  }

  write({ policyName, rules }: DriftRules, day: Day, of: DriftDay): void {
    this.#db.run(
      "INSERT OR REPLACE INTO cascade_drift (policy_name, rules, day, body) VALUES (?, ?, ?, ?)",
      policyName,
      rules,
      day,
      JSON.stringify(of),
    );
  }

  /** Over all days from one on: a row for each. */
  since({ policyName, rules }: DriftRules, day: Day): CascadeDrift {
    return this.#db
      .run<{ body: string }>(
        "SELECT body FROM cascade_drift WHERE policy_name = ? AND rules = ? AND day >= ?",
        policyName,
        rules,
        day,
      )
      .map(({ body }) => (JSON.parse(body) as DriftDay).sums)
      .reduce(addDrift, NO_DRIFT);
  }

  /** Null: there is none. The table has a row a day and thresholds, for a month. */
  oldestDay(): Day | null {
    const [row] = this.#db.run<{ day: number | null }>("SELECT MIN(day) AS day FROM cascade_drift");
    return row?.day ?? null;
  }

  /** Deletes at most `limit` rows of days before this one; true when there may be more. */
  purge(before: Day, limit: number): boolean {
    const rows = this.#db.run<{ policy_name: string; rules: number; day: number }>(
      "SELECT policy_name, rules, day FROM cascade_drift WHERE day < ? LIMIT ?",
      before,
      limit,
    );
    for (const { policy_name, rules, day } of rows) {
      this.#db.run(
        "DELETE FROM cascade_drift WHERE policy_name = ? AND rules = ? AND day = ?",
        policy_name,
        rules,
        day,
      );
    }
    return rows.length === limit;
  }
}
