import type { Day } from "../ledger/period.ts";
import type { DayFigures, EngineDay } from "./cost-day.ts";
import type { UsageGroup } from "./usage-report.ts";
import { addNamed } from "./usage-sum.ts";
import type { WorkSums } from "./work.ts";

// A tenant's days, from its own usage.

const NO_WORK: WorkSums = {};
const NOTHING: EngineDay = { requests: 0, microNeurons: 0n, uncertain: 0n, overrun: 0n };

/**
 * Every day of the range, in order.
 *
 * @param to included
 * @param models the usage of these days, by day and model
 * @param calls the same by day
 */
export function tenantCostDays(
  { from, to }: { readonly from: Day; readonly to: Day },
  models: readonly UsageGroup[],
  calls: readonly UsageGroup[],
): readonly DayFigures[] {
  const modelsOf = Map.groupBy(models, ({ key }) => key.day);
  const callsOf = Map.groupBy(calls, ({ key }) => key.day);
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const day = from + at;
    const ran = modelsOf.get(day) ?? [];
    const called = callsOf.get(day) ?? [];
    return {
      day,
      engines: enginesOf(ran),
      platform: {
        calls: sumOf(called, (group) => group.calls?.calls ?? 0),
        refused: sumOf(called, ({ calls: sums }) =>
          Object.values(sums?.refused ?? {}).reduce((sum, count) => sum + count, 0),
        ),
        cached: sumOf(ran, (group) => (group.key.engine === "cache" ? requestsOf(group) : 0)),
        pictures: sumOf(ran, (group) =>
          group.key.task === "text_to_image" ? requestsOf(group) : 0,
        ),
        reportRows: null,
        work: called.reduce((sum, { calls: sums }) => addNamed(sum, sums?.work ?? {}), NO_WORK),
      },
    };
  });
}

const requestsOf = ({ engines }: UsageGroup): number => engines?.engineRequests ?? 0;

const sumOf = (groups: readonly UsageGroup[], of: (group: UsageGroup) => number): number =>
  groups.reduce((sum, group) => sum + of(group), 0);

function enginesOf(groups: readonly UsageGroup[]): ReadonlyMap<string, EngineDay> {
  const days = new Map<string, EngineDay>();
  for (const { key, engines } of groups) {
    if (engines === null || key.engine === null) continue;
    const before = days.get(key.engine) ?? NOTHING;
    days.set(key.engine, {
      requests: before.requests + engines.engineRequests,
      microNeurons: before.microNeurons + engines.microNeurons,
      uncertain: before.uncertain + engines.estimated + engines.held,
      overrun: before.overrun + engines.overrun,
    });
  }
  return days;
}
