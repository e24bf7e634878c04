import { type Adjustment, amountOf } from "../../../src/domain/ledger/adjustment.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { AFTER_ALL_IDS } from "../../id-range.ts";
import { ADJUSTMENTS } from "./adjustment-schema.ts";
import { ARCHIVES } from "./archive-schema.ts";
import { decodeGrants, encodeGrants } from "./ledger-row.ts";

type AdjustmentRow = {
  id: string;
  adjusts: string;
  day: number;
  admitted_at_ms: number;
  made_at_ms: number;
  request_id: string;
  reason: string;
  amount: number;
  quota: number;
  granted: number;
  overage: number;
  overage_rate: string | null;
  price_book: string;
  grants: string | null;
};

export interface AdjustmentQuery {
  /** Those before this id, newest first. */
  readonly before: string | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly limit: number;
}

export class AdjustmentStore {
  readonly #db: FeatureDatabase;
  readonly #archives: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(ADJUSTMENTS);
    this.#archives = db.of(ARCHIVES);
  }

  read(id: string): Adjustment | null {
    const [row] = this.#db.run<AdjustmentRow>("SELECT * FROM adjustments WHERE id = ?", id);
    return row === undefined ? null : toAdjustment(row);
  }

  ofLine(day: Day, callId: string): Adjustment[] {
    return this.#db
      .run<AdjustmentRow>("SELECT * FROM adjustments WHERE day = ? AND adjusts = ?", day, callId)
      .map(toAdjustment);
  }

  /** Of the lines of these days, `from` included, `to` not. */
  ofDays(from: Day, to: Day): Adjustment[] {
    return this.#db
      .run<AdjustmentRow>(
        "SELECT * FROM adjustments WHERE day >= ? AND day < ? ORDER BY id",
        from,
        to,
      )
      .map(toAdjustment);
  }

  count(day: Day): number {
    const sql = "SELECT COUNT(*) AS count FROM adjustments WHERE day = ?";
    return this.#db.run<{ count: number }>(sql, day)[0]?.count ?? 0;
  }

  /** Newest first by id; one more than `limit` when there are more. */
  list(query: AdjustmentQuery): Adjustment[] {
    return this.#list(query, "TRUE");
  }

  /** Those of which the lines are in the object: the others stand in their days' files. */
  listBesideLines(query: AdjustmentQuery): Adjustment[] {
    if (!this.#archives.isThere) return this.list(query);
    const isArchived = "SELECT 1 FROM archives WHERE day = adjustments.day AND state = 'done'";
    return this.#list(query, `NOT EXISTS (${isArchived})`);
  }

  #list({ before, fromMs, toMs, limit }: AdjustmentQuery, condition: string): Adjustment[] {
    return this.#db
      .run<AdjustmentRow>(
        `SELECT * FROM adjustments WHERE id < ? AND made_at_ms >= ? AND made_at_ms < ?
          AND ${condition} ORDER BY id DESC LIMIT ?`,
        before ?? AFTER_ALL_IDS,
        fromMs ?? 0,
        toMs ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .map(toAdjustment);
  }

  insert(made: Adjustment): void {
    this.#db.run(
      `INSERT INTO adjustments (id, adjusts, day, admitted_at_ms, made_at_ms, request_id, reason,
        amount, quota, granted, overage, overage_rate, price_book, grants)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      made.id,
      made.adjusts,
      made.day,
      made.admittedAtMs,
      made.madeAtMs,
      made.requestId,
      made.reason,
      amountOf(made),
      made.givenBack.quota,
      made.givenBack.granted,
      made.givenBack.overage,
      made.overageUsdPer1000,
      made.priceBook,
      encodeGrants(made.grants),
    );
  }
}

const toAdjustment = (row: AdjustmentRow): Adjustment => ({
  id: row.id,
  adjusts: row.adjusts,
  day: row.day,
  admittedAtMs: row.admitted_at_ms,
  madeAtMs: row.made_at_ms,
  requestId: row.request_id,
  reason: row.reason,
  givenBack: {
    quota: microNeurons(row.quota),
    granted: microNeurons(row.granted),
    overage: microNeurons(row.overage),
  },
  grants: decodeGrants(row.grants),
  overageUsdPer1000: row.overage_rate,
  priceBook: row.price_book,
});
