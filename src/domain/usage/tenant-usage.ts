import type { DayTotals, ModelKey } from "../ledger/day-totals.ts";
import { type LatencyHistogram, mergeLatencies } from "./latency-histogram.ts";
import type { Day } from "../ledger/period.ts";
import type { Drawn } from "../ledger/quota.ts";
import {
  type CallHour,
  dayOfHour,
  type Hour,
  type UsageHour,
  type UserDay,
} from "./report-rows.ts";
import { needsSplits, type Split } from "./usage-split.ts";
import { addSums, emptySum, exactSum, onlyFields, USER_FIELDS } from "./usage-sum.ts";
import {
  addCalls,
  addEngines,
  type CallSums,
  type EngineSums,
  type GroupKey,
  NO_CALLS,
  NO_ENGINES,
  REPORTED_CALLS,
  REPORTED_ENGINES,
  type UsageGroup,
  type UsageKey,
  type UsageTotals,
} from "./usage-report.ts";

// A tenant's usage from the rows of its own object. Amounts are those of the days, which every
// settlement keeps to the micro-neuron. Days do not have hours, users, latencies and how calls ended:
// these come from rows that are folded from the journal a moment later.

/** A day as the ledger keeps it. */
export interface DayUsage {
  readonly day: Day;
  readonly drawn: Drawn;
  readonly totals: DayTotals;
}

export interface TenantRows {
  readonly days: readonly DayUsage[];
  readonly usageHours: readonly UsageHour[];
  readonly callHours: readonly CallHour[];
  readonly userDays: readonly UserDay[];
  /** Only for reports that need them, already added up by the keys of the report. */
  readonly splits: readonly Split[];
}

const NO_KEY: UsageKey = {
  day: null,
  hour: null,
  tenant: null,
  model: null,
  engine: null,
  pricedAs: null,
  task: null,
  user: null,
  keyId: null,
};

/** All that is known of a row's place; a report groups by a part of it. */
interface Place {
  readonly day: Day;
  readonly hour?: Hour;
  readonly model?: ModelKey;
  readonly user?: string | null;
  readonly keyId?: string | null;
}

class Groups {
  readonly #groupBy: readonly GroupKey[];
  readonly #tenant: string;
  readonly #groups = new Map<string, UsageGroup>();

  constructor(tenant: string, groupBy: readonly GroupKey[]) {
    this.#tenant = tenant;
    this.#groupBy = groupBy;
  }

  /** @param first the group that is made where there is none; null: none is made */
  change(place: Place, first: UsageGroup | null, change: (group: UsageGroup) => UsageGroup): void {
    const key = this.#keyOf(place);
    const id = JSON.stringify(key);
    const group = this.#groups.get(id) ?? (first === null ? null : { ...first, key });
    if (group !== null) this.#groups.set(id, change(group));
  }

  #keyOf({ day, hour, model, user, keyId }: Place): UsageKey {
    const by = new Set(this.#groupBy);
    const byModel = by.has("model") ? (model ?? null) : null;
    return {
      day: by.has("day") ? day : null,
      hour: by.has("hour") ? (hour ?? null) : null,
      tenant: by.has("tenant") ? this.#tenant : null,
      model: byModel?.model ?? null,
      engine: byModel?.engine ?? null,
      pricedAs: byModel?.pricedAs ?? null,
      task: by.has("task") || by.has("model") ? (model?.task ?? null) : null,
      user: by.has("user") ? (user ?? null) : null,
      keyId: by.has("key") ? (keyId ?? null) : null,
    };
  }

  inOrder(): readonly UsageGroup[] {
    const parts = this.#groupBy.flatMap((key) => PARTS[key]);
    return [...this.#groups.values()].toSorted((a, b) => {
      for (const part of parts) {
        const [x, y] = [a.key[part] ?? "", b.key[part] ?? ""];
        if (x !== y) return x < y ? -1 : 1;
      }
      return 0;
    });
  }
}

const PARTS: Readonly<Record<GroupKey, readonly (keyof UsageKey)[]>> = {
  day: ["day"],
  hour: ["hour"],
  tenant: ["tenant"],
  model: ["model", "engine", "pricedAs", "task"],
  task: ["task"],
  user: ["user"],
  key: ["keyId"],
};

const OF_CALLS: UsageGroup = {
  key: NO_KEY,
  engines: NO_ENGINES,
  calls: NO_CALLS,
  user: null,
  latency: {},
};
const OF_MODELS: UsageGroup = { ...OF_CALLS, calls: null };
const OF_USERS: UsageGroup = {
  ...OF_CALLS,
  engines: null,
  calls: null,
  user: emptySum(USER_FIELDS, 0n),
  latency: null,
};

/** Splits have no latencies. */
const OF_MODELS_OF_A_DAY: UsageGroup = { ...OF_MODELS, latency: null };
const OF_SPLITS: UsageGroup = { ...OF_USERS, engines: NO_ENGINES };

