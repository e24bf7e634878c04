import { firstHourOf } from "../domain/usage/report-rows.ts";
import {
  type CallSums,
  type GroupKey,
  NO_CALLS,
  NO_ENGINES,
  type UsageGroup,
  type UsageTotals,
} from "../domain/usage/usage-report.ts";
import {
  AMOUNTS,
  CALL_COUNTS,
  columnsOf,
  kindOf,
  namesOf,
  type Place,
  placeOf,
  type UsageScope,
} from "./usage-columns.ts";
import { type ReadRows, Rows, rowsReadBy } from "./usage-query-store.ts";
import { type Left, type Step, stepByTenant, stepByTime } from "./usage-reach-store.ts";
import { big, keyOf, number, type Row, toGroups } from "./usage-rows.ts";
import type { Column, Kind, Reach, Tenants } from "./usage-source-store.ts";

// What the platform reads of usage, across tenants, from the database of reports. What is read is
// bounded by days, tenants and models, never by calls: the rows are sums already. Everything is added
// by the database; amounts come back as texts, since a JavaScript number rounds above 2^53.

export interface UsagePage {
  readonly groupBy: readonly GroupKey[];
  /** Null: from the beginning. */
  readonly after: Place | null;
  readonly limit: number;
}

const HOURS: Column = ["hours", "{hours}"];

/** Of units the tokens, without a look into each row's JSON, of which few have tokens from a cache. */
const TOTAL_AMOUNTS: Readonly<Record<"usage" | "calls", readonly Column[]>> = {
  usage: [
    ...AMOUNTS.usage,
    ["input_token", "t.input_tokens"],
    ["output_token", "t.output_tokens"],
    [
      "cached_input_token",
      `IIF(instr(t.units, '"cached_input_token"') = 0, 0, t.units ->> '$.cached_input_token')`,
    ],
    ["cached", "IIF(t.engine = 'cache', t.engine_requests, 0)"],
    ["pictures", "IIF(t.task = 'text_to_image', t.engine_requests, 0)"],
    HOURS,
  ],
  calls: [...AMOUNTS.calls, HOURS],
};

export interface UsageRead {
  readonly groups: readonly UsageGroup[];
  /** The place of the last of them, where there are more; null: there are none. */
  readonly next: Place | null;
}

/** A page of rows, in the order of their keys. */
export async function readGroups(
  database: D1Database,
  scope: UsageScope,
  page: UsagePage,
): Promise<UsageRead & ReadRows> {
  const { groupBy, limit } = page;
  const kind = kindOf(groupBy);
  let left: Reach | null = reachOf(scope, page);
  let groups: readonly UsageGroup[] = [];
  let [rowsRead, span] = [0, 1];
  while (left !== null && groups.length <= limit) {
    // oxlint-disable-next-line no-await-in-loop -- each begins where the one before it ended
    const step: Step = await nextStep(database, kind, { reach: left, limit, span, groupBy });
    // oxlint-disable-next-line no-await-in-loop -- as above
    const read = await readReach(database, step.reach, page);
    groups = [...groups, ...read.groups];
    rowsRead += read.rowsRead;
    left = step.next;
    // Days that have few rows are read by the week or month.
    span = left === null || isWithin(left) || read.groups.length > limit / 4 ? 1 : span * 2;
  }
  const shown = groups.slice(0, limit);
  const last = shown.at(-1);
  const isMore = groups.length > limit;
  return {
    groups: shown,
    next: isMore && last !== undefined ? placeOf(last, groupBy) : null,
    rowsRead,
  };
}

/** It begins in the midst of a day or hour. */
const isWithin = ({ tenants }: Reach): boolean => tenants.kind === "range" && tenants.after !== "";

function nextStep(
  database: D1Database,
  kind: Kind,
  { groupBy, ...left }: Left & { readonly span: number; readonly groupBy: readonly GroupKey[] },
): Promise<Step> | Step {
  const { tenants } = left.reach;
  const [first] = groupBy;
  if (first === "tenant") return stepByTenant(database, kind, left);
  // Of a named tenant, and of sums over all tenants, there is little.
  const isMuch = tenants.kind === "range" || (tenants.kind === "all" && tenants.byTenant);
  const isTimed = (first === "day" && isMuch) || (first === "hour" && tenants.kind !== "named");
  return isTimed ? stepByTime(database, kind, left) : { reach: left.reach, next: null };
}

