import type { ModelTotals } from "../ledger/day-totals.ts";
import { chargeUsd, costUsd, roundToCents, signedUsd } from "../ledger/money.ts";
import type { Day, Month } from "../ledger/period.ts";
import { callsOfDay, type DayUsage } from "./tenant-usage.ts";
import {
  addCalls,
  addCounts,
  type CallSums,
  chargePartsOf,
  drawnOf,
  NO_CALLS,
  spentOf,
} from "./usage-sums.ts";

// A month's statement: what each day's models used, what each day drew on, what is owed. It is made of
// the same daily sums as the ledger's own books, so its lines add up to the journal; whether they do
// is worked out anew each time and said. Only the last figure is rounded.

/** A charge that was taken back, as the journal has it. */
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

export interface StatementLine extends Pick<
  ModelTotals,
  "model" | "engine" | "pricedAs" | "task" | "engineRequests" | "failed" | "units"
> {
  readonly microNeurons: bigint;
  readonly costUsd: string;
}

export interface StatementSums {
  readonly calls: number;
  /** Of what ran, before adjustments. */
  readonly used: bigint;
  readonly quota: bigint;
  readonly granted: bigint;
  readonly overage: bigint;
  readonly adjusted: bigint;
  readonly overages: readonly RatedOverage[];
  readonly costUsd: string;
  readonly chargeUsd: string;
  /** What models used, with adjustments, is what was drawn; and what was drawn at rates is the overage. */
  readonly addsUp: boolean;
}

export interface StatementDay extends StatementSums {
  readonly day: Day;
  readonly lines: readonly StatementLine[];
}

export interface Statement {
  readonly days: readonly StatementDay[];
  readonly sums: StatementSums;
  /** Of the same lines, over the month. */
  readonly models: readonly StatementLine[];
  readonly adjustments: readonly StatementAdjustment[];
  /** What is owed, rounded half up to cents: the one rounding there is. */
  readonly totalUsd: string;
}

/**
 * @param days of one tenant's life, each once
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

const toLine = (model: ModelTotals): StatementLine => ({
  model: model.model,
  engine: model.engine,
  pricedAs: model.pricedAs,
  task: model.task,
  engineRequests: model.engineRequests,
  failed: model.failed,
  units: model.units,
  microNeurons: BigInt(model.microNeurons),
  costUsd: costUsd(model.microNeurons),
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
    .flatMap(([, [first, ...others]]) => (first === undefined ? [] : [others.reduce(plus, first)]));
}

function plus(a: StatementLine, b: StatementLine): StatementLine {
  const microNeurons = a.microNeurons + b.microNeurons;
  return {
    ...a,
    engineRequests: a.engineRequests + b.engineRequests,
    failed: a.failed + b.failed,
    units: addCounts(a.units, b.units),
    microNeurons,
    costUsd: costUsd(microNeurons),
  };
}

/** Until a month is over, and all that was admitted in it is settled, its figures still grow. */
export const isOpen = (
  { end }: Month,
  now: { readonly today: Day; readonly oldestOpenDay: Day | null },
): boolean => now.today < end || (now.oldestOpenDay !== null && now.oldestOpenDay < end);
