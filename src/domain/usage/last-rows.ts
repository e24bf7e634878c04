import type { DayTotals } from "../ledger/day-totals.ts";
import { NO_LATENCIES } from "./latency-histogram.ts";
import type { Day } from "../ledger/period.ts";
import type { Drawn } from "../ledger/quota.ts";
import { firstHourOf, type ReportRow, type UsageHour } from "./report-rows.ts";
import { NO_CALLS } from "./usage-fold.ts";

// What stays in the reports of a tenant that was deleted: its days, as the ledger summed them up,
// without persons or content. Each stands in the first hour of its day.

export interface ClosedDay {
  readonly day: Day;
  readonly drawn: Drawn;
  readonly totals: DayTotals;
}

/** @param sequence of rows that nothing replaces any more */
export function lastRowsOf({ day, drawn, totals }: ClosedDay, sequence: number): ReportRow[] {
  const hour = firstHourOf(day);
  const usage = Object.values(totals.models).map((model): UsageHour => ({
    hour,
    model: model.model,
    engine: model.engine,
    pricedAs: model.pricedAs,
    task: model.task,
    engineRequests: model.engineRequests,
    failed: model.failed,
    inputTokens: model.units["input_token"] ?? 0,
    outputTokens: model.units["output_token"] ?? 0,
    units: model.units,
    microNeurons: model.microNeurons,
    estimated: model.estimated,
    held: model.held,
    // Known of the day alone: it stands with none of its models.
    overrun: 0,
    settledAfterMidnight: 0,
    latency: NO_LATENCIES,
    sequence,
  }));
  const calls = {
    ...NO_CALLS(hour),
    calls: totals.calls,
    // How they ended is not in a day's totals.
    posted: totals.calls,
    quota: drawn.quota,
    granted: drawn.granted,
    overage: drawn.overage,
    overageByRate: totals.overageByRate,
    adjusted: totals.adjusted ?? 0,
    refused: totals.refused,
    verdicts: totals.verdicts ?? {},
    sequence,
  };
  return [
    ...usage.map((row) => ({ kind: "usage_hour" as const, row })),
    { kind: "call_hour" as const, row: calls },
  ];
}