/** All that may still come, behind a page's beginning. */
export function reachOf({ from, to, tenant }: UsageScope, { groupBy, after }: UsagePage): Reach {
  const [first, second] = groupBy;
  const isTimed = first === "day" || first === "hour";
  const at = after === null || !isTimed ? null : Number(after[0]);
  const hours = {
    from: first === "hour" && at !== null ? at : firstHourOf(from),
    to: firstHourOf(to),
  };
  // Rows are sorted by tenant, or by tenant within a day or hour.
  const place = first === "tenant" ? 0 : isTimed && second === "tenant" ? 1 : null;
  const byTenant = groupBy.includes("tenant");
  const isLast = groupBy.length - 1 === place;
  const tenants = (): Tenants => {
    if (tenant !== null) return { kind: "named", names: [tenant] };
    if (place === null) return { kind: "all", byTenant };
    const name = after === null ? "" : String(after[place]);
    return { kind: "range", after: name, included: after === null || !isLast, to: null };
  };
  return {
    from: first === "day" && at !== null ? at : from,
    to,
    hours: groupBy.includes("hour") ? hours : null,
    tenants: tenants(),
  };
}

/** Rows of a reach: at most one more than are asked for. */
async function readReach(
  database: D1Database,
  reach: Reach,
  { groupBy, after, limit }: UsagePage,
): Promise<{ readonly groups: readonly UsageGroup[] } & ReadRows> {
  const kind = kindOf(groupBy);
  const columns = columnsOf(groupBy);
  const first = new Rows(kind, reach, columns, { after, upTo: null });
  const found = await first.sums(database, AMOUNTS[kind], limit + 1).all<Row>();
  const last = found.results.at(-1);
  if (last === undefined) return { groups: [], rowsRead: rowsReadBy([found]) };
  if (kind === "users")
    return { groups: found.results.map(userGroup), rowsRead: rowsReadBy([found]) };
  const upTo = namesOf(columns).map((name) => last[name] ?? "");
  const engines = new Rows("usage", reach, columns, { after, upTo });
  const statements =
    kind === "usage"
      ? [engines.parts(database, ["units", "latency"])]
      : [
          engines.sums(database, AMOUNTS.usage),
          engines.parts(database, ["units"]),
          new Rows("calls", reach, columns, { after, upTo }).parts(database, CALL_COUNTS),
        ];
  const results = await database.batch<Row>(statements);
  const [one = [], two = [], three = []] = results.map(({ results: rows }) => rows);
  const rows = kind === "usage" ? [found.results, one] : [one, two, found.results, three];
  return {
    groups: toGroups(namesOf(columns), rows, kind === "calls"),
    rowsRead: rowsReadBy([found, ...results]),
  };
}

const userGroup = (row: Row): UsageGroup => ({
  key: keyOf(row),
  engines: null,
  calls: null,
  user: { calls: number(row["calls"]), microNeurons: big(row["micro_neurons"]) },
  latency: null,
});

/** What is needed to say what the platform itself cost. */
export interface PlatformRows {
  readonly cached: number;
  readonly pictures: number;
  readonly reportRows: number;
}

const wholeOf = ({ from, to, tenant }: UsageScope): Reach => ({
  from,
  to,
  hours: null,
  tenants: tenant === null ? { kind: "all", byTenant: false } : { kind: "named", names: [tenant] },
});

/** Over the whole range, whatever the page. Of units the tokens alone. */
export async function readTotals(
  database: D1Database,
  scope: UsageScope,
): Promise<UsageTotals & { readonly platform: PlatformRows } & ReadRows> {
  const engines = new Rows("usage", wholeOf(scope), []);
  const calls = new Rows("calls", wholeOf(scope), []);
  const results = await database.batch<Row>([
    engines.sums(database, TOTAL_AMOUNTS.usage),
    calls.sums(database, TOTAL_AMOUNTS.calls),
    calls.parts(database, CALL_COUNTS),
  ]);
  const [ran = [], called = [], counted = []] = results.map(({ results: rows }) => rows);
  const [sums, callSums] = [ran[0] ?? {}, called[0] ?? {}];
  const units = ["input_token", "cached_input_token", "output_token"]
    .filter((name) => number(sums[name]) !== 0)
    .map((name): Row => ({ part: "units", name, sum: number(sums[name]) }));
  const [group] = toGroups([], [ran, units, called, counted], true);
  return {
    engines: group?.engines ?? NO_ENGINES,
    calls: group?.calls ?? NO_CALLS,
    latency: group?.latency ?? {},
    platform: {
      cached: number(sums["cached"]),
      pictures: number(sums["pictures"]),
      reportRows: number(sums["hours"]) + number(callSums["hours"]),
    },
    rowsRead: rowsReadBy(results),
  };
}

/** How calls ended and what they drew, without refusals and latencies. */
export async function readDrawn(
  database: D1Database,
  scope: UsageScope,
): Promise<{ readonly calls: CallSums } & ReadRows> {
  if (scope.from >= scope.to) return { calls: NO_CALLS, rowsRead: 0 };
  const calls = new Rows("calls", wholeOf(scope), []);
  const results = await database.batch<Row>([
    calls.sums(database, AMOUNTS.calls),
    calls.parts(database, ["overage_by_rate"]),
  ]);
  const [called = [], counted = []] = results.map(({ results: rows }) => rows);
  const [group] = toGroups([], [[], [], called, counted], true);
  return { calls: group?.calls ?? NO_CALLS, rowsRead: rowsReadBy(results) };
}
