import type { ModelKey, ModelTotals } from "../ledger/day-totals.ts";
import { chargeUsd, costUsd, roundToCents, signedUsd } from "../ledger/money.ts";
import type { Day, Month } from "../ledger/period.ts";
import { callsOfDay, type DayUsage } from "./tenant-usage.ts";
import { addSums, ENGINE_FIELDS, exactSum, onlyFields, type SumOf } from "./usage-sum.ts";
import {
  addCalls,
  type CallSums,
  chargePartsOf,
  drawnOf,
  NO_CALLS,
  spentOf,
} from "./usage-report.ts";

// A month's statement: what each day's models used, what each day drew on, what is owed. It is made
// from the same daily sums as the ledger's own books, so its lines add up to the journal. Each
// statement checks that anew and says the result. Only the last figure is rounded.

/** A charge that an adjustment gave back, as the journal has it. */
export interface StatementAdjustment {
  readonly id: string;
  /** The line that it adjusts. */
  readonly adjusts: string;
  readonly day: Day;
  readonly atMs: number;
  /** Negative. */
  readonly microNeurons: number;
  readonly reason: string;
}

/** Overage at one rate. */
export interface RatedOverage {
  readonly usdPer1000: string;
  readonly microNeurons: bigint;
  readonly chargeUsd: string;
}

const LINE_FIELDS = onlyFields(ENGINE_FIELDS, "engineRequests", "failed", "units", "microNeurons");

type LineSum = ModelKey & SumOf<typeof LINE_FIELDS, bigint>;

export type StatementLine = LineSum & { readonly costUsd: string };

export interface StatementSums {
  readonly calls: number;
  /** Charged for what ran, before adjustments. */
  readonly used: bigint;
  readonly quota: bigint;
  readonly granted: bigint;
  readonly overage: bigint;
  readonly adjusted: bigint;
  readonly overages: readonly RatedOverage[];
  readonly costUsd: string;
  readonly chargeUsd: string;
  /** `used` and `adjusted` are what was drawn, and the parts of `overages` are the overage. */
  readonly addsUp: boolean;
}

export interface StatementDay extends StatementSums {
  readonly day: Day;
  readonly lines: readonly StatementLine[];
}

export interface Statement {
  readonly days: readonly StatementDay[];
  readonly sums: StatementSums;
  /** The same lines, added up over the month. */
  readonly models: readonly StatementLine[];
  readonly adjustments: readonly StatementAdjustment[];
  /** The charge, rounded half up to cents. Nothing else is rounded. */
  readonly totalUsd: string;
}

/**
 * @param days of one tenant's generation, each once
 * @param adjustments of these days; the days' own sums already hold them
 */
export function makeStatement(
  days: readonly DayUsage[],
  adjustments: readonly StatementAdjustment[],
): Statement {
  const made = days.toSorted((a, b) => a.day - b.day).map(toDay);
  const calls = days.map(callsOfDay).reduce(addCalls, NO_CALLS);
  const models = mergeLines(made.flatMap(({ lines }) => lines));
  const sums = sumsOf(calls, models);
  return {
    days: made,
    sums: { ...sums, addsUp: sums.addsUp && made.every(({ addsUp }) => addsUp) },
    models,
    adjustments: adjustments.toSorted((a, b) => a.day - b.day || a.atMs - b.atMs),
    totalUsd: roundToCents(sums.chargeUsd),
  };
}

function toDay(period: DayUsage): StatementDay {
  const lines = Object.values(period.totals.models)
    .map(toLine)
    .toSorted((a, b) => order(keyOf(a), keyOf(b)));
  return { day: period.day, lines, ...sumsOf(callsOfDay(period), lines) };
}

const toLine = ({ model, engine, pricedAs, task, ...sum }: ModelTotals): StatementLine =>
  withCost({ model, engine, pricedAs, task, ...exactSum(LINE_FIELDS, sum) });

const withCost = (sum: LineSum): StatementLine => ({
  ...sum,
  costUsd: costUsd(sum.microNeurons),
});

function sumsOf(calls: CallSums, lines: readonly StatementLine[]): StatementSums {
  const used = lines.reduce((sum, { microNeurons }) => sum + microNeurons, 0n);
  const overages = Object.entries(calls.overageByRate)
    .map(([usdPer1000, microNeurons]) => ({
      usdPer1000,
      microNeurons,
      chargeUsd: signedUsd(microNeurons, usdPer1000),
    }))
    .toSorted((a, b) => order(a.usdPer1000, b.usdPer1000));
  const rated = overages.reduce((sum, { microNeurons }) => sum + microNeurons, 0n);
  return {
    calls: calls.calls,
    used,
    quota: calls.quota,
    granted: calls.granted,
    overage: calls.overage,
    adjusted: calls.adjusted,
    overages,
    costUsd: costUsd(spentOf(calls)),
    chargeUsd: chargeUsd(chargePartsOf(calls)),
    addsUp: used + calls.adjusted === drawnOf(calls) && rated === calls.overage,
  };
}

const keyOf = ({ model, engine, pricedAs, task }: StatementLine): string =>
  [model, engine, pricedAs, task].join("|");

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function mergeLines(lines: readonly StatementLine[]): readonly StatementLine[] {
  return [...Map.groupBy(lines, keyOf).entries()]
    .toSorted(([a], [b]) => order(a, b))
    .flatMap(([, [first, ...others]]) => (first === undefined ? [] : [sumOf(first, others)]));
}

const sumOf = (first: StatementLine, others: readonly StatementLine[]): StatementLine =>
  withCost(others.reduce((sum, line) => addSums(LINE_FIELDS, sum, line), first));

/** The figures of a month grow until it is over and every call that was admitted in it is settled. */
export const isOpen = (
  { end }: Month,
  now: { readonly today: Day; readonly oldestOpenDay: Day | null },
): boolean => now.today < end || (now.oldestOpenDay !== null && now.oldestOpenDay < end);
