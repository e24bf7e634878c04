import { hourOf } from "../../../src/domain/usage/report-rows.ts";
import { hourKey, NO_CALLS } from "../../../src/domain/usage/usage-fold.ts";
import type { FeedState } from "./feed-store.ts";
import type { Tx } from "../transactions.ts";

// Refusals are counted by the minute, in rows that grow: of an hour that may have grown the whole is
// taken, in place of what was there. So it does not matter how often that is done.

const MINUTE_MS = 60_000;

/** Minutes folded in one transaction: a day. */
const MINUTES_A_STEP = 1440;

export interface FoldedRefusals {
  /** Rows that changed. */
  readonly rows: number;
  /** Before this minute all are counted. */
  readonly from: number;
  readonly more: boolean;
}

export function foldRefusals(
  { stores: { refusals, reportRows }, nowMs }: Tx,
  { refusalsFrom }: FeedState,
  sequence: number,
): FoldedRefusals {
  refusals.flush();
  const minute = Math.floor(nowMs / MINUTE_MS);
  const first = refusals.firstMinute(startOfHour(refusalsFrom));
  if (first === null) return { rows: 0, from: Math.max(refusalsFrom, minute), more: false };
  const start = startOfHour(first);
  const end = start + MINUTES_A_STEP;
  const byHour = Map.groupBy(refusals.sumByHour(start, end), ({ hour }) => hour);
  let rows = 0;
  for (const [hour, counts] of byHour) {
    const key = hourKey(hour);
    const before = reportRows.read("call_hour", key) ?? { ...NO_CALLS(hour), sequence: 0 };
    const refused = Object.fromEntries(counts.map(({ kind, count }) => [kind, count]));
    if (isSame(before.refused, refused)) continue;
    reportRows.write({ kind: "call_hour", key, row: { ...before, refused, sequence } });
    rows += 1;
  }
  const more = end <= hourOf(nowMs) * 60;
  return { rows, from: more ? end : minute, more };
}

const startOfHour = (minute: number): number => minute - (minute % 60);

const isSame = (
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(b).every(([kind, count]) => a[kind] === count);
