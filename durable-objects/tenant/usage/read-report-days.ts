import { type DaySums, daySumsOf } from "../../../src/domain/usage/day-sums.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import { firstHourOf, type ReportRow } from "../../../src/domain/usage/report-rows.ts";
import { inOrder } from "../../../src/domain/usage/usage-fold.ts";
import type { Tx } from "../transactions.ts";

// Days of this tenant, added up from the hours that its object keeps, for reports that keep none.

export const readReportDays = (
  { stores: { reportRows } }: Tx,
  days: readonly Day[],
): readonly DaySums[] =>
  days.flatMap((day) => {
    const hours: readonly [string, string] = [
      inOrder(firstHourOf(day)),
      inOrder(firstHourOf(day + 1)),
    ];
    const rows: readonly ReportRow[] = [
      ...reportRows
        .within("usage_hour", hours)
        .map((row) => ({ kind: "usage_hour" as const, row })),
      ...reportRows.within("call_hour", hours).map((row) => ({ kind: "call_hour" as const, row })),
    ];
    return daySumsOf(rows);
  });
