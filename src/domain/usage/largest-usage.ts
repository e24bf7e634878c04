import { type CallSums, drawnOf, type EngineSums, type UsageGroup } from "./usage-sums.ts";

/** All others together. No tenant and no model is called so. */
export const OTHERS = "_other";

const whenOf = ({ key }: UsageGroup): string => `${key.day}|${key.hour}`;

/**
 * Rows of some tenants, in that order, and what is left of all tenants in a row of `OTHERS`.
 *
 * @param all of all tenants, grouped by the same but the tenant
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

const less = (a: UsageGroup, b: UsageGroup): UsageGroup => ({
  ...a,
  engines: a.engines === null || b.engines === null ? a.engines : lessEngines(a.engines, b.engines),
  calls: a.calls === null || b.calls === null ? a.calls : lessCalls(a.calls, b.calls),
  latency: a.latency === null ? null : lessCounts(a.latency, b.latency ?? {}),
});

const lessEngines = (a: EngineSums, b: EngineSums): EngineSums => ({
  engineRequests: a.engineRequests - b.engineRequests,
  failed: a.failed - b.failed,
  units: lessCounts(a.units, b.units),
  microNeurons: a.microNeurons - b.microNeurons,
  estimated: a.estimated - b.estimated,
  held: a.held - b.held,
  overrun: a.overrun - b.overrun,
});

const lessCalls = (a: CallSums, b: CallSums): CallSums => ({
  calls: a.calls - b.calls,
  voided: a.voided - b.voided,
  expired: a.expired - b.expired,
  failed: a.failed - b.failed,
  quota: a.quota - b.quota,
  granted: a.granted - b.granted,
  overage: a.overage - b.overage,
  adjusted: a.adjusted - b.adjusted,
  overageByRate: lessAmounts(a.overageByRate, b.overageByRate),
  refused: lessCounts(a.refused, b.refused),
  verdicts: lessAmounts(a.verdicts, b.verdicts),
});

type Amounts = Readonly<Record<string, bigint>>;

const lessAmounts = (a: Amounts, b: Amounts): Amounts =>
  Object.fromEntries(
    Object.entries(a)
      .map(([name, amount]) => [name, amount - (b[name] ?? 0n)] as const)
      .filter(([, amount]) => amount !== 0n),
  );

/** What comes to nothing is left out. */
const lessCounts = (
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(a)
      .map(([name, count]) => [name, count - (b[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
