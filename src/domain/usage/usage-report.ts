import type { LatencyHistogram } from "./latency-histogram.ts";
import type { Day } from "../ledger/period.ts";
import type { Hour } from "./report-rows.ts";
import {
  addSums,
  CALL_FIELDS,
  emptySum,
  ENGINE_FIELDS,
  fieldsWithout,
  subtractNamed,
  subtractSums,
  type SumOf,
  type UserSum,
} from "./usage-sum.ts";

// The groups of a usage report, whatever it is grouped by: a key, and sums in bigint form, so that
// sums over tenants and months are exact.

/** The keys that rows may be grouped by, in any order. */
export const GROUP_KEYS = ["day", "hour", "tenant", "model", "task", "user", "key"] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

/** The key of a group; a field is null where the report is not grouped by it. */
export interface UsageKey {
  readonly day: Day | null;
  readonly hour: Hour | null;
  readonly tenant: string | null;
  readonly model: string | null;
  readonly engine: string | null;
  readonly pricedAs: string | null;
  readonly task: string | null;
  /** Also null for everybody beyond a day's first thousand, and for people who were erased. */
  readonly user: string | null;
  /** Also null where no key of the tenant called, and for keys beyond those that a day tells apart. */
  readonly keyId: string | null;
}

/** What reports add up of what engines did. Tokens are among the units. */
export const REPORTED_ENGINES = fieldsWithout(
  ENGINE_FIELDS,
  "inputTokens",
  "outputTokens",
  "settledAfterMidnight",
  "latency",
);

/** What reports add up of calls. */
export const REPORTED_CALLS = fieldsWithout(
  CALL_FIELDS,
  "posted",
  "settledAfterMidnight",
  "latency",
);

export type EngineSums = SumOf<typeof REPORTED_ENGINES, bigint>;
export type CallSums = SumOf<typeof REPORTED_CALLS, bigint>;

export const NO_ENGINES: EngineSums = emptySum(REPORTED_ENGINES, 0n);
export const NO_CALLS: CallSums = emptySum(REPORTED_CALLS, 0n);

export const addEngines = (a: EngineSums, b: Partial<EngineSums>): EngineSums =>
  addSums(REPORTED_ENGINES, a, b);

export const addCalls = (a: CallSums, b: Partial<CallSums>): CallSums =>
  addSums(REPORTED_CALLS, a, b);

export interface UsageGroup {
  readonly key: UsageKey;
  /** Null where rows are of users alone. */
  readonly engines: EngineSums | null;
  /** Null where rows are of models or tasks: a call may use several. */
  readonly calls: CallSums | null;
  /** Of users and keys: how many calls, and what they were charged. */
  readonly user: UserSum<bigint> | null;
  /** From admission to settlement; null where it is not kept. */
  readonly latency: LatencyHistogram | null;
}

/** Over a whole range, whatever it is grouped by. */
export interface UsageTotals {
  readonly engines: EngineSums;
  readonly calls: CallSums;
  readonly latency: LatencyHistogram;
}

/** The journal's amounts: the sum of quota, grants and overage. */
export const drawnOf = ({ quota, granted, overage }: CallSums): bigint => quota + granted + overage;

/** The platform pays for what ran, also where an adjustment gave it back to the tenant. */
export const spentOf = (calls: CallSums): bigint => drawnOf(calls) - calls.adjusted;

export const chargePartsOf = ({ overageByRate }: CallSums) =>
  Object.entries(overageByRate).map(([usdPer1000, microNeurons]) => ({ microNeurons, usdPer1000 }));

/** Calls that failed: one of its stages failed, or nobody settled it. */
export const failedCallsOf = ({ failed, expired }: CallSums): number => failed + expired;

/** Of calls, engine requests or the like: the share that did not fail, to six decimals. */
export const successRate = (all: number, failed: number): number | null =>
  all === 0 ? null : Math.round((Math.max(0, all - failed) / all) * 1e6) / 1e6;

/** Tokens read, cached ones included, and tokens written: from the units of the price table. */
export const tokensOf = (units: Readonly<Record<string, number>>) => ({
  input: (units["input_token"] ?? 0) + (units["cached_input_token"] ?? 0),
  output: units["output_token"] ?? 0,
});

/** The name of all others together. No tenant and no model has it. */
export const OTHERS = "_other";

const whenOf = ({ key }: UsageGroup): string => `${key.day}|${key.hour}`;

/**
 * Rows of some tenants, in that order, and a row of `OTHERS` with the rest of all tenants.
 *
 * @param all of all tenants, grouped by the same keys without the tenant
 */
export function largestAndOthers(
  all: readonly UsageGroup[],
  largest: readonly UsageGroup[],
  names: readonly string[],
): readonly UsageGroup[] {
  const placeOf = ({ key }: UsageGroup): number => names.indexOf(key.tenant ?? "");
  const byTime = Map.groupBy(largest, whenOf);
  return all.flatMap((group) => {
    const some = (byTime.get(whenOf(group)) ?? []).toSorted((a, b) => placeOf(a) - placeOf(b));
    const rest = some.reduce(less, group);
    const isNothing =
      rest.calls?.calls === 0 && isEmpty(rest.calls.refused) && drawnOf(rest.calls) === 0n;
    return isNothing ? some : [...some, { ...rest, key: { ...group.key, tenant: OTHERS } }];
  });
}

const isEmpty = (counts: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(counts).length === 0;

const less = (all: UsageGroup, part: UsageGroup): UsageGroup => ({
  ...all,
  engines:
    all.engines === null || part.engines === null
      ? all.engines
      : subtractSums(REPORTED_ENGINES, all.engines, part.engines),
  calls:
    all.calls === null || part.calls === null
      ? all.calls
      : subtractSums(REPORTED_CALLS, all.calls, part.calls),
  latency: all.latency === null ? null : subtractNamed(all.latency, part.latency ?? {}),
});
