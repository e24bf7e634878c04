import { type GroupKey, largestAndOthers, type UsageGroup } from "../domain/usage/usage-report.ts";
import { AMOUNTS, CALL_COUNTS, columnsOf, namesOf, type UsageScope } from "./usage-columns.ts";
import { type ReadRows, Rows, rowsReadBy } from "./usage-query-store.ts";
import { type Row, toGroups } from "./usage-rows.ts";
import { StatementBuilder, type Column, type Reach, sourceOf } from "./usage-source-store.ts";
import { reachOf } from "./usage-store.ts";

// The tenants that used most, and all others together. The number of rows does not grow with the number
// of tenants.

const groupsOf = (some: readonly (readonly Row[])[], keys: readonly GroupKey[]) =>
  toGroups(namesOf(columnsOf(keys)), some, true);

export interface LargestPage {
  /** `tenant`, and the days or hours before it. */
  readonly groupBy: readonly GroupKey[];
  readonly most: number;
}

/** Rows of the tenants that used most in the whole range, and one of all others together. */
export async function readLargest(
  database: D1Database,
  scope: UsageScope,
  { groupBy, most }: LargestPage,
): Promise<{ readonly groups: readonly UsageGroup[] } & ReadRows> {
  const whole = reachOf(scope, { groupBy, after: null, limit: most });
  // Over the whole range, so days will do.
  const ranking: Reach = { ...whole, hours: null, tenants: { kind: "all", byTenant: true } };
  const ranked = await rank(database, ranking, most);
  const names = ranked.results.map(({ tenant }) => tenant);
  const beside = groupBy.filter((key) => key !== "tenant");
  const all = halves(database, { ...whole, tenants: { kind: "all", byTenant: false } }, beside);
  const largest = halves(database, { ...whole, tenants: { kind: "named", names } }, groupBy);
  // One transaction: the others are what is left of all.
  const results = await database.batch<Row>([...all, ...largest]);
  const rows = results.map((result) => result.results);
  const groups = largestAndOthers(
    groupsOf(rows.slice(0, all.length), beside),
    groupsOf(rows.slice(all.length), groupBy),
    names,
  );
  return { groups, rowsRead: rowsReadBy([ranked, ...results]) };
}

/** Sums of engines and of calls, as `toGroups` takes them. */
function halves(
  database: D1Database,
  reach: Reach,
  groupBy: readonly GroupKey[],
): readonly D1PreparedStatement[] {
  const [engines, calls] = (["usage", "calls"] as const).map(
    (kind) => new Rows(kind, reach, columnsOf(groupBy)),
  );
  if (engines === undefined || calls === undefined) return [];
  return [
    engines.sums(database, AMOUNTS.usage),
    engines.parts(database, ["units"]),
    calls.sums(database, AMOUNTS.calls),
    calls.parts(database, CALL_COUNTS),
  ];
}

function rank(database: D1Database, reach: Reach, most: number) {
  const statement = new StatementBuilder();
  const columns: readonly Column[] = [
    ["tenant", "t.tenant"],
    ["spent", "t.quota + t.granted + t.overage - t.adjusted"],
  ];
  const sql = `SELECT s.tenant FROM (${sourceOf("calls", reach, { columns, statement })}) AS s
    GROUP BY s.tenant ORDER BY SUM(s.spent) DESC, s.tenant LIMIT ${most}`;
  return statement.on(database, sql).all<{ tenant: string }>();
}