/** All groups, in the order of their keys. */
export function tenantGroups(
  tenant: string,
  rows: TenantRows,
  groupBy: readonly GroupKey[],
): readonly UsageGroup[] {
  const groups = new Groups(tenant, groupBy);
  if (needsSplits(groupBy)) addSplits(groups, rows.splits, groupBy);
  else if (groupBy.includes("user")) addUsers(groups, rows.userDays);
  else if (groupBy.includes("model") || groupBy.includes("task")) addModels(groups, rows, groupBy);
  else addAllCalls(groups, rows, groupBy);
  return groups.inOrder();
}

/** Of a split that a report shows without its model, the calls are counted. */
function addSplits(groups: Groups, splits: readonly Split[], groupBy: readonly GroupKey[]): void {
  const isOfModels = groupBy.includes("model") || groupBy.includes("task");
  for (const { day, userId, keyId, model, ...sums } of splits) {
    const place = { day, user: userId, keyId, ...(model !== null && { model }) };
    const engines = exactSum(REPORTED_ENGINES, sums);
    const calls = isOfModels ? null : exactSum(USER_FIELDS, sums);
    groups.change(place, isOfModels ? OF_MODELS_OF_A_DAY : OF_SPLITS, (group) => ({
      ...group,
      engines: addEngines(group.engines ?? NO_ENGINES, engines),
      user: calls === null ? null : addSums(USER_FIELDS, calls, group.user ?? {}),
    }));
  }
}

function addUsers(groups: Groups, userDays: readonly UserDay[]): void {
  for (const { day, userId, ...row } of userDays) {
    groups.change({ day, user: userId === "" ? null : userId }, OF_USERS, (group) => ({
      ...group,
      user: addSums(USER_FIELDS, exactSum(USER_FIELDS, row), group.user ?? {}),
    }));
  }
}

function addModels(groups: Groups, rows: TenantRows, groupBy: readonly GroupKey[]): void {
  const byHour = groupBy.includes("hour");
  const addTo = (place: Place, sums: EngineSums) =>
    groups.change(place, OF_MODELS, (group) => ({
      ...group,
      engines: addEngines(group.engines ?? NO_ENGINES, sums),
    }));
  if (!byHour) {
    for (const { day, totals } of rows.days) {
      for (const model of Object.values(totals.models)) {
        addTo({ day, model }, exactSum(REPORTED_ENGINES, model));
      }
    }
  }
  for (const row of rows.usageHours) {
    const place = { day: dayOfHour(row.hour), hour: row.hour, model: row };
    if (byHour) addTo(place, exactSum(REPORTED_ENGINES, row));
    groups.change(place, null, (group) => withLatency(group, row.latency));
  }
}

function addAllCalls(groups: Groups, rows: TenantRows, groupBy: readonly GroupKey[]): void {
  const byHour = groupBy.includes("hour");
  for (const row of byHour ? rows.usageHours : []) {
    const place = { day: dayOfHour(row.hour), hour: row.hour };
    const sums = exactSum(REPORTED_ENGINES, row);
    groups.change(place, OF_CALLS, (group) => plusBoth(group, sums, NO_CALLS));
  }
  for (const period of byHour ? [] : rows.days) {
    groups.change({ day: period.day }, OF_CALLS, (group) =>
      plusBoth(group, enginesOfDay(period), callsOfDay(period)),
    );
  }
  for (const row of rows.callHours) {
    const place = { day: dayOfHour(row.hour), hour: row.hour };
    const sums = byHour ? exactSum(REPORTED_CALLS, row) : endsOf(row);
    groups.change(place, byHour ? OF_CALLS : null, (group) =>
      withLatency(plusBoth(group, NO_ENGINES, sums), row.latency),
    );
  }
}

const plusBoth = (group: UsageGroup, engines: EngineSums, calls: CallSums): UsageGroup => ({
  ...group,
  engines: addEngines(group.engines ?? NO_ENGINES, engines),
  calls: addCalls(group.calls ?? NO_CALLS, calls),
});

const withLatency = (group: UsageGroup, latency: LatencyHistogram): UsageGroup => ({
  ...group,
  latency: mergeLatencies([group.latency ?? {}, latency]),
});

/** Over all of it, whatever it is grouped by. */
export function tenantTotals(rows: Pick<TenantRows, "days" | "callHours">): UsageTotals {
  const calls = rows.days.map(callsOfDay);
  return {
    engines: rows.days.map(enginesOfDay).reduce(addEngines, NO_ENGINES),
    calls: [...calls, ...rows.callHours.map(endsOf)].reduce(addCalls, NO_CALLS),
    latency: mergeLatencies(rows.callHours.map(({ latency }) => latency)),
  };
}

/** Of the sums of calls, those that a day does not have. */
const ENDS = onlyFields(REPORTED_CALLS, "voided", "expired", "failed");

const endsOf = (row: CallHour): CallSums => addCalls(NO_CALLS, exactSum(ENDS, row));

export const enginesOfDay = ({ totals }: DayUsage): EngineSums =>
  Object.values(totals.models)
    .map((model) => exactSum(REPORTED_ENGINES, model))
    .reduce(addEngines, { ...NO_ENGINES, overrun: BigInt(totals.overrun) });

export const callsOfDay = ({ drawn, totals }: DayUsage): CallSums =>
  exactSum(REPORTED_CALLS, { ...totals, ...drawn });
