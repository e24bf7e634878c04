import type { Day } from "../ledger/period.ts";
import {
  type CallHour,
  dayOfHour,
  firstHourOf,
  type ReportRow,
  type UsageHour,
} from "./report-rows.ts";
import { NO_CALLS, plusCalls, plusUsage, usageKey } from "./usage-fold.ts";

// A day of one tenant, as the sum of its hours. It bears the highest sequence of any of them: a day with
// a higher one is newer, and of two with the same one all is the same.

/** Of a row: how many rows of hours it adds up. */
interface Counted {
  readonly hours: number;
}

/** Rows of one day, each at the day's first hour. */
export interface DaySums {
  readonly day: Day;
  readonly usage: readonly (UsageHour & Counted)[];
  readonly calls: CallHour & Counted;
}

/** @param rows of one tenant's generation; those that are of no hour are left out */
export function daySumsOf(rows: readonly ReportRow[]): readonly DaySums[] {
  const hourly = rows.filter((row) => row.kind === "usage_hour" || row.kind === "call_hour");
  const days = Map.groupBy(hourly, ({ row }) => dayOfHour(row.hour));
  return [...days].map(([day, some]) => {
    const hour = firstHourOf(day);
    const sequence = Math.max(...some.map(({ row }) => row.sequence));
    const usage = new Map<string, UsageHour & Counted>();
    let calls = { ...NO_CALLS(hour), sequence, hours: 0 };
    for (const one of some) {
      if (one.kind === "call_hour") {
        calls = { ...plusCalls(calls, { ...one.row, hour }), sequence, hours: calls.hours + 1 };
        continue;
      }
      const row = { ...one.row, hour };
      const key = usageKey(row);
      const sofar = usage.get(key);
      const sum = sofar === undefined ? row : plusUsage(sofar, row);
      usage.set(key, { ...sum, sequence, hours: (sofar?.hours ?? 0) + 1 });
    }
    return { day, usage: [...usage.values()], calls };
  });
}
