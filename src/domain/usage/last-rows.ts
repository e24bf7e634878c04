import type { DayTotals } from "../ledger/day-totals.ts";
import type { Day } from "../ledger/period.ts";
import type { Drawn } from "../ledger/quota.ts";
import { firstHourOf, type ReportRow, type UsageHour } from "./report-rows.ts";
import { NO_CALLS } from "./usage-fold.ts";
import { emptySum, ENGINE_FIELDS } from "./usage-sum.ts";

// The rows that stay in the reports when a tenant is deleted: its days as the ledger added them up,
// without persons or content. Each is a row of the first hour of its day.

const NO_ENGINES = emptySum(ENGINE_FIELDS, 0);

export interface ClosedDay {
  readonly day: Day;
  readonly drawn: Drawn;
  readonly totals: DayTotals;
}

/** @param sequence of the rows; it must be so high that no other row replaces them */
export function lastRowsOf({ day, drawn, totals }: ClosedDay, sequence: number): ReportRow[] {
  const hour = firstHourOf(day);
  const usage = Object.values(totals.models).map((model): UsageHour => ({
    hour,
    // The overrun is known of the day alone: no model has it.
    ...NO_ENGINES,
    ...model,
    inputTokens: model.units["input_token"] ?? 0,
    outputTokens: model.units["output_token"] ?? 0,
    sequence,
  }));
  const calls = {
    ...NO_CALLS(hour),
    calls: totals.calls,
    // A day's totals do not say how calls ended.
    posted: totals.calls,
    quota: drawn.quota,
    granted: drawn.granted,
    overage: drawn.overage,
    overageByRate: totals.overageByRate,
    adjusted: totals.adjusted ?? 0,
    refused: totals.refused,
    verdicts: totals.verdicts ?? {},
    work: totals.work ?? {},
    sequence,
  };
  return [
    ...usage.map((row) => ({ kind: "usage_hour" as const, row })),
    { kind: "call_hour" as const, row: calls },
  ];
}
