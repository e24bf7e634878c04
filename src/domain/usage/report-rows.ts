import type { Day } from "../ledger/period.ts";
import type { LatencyHistogram } from "./latency-histogram.ts";
import type { VerdictCounts } from "../moderation/verdict-counts.ts";
import type { Decision } from "../moderation/verdict.ts";

// The rows of the platform's reports. A tenant's object folds them from its journal; each stands for
// one row of D1 (`migrations/`, columns in snake_case), which a row only ever replaces when its
// sequence is higher. `docs/reports.md` says what adds up to what. Amounts are µN.

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
export interface UsageHour extends Sequenced {
  readonly hour: Hour;
  readonly model: string;
  /** `unknown`: nothing is known of what ran, and it was charged at its bound. */
  readonly engine: string;
  readonly pricedAs: string;
  readonly task: string;
  readonly engineRequests: number;
  /** Stages that failed. */
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly units: Readonly<Record<string, number>>;
  /** Charged. Over all rows of an hour: what the lines of its calls charge, adjustments left out. */
  readonly microNeurons: number;
  /** Of it, by an estimator; at the bound. */
  readonly estimated: number;
  readonly held: number;
  /** Used beyond what was held: the platform's cost, not in `microNeurons`. */
  readonly overrun: number;
  /** Of `microNeurons`, by calls that settled on a later day than they were admitted. */
  readonly settledAfterMidnight: number;
  /** Of the calls that it was part of, from admission to settlement. */
  readonly latency: LatencyHistogram;
}

/** The calls of one hour: `call_hours`. */
export interface CallHour extends Sequenced {
  readonly hour: Hour;
  /** `posted + voided + expired`. */
  readonly calls: number;
  readonly posted: number;
  readonly voided: number;
  readonly expired: number;
  /** Of the posted ones, those of which a stage failed. */
  readonly failed: number;
  /** What was drawn, adjustments included: the journal's own amounts. */
  readonly quota: number;
  readonly granted: number;
  readonly overage: number;
  /** The overage by its rate, USD per 1,000 neurons, as the journal keeps it. */
  readonly overageByRate: Readonly<Record<string, number>>;
  /** Of the three, by adjustments: negative or 0. */
  readonly adjusted: number;
  /** Refused calls by kind. */
  readonly refused: Readonly<Record<string, number>>;
  /** What verdicts came to, by name (`verdict-counts.ts`). Rows of before they were counted have none. */
  readonly verdicts?: VerdictCounts;
  readonly latency: LatencyHistogram;
  readonly settledAfterMidnight: number;
}

/** A user's day: `user_days`. */
export interface UserDay extends Sequenced {
  readonly day: Day;
  /** The user's place within the day; 0: everybody beyond the first thousand. */
  readonly slot: number;
  /** Empty in slot 0, and once the person was erased. */
  readonly userId: string;
  readonly calls: number;
  readonly microNeurons: number;
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
  /** Allowed by a later review, or erased: the row is empty, and is not shown. */
  readonly removed: boolean;
  readonly expiresAtMs: number;
}

/** By what they stand for. */
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
