import type { Day } from "../../../src/domain/ledger/period.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { ADJUSTMENTS } from "./adjustment-schema.ts";
import { LEDGER } from "./ledger-schema.ts";

/** Of the ended lines of a day. */
export interface LineSum {
  readonly day: Day;
  readonly lines: number;
  /** µN, before adjustments. */
  readonly posted: number;
  /** Lines of which an engine used more than was held. */
  readonly brokenBounds: number;
}

/** Sums of the journal, of a bounded number of rows each. */
export class LineSumStore {
  readonly #db: FeatureDatabase;
  readonly #adjustments: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(LEDGER);
    this.#adjustments = db.of(ADJUSTMENTS);
  }

  /** Ended lines of a range of ids, by day. Reads `limit` rows, and not what they were charged for. */
  sumLinesAfter(
    afterId: string,
    beforeId: string,
    limit: number,
  ): {
    readonly rows: number;
    /** Null: there was none. */
    readonly lastId: string | null;
    readonly sums: readonly LineSum[];
  } {
    const found = this.#db.run<{
      day: number;
      count: number;
      last_id: string;
      lines: number;
      posted: number;
      broken: number;
    }>(
      `SELECT day, COUNT(*) AS count, MAX(id) AS last_id, SUM(outcome <> 'pending') AS lines,
        SUM(quota + granted + overage) AS posted, SUM(overrun > 0) AS broken
        FROM (SELECT id, day, outcome, quota, granted, overage, overrun FROM journal
          WHERE id > ? AND id < ? ORDER BY id LIMIT ?) GROUP BY day`,
      afterId,
      beforeId,
      limit,
    );
    return {
      rows: found.reduce((rows, { count }) => rows + count, 0),
      lastId: found.reduce<string | null>(
        (last, { last_id }) => (last === null || last_id > last ? last_id : last),
        null,
      ),
      sums: found.map(({ day, lines, posted: amount, broken }) => ({
        day,
        lines,
        posted: amount,
        brokenBounds: broken,
      })),
    };
  }

  /** µN that were given back on the lines of a day. */
  adjustedOn(day: Day): number {
    const [row] = this.#adjustments.run<{ amount: number }>(
      "SELECT IFNULL(SUM(amount), 0) AS amount FROM adjustments WHERE day = ?",
      day,
    );
    return row?.amount ?? 0;
  }
}
