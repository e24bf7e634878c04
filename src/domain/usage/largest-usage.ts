import { subtractNamed, subtractSums } from "./usage-sum.ts";
import { drawnOf, REPORTED_CALLS, REPORTED_ENGINES, type UsageGroup } from "./usage-report.ts";

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
