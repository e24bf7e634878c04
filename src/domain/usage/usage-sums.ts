import type { LatencyHistogram } from "./latency-histogram.ts";
import type { Day } from "../ledger/period.ts";
import type { Hour } from "./report-rows.ts";

// What a report adds up, whatever it is grouped by. Amounts are µN as BigInt: sums over tenants and
// months are exact.

/** What rows may be grouped by, in any order. */
export const GROUP_KEYS = ["day", "hour", "tenant", "model", "task", "user"] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

/** What a group has in common; null where it is not grouped by that. */
export interface UsageKey {
  readonly day: Day | null;
  readonly hour: Hour | null;
  readonly tenant: string | null;
  readonly model: string | null;
  readonly engine: string | null;
  readonly pricedAs: string | null;
  readonly task: string | null;
  /** Also null for everybody beyond a day's first thousand, and for who was erased. */
  readonly user: string | null;
}

/** What engines did. */
export interface EngineSums {
  readonly engineRequests: number;
  /** Stages that failed. */
  readonly failed: number;
  readonly units: Readonly<Record<string, number>>;
  readonly microNeurons: bigint;
  readonly estimated: bigint;
  readonly held: bigint;
  readonly overrun: bigint;
}

export const NO_ENGINES: EngineSums = {
  engineRequests: 0,
  failed: 0,
  units: {},
  microNeurons: 0n,
  estimated: 0n,
  held: 0n,
  overrun: 0n,
};

/** How calls ended and what they drew. */
export interface CallSums {
  readonly calls: number;
  readonly voided: number;
  readonly expired: number;
  /** Of the posted ones, those of which a stage failed. */
  readonly failed: number;
  /** Adjustments included. */
  readonly quota: bigint;
  readonly granted: bigint;
  readonly overage: bigint;
  /** Of the three, by adjustments: negative or 0. */
  readonly adjusted: bigint;
  /** The overage by its rate, USD per 1,000 neurons. */
  readonly overageByRate: Readonly<Record<string, bigint>>;
  readonly refused: Readonly<Record<string, number>>;
  /** What verdicts came to, by name (`verdict-counts.ts`). */
  readonly verdicts: Readonly<Record<string, bigint>>;
}

export const NO_CALLS: CallSums = {
  calls: 0,
  voided: 0,
  expired: 0,
  failed: 0,
  quota: 0n,
  granted: 0n,
  overage: 0n,
  adjusted: 0n,
  overageByRate: {},
  refused: {},
  verdicts: {},
};

export interface UserSums {
  readonly calls: number;
  readonly microNeurons: bigint;
}

export interface UsageGroup {
  readonly key: UsageKey;
  /** Null where rows are of users: what ran for one is not kept. */
  readonly engines: EngineSums | null;
  /** Null where rows are of models or tasks: a call may ask several. */
  readonly calls: CallSums | null;
  readonly user: UserSums | null;
  /** From admission to settlement; null where it is not kept. */
  readonly latency: LatencyHistogram | null;
}

/** Over a whole range, whatever it is grouped by. */
export interface UsageTotals {
  readonly engines: EngineSums;
  readonly calls: CallSums;
  readonly latency: LatencyHistogram;
}

/** The journal's amounts: what the days' quotas, grants and overage came to. */
export const drawnOf = ({ quota, granted, overage }: CallSums): bigint => quota + granted + overage;

/** What ran costs the platform the same, also where the tenant was given it back. */
export const spentOf = (calls: CallSums): bigint => drawnOf(calls) - calls.adjusted;

export const chargePartsOf = ({ overageByRate }: CallSums) =>
  Object.entries(overageByRate).map(([usdPer1000, microNeurons]) => ({ microNeurons, usdPer1000 }));

/** Calls that failed: a stage did, or nobody came to settle it. */
export const failedCallsOf = ({ failed, expired }: CallSums): number => failed + expired;

/** Calls, engine requests or the like: the share that did what it was asked, to six decimals. */
export const successRate = (all: number, failed: number): number | null =>
  all === 0 ? null : Math.round((Math.max(0, all - failed) / all) * 1e6) / 1e6;

/** Tokens read and written, of the units of the price table; those that were cached are read too. */
export const tokensOf = (units: Readonly<Record<string, number>>) => ({
  input: (units["input_token"] ?? 0) + (units["cached_input_token"] ?? 0),
  output: units["output_token"] ?? 0,
});

export function addEngines(a: EngineSums, b: EngineSums): EngineSums {
  return {
    engineRequests: a.engineRequests + b.engineRequests,
    failed: a.failed + b.failed,
    units: addCounts(a.units, b.units),
    microNeurons: a.microNeurons + b.microNeurons,
    estimated: a.estimated + b.estimated,
    held: a.held + b.held,
    overrun: a.overrun + b.overrun,
  };
}

export function addCalls(a: CallSums, b: CallSums): CallSums {
  return {
    calls: a.calls + b.calls,
    voided: a.voided + b.voided,
    expired: a.expired + b.expired,
    failed: a.failed + b.failed,
    quota: a.quota + b.quota,
    granted: a.granted + b.granted,
    overage: a.overage + b.overage,
    adjusted: a.adjusted + b.adjusted,
    overageByRate: addAmounts(a.overageByRate, b.overageByRate),
    refused: addCounts(a.refused, b.refused),
    verdicts: addAmounts(a.verdicts, b.verdicts),
  };
}

type Amounts = Readonly<Record<string, bigint>>;

export function addAmounts(a: Amounts, b: Amounts): Amounts {
  const sum: Record<string, bigint> = { ...a };
  for (const [name, amount] of Object.entries(b)) sum[name] = (sum[name] ?? 0n) + amount;
  return sum;
}

export function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
