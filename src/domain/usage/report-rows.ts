import type { ModelKey } from "../ledger/day-totals.ts";
import type { Day } from "../ledger/period.ts";
import type { Decision } from "../moderation/verdict.ts";
import type { CallSum, EngineSum, UserSum } from "./usage-sum.ts";

// The rows of the platform's reports. A tenant's object folds them from its journal. Each is one row
// of D1 (`migrations/`, columns in snake_case); a row replaces another only when its sequence is
// higher. `docs/reports.md` says what adds up to what. Amounts are µN.

const HOUR_MS = 3_600_000;

/** The number of an hour of UTC: `floor(utcMs / 3_600_000)`. A call belongs to that of its admission. */
export type Hour = number;

export const hourOf = (utcMs: number): Hour => Math.floor(utcMs / HOUR_MS);

export const startOfHour = (hour: Hour): number => hour * HOUR_MS;

/** The 24 hours of a day begin with this one. */
export const firstHourOf = (day: Day): Hour => day * 24;

export const dayOfHour = (hour: Hour): Day => Math.floor(hour / 24);

interface Sequenced {
  /** How much the tenant's object had folded when it last changed the row: a higher one is newer. */
  readonly sequence: number;
}

/** What ran, in one hour: `usage_hours`. */
export interface UsageHour extends ModelKey, EngineSum<number>, Sequenced {
  readonly hour: Hour;
}

/** Rows from before these were counted have none. */
type CountedLater = "verdicts" | "work";

/** The calls of one hour: `call_hours`. */
export interface CallHour
  extends
    Omit<CallSum<number>, CountedLater>,
    Partial<Pick<CallSum<number>, CountedLater>>,
    Sequenced {
  readonly hour: Hour;
}

/** A user's day: `user_days`. */
export interface UserDay extends UserSum<number>, Sequenced {
  readonly day: Day;
  /** The user's place within the day; 0: everybody beyond the first thousand. */
  readonly slot: number;
  /** Empty in slot 0, and once the person was erased. */
  readonly userId: string;
}

/** A verdict that does not allow: `moderation_log`. Without content. */
export interface LoggedVerdict extends Sequenced {
  readonly verdictId: string;
  readonly revision: number;
  readonly createdAtMs: number;
  readonly decision: Decision;
  readonly approved: boolean;
  readonly decidedBy: "policy" | "review";
  /** Of its reasons. */
  readonly categories: readonly string[];
  readonly userId: string | null;
  readonly contentId: string | null;
  readonly policy: string;
  readonly policyVersion: number;
  /** Allowed by a later review, or erased: the row is empty and is not shown. */
  readonly removed: boolean;
  readonly expiresAtMs: number;
}

/** By their kind. */
export interface ReportRows {
  readonly usage_hour: UsageHour;
  readonly call_hour: CallHour;
  readonly user_day: UserDay;
  readonly logged_verdict: LoggedVerdict;
}

export type ReportRowKind = keyof ReportRows;

export type ReportRow = {
  readonly [Kind in ReportRowKind]: { readonly kind: Kind; readonly row: ReportRows[Kind] };
}[ReportRowKind];

/** End users of a tenant who have a row of their own on a day. */
export const MOST_USERS_A_DAY = 1000;

// Rows as a tenant's object sends them to the reports.

/** A row, and how the object that sent it knows it. */
export type SentRow = ReportRow & { readonly key: string };

/** That row as it was at that sequence. */
export interface RowVersion {
  readonly kind: ReportRowKind;
  readonly key: string;
  readonly sequence: number;
}

export const versionOf = ({ kind, key, row }: SentRow): RowVersion => ({
  kind,
  key,
  sequence: row.sequence,
});

/** Queues take 128 KB with what they add of their own. */
const MOST_BYTES = 100_000;

/** Their keys go back in one call to the object. */
const MOST_ROWS = 200;

const encoder = new TextEncoder();

/** Rows cut into messages, in order. No row comes near the limit by itself. */
export function packRows(rows: readonly SentRow[]): readonly (readonly SentRow[])[] {
  const packed: SentRow[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = encoder.encode(JSON.stringify(row)).length + 1;
    const last = packed.at(-1);
    if (last === undefined || bytes + size > MOST_BYTES || last.length >= MOST_ROWS) {
      packed.push([row]);
      bytes = size;
    } else {
      last.push(row);
      bytes += size;
    }
  }
  return packed;
}
