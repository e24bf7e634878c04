import type { Day } from "../domain/ledger/period.ts";
import type { GroupKey } from "../domain/usage/usage-report.ts";
import { invalid, type InvalidRequest } from "../http/field-errors.ts";

// The range of one usage report.

const DAY_MS = 86_400_000;

/** Days of one report. */
const MAX_DAYS = 400;

/** Days of a report whose rows are of hours, users or keys, of which a day has many. */
const MAX_FINE_DAYS = 31;

const FINE: readonly GroupKey[] = ["hour", "user", "key"];

export interface RangeQuery {
  readonly from?: Day | undefined;
  readonly to?: Day | undefined;
  readonly group_by: readonly GroupKey[];
}

export interface Range {
  readonly kind: "range";
  readonly from: Day;
  /** Included. */
  readonly to: Day;
  readonly groupBy: readonly GroupKey[];
}

/** The range of a query; today by default. */
export function rangeOf(query: RangeQuery, nowMs: number): Range | InvalidRequest {
  const { group_by: groupBy } = query;
  const today = Math.floor(nowMs / DAY_MS);
  const to = query.to ?? Math.max(today, query.from ?? today);
  const from = query.from ?? Math.min(today, to);
  const isFine = FINE.some((key) => groupBy.includes(key));
  const days = isFine ? MAX_FINE_DAYS : MAX_DAYS;
  if (from > to || to - from >= days) {
    return invalid(["from"], `must be a day at most ${days - 1} days before to`);
  }
  const ofDays = groupBy.find((key) => key === "user" || key === "key");
  if (ofDays !== undefined && groupBy.includes("hour")) {
    return invalid(["group_by"], `has no hour of a ${ofDays}: users and keys have days`);
  }
  return { kind: "range", from, to, groupBy };
}
