import type { Rebuild } from "../../../src/domain/usage/rebuild.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { FEED } from "./feed-schema.ts";
import { LEDGER } from "../ledger/ledger-schema.ts";

/** How far a tenant's journal was folded into the rows of the reports. */
export interface FeedState {
  /** Grows with everything that is folded: a row with a higher one is newer. */
  readonly sequence: number;
  /** Every line before this id was folded, or is being walked; none is admitted before it any more. */
  readonly fromId: string;
  /** The last line of an older journal that was folded; null: there is none left. */
  readonly walkedId: string | null;
  /** The last line that was folded of those from `fromId` on, in the order in which they settled. */
  readonly settledAtMs: number;
  readonly settledId: string;
  /** Minutes before this one have all their refusals counted. */
  readonly refusalsFrom: number;
  /** Rows sent in an earlier epoch may be gone from the reports: a receipt for them counts for nothing. */
  readonly epoch: number;
  readonly rebuild: Rebuild | null;
}

type FeedRow = {
  sequence: number;
  from_id: string;
  walked_id: string | null;
  settled_at_ms: number;
  settled_id: string;
  refusals_from: number;
  epoch: number;
  rebuild: string | null;
};

export class FeedStore {
  readonly #db: FeatureDatabase;
  readonly #ledger: FeatureDatabase;
  /** Kept since admission asks for it; undefined: not read since the object started. */
  #state: FeedState | null | undefined;

  constructor(db: StagedDatabase) {
    this.#db = db.of(FEED);
    this.#ledger = db.of(LEDGER);
  }

  /** Drops what is kept in memory: a transaction was rolled back. */
  forget(): void {
    this.#state = undefined;
  }

  /** Null: nothing was folded yet. */
  read(): FeedState | null {
    if (this.#state !== undefined) return this.#state;
    const [row] = this.#db.run<FeedRow>("SELECT * FROM feed");
    this.#state = row === undefined ? null : toState(row);
    return this.#state;
  }

  /** The id of a call was drawn so long ago that its line could escape the fold. */
  isBefore(callId: string): boolean {
    const state = this.read();
    return state !== null && callId < state.fromId;
  }

  write(state: FeedState): void {
    this.#db.run(
      `INSERT OR REPLACE INTO feed (only_row, sequence, from_id, walked_id, settled_at_ms,
        settled_id, refusals_from, epoch, rebuild) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`,
      state.sequence,
      state.fromId,
      state.walkedId,
      state.settledAtMs,
      state.settledId,
      state.refusalsFrom,
      state.epoch,
      state.rebuild === null ? null : JSON.stringify(state.rebuild),
    );
    this.#state = state;
  }

  /** Whether a line of a day before that one is not folded yet, or still open. */
  isAnyLeft({ fromId, settledAtMs, settledId }: FeedState, before: Day): boolean {
    const found = this.#ledger.run(
      `SELECT 1 AS found FROM journal WHERE id >= ? AND day < ?
        AND (outcome = 'pending' OR (settled_at_ms, id) > (?, ?)) LIMIT 1`,
      fromId,
      before,
      settledAtMs,
      settledId,
    );
    return found.length > 0;
  }
}

const toState = (row: FeedRow): FeedState => ({
  sequence: row.sequence,
  fromId: row.from_id,
  walkedId: row.walked_id,
  settledAtMs: row.settled_at_ms,
  settledId: row.settled_id,
  refusalsFrom: row.refusals_from,
  epoch: row.epoch,
  rebuild: row.rebuild === null ? null : (JSON.parse(row.rebuild) as Rebuild),
});
