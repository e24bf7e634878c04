import type { Hour } from "../domain/report-rows.ts";
import {
  type GroupKey,
  NO_CALLS,
  NO_ENGINES,
  type UsageGroup,
  type UsageTotals,
} from "../domain/usage-sums.ts";
import { big, keyOf, number, type Row, toGroups } from "./usage-rows.ts";

// What the platform reads of usage, across tenants, from the database of reports. What is read is
// bounded by hours, tenants and models, never by calls: the rows are sums already. Everything is added
// by the database; amounts come back as texts, since a JavaScript number rounds above 2^53.

export interface UsageScope {
  /** Included. */
  readonly fromHour: Hour;
  /** Not included. */
  readonly toHour: Hour;
  /** Null: all tenants. */
  readonly tenant: string | null;
}

export interface UsagePage {
  readonly groupBy: readonly GroupKey[];
  readonly skip: number;
  readonly limit: number;
}

/** A key, its expression over the hours' tables, and the columns that it brings. */
const COLUMNS: Readonly<Record<GroupKey, readonly (readonly [name: string, of: string])[]>> = {
  day: [["day", "t.hour / 24"]],
  hour: [["hour", "t.hour"]],
  tenant: [["tenant", "t.tenant"]],
  model: [
    ["model", "t.model"],
    ["engine", "t.engine"],
    ["priced_as", "t.priced_as"],
    ["task", "t.task"],
  ],
  task: [["task", "t.task"]],
  user: [["user_id", "t.user_id"]],
};

/** Of users' days, which have no hours. */
const USER_COLUMNS: typeof COLUMNS = { ...COLUMNS, day: [["day", "t.day"]] };

/** Rows are of calls, unless they are grouped by what a call may ask several of. */
const isOfCalls = (groupBy: readonly GroupKey[]): boolean =>
  !groupBy.some((key) => key === "model" || key === "task" || key === "user");

const ENGINE_SUMS = `SUM(t.engine_requests) AS engine_requests, SUM(t.failed) AS failed,
  CAST(SUM(t.micro_neurons) AS TEXT) AS micro_neurons, CAST(SUM(t.estimated) AS TEXT) AS estimated,
  CAST(SUM(t.held) AS TEXT) AS held, CAST(SUM(t.overrun) AS TEXT) AS overrun`;

const CALL_SUMS = `SUM(t.calls) AS calls, SUM(t.voided) AS voided, SUM(t.expired) AS expired,
  SUM(t.failed) AS failed, CAST(SUM(t.quota) AS TEXT) AS quota,
  CAST(SUM(t.granted) AS TEXT) AS granted, CAST(SUM(t.overage) AS TEXT) AS overage,
  CAST(SUM(t.adjusted) AS TEXT) AS adjusted`;

type Columns = readonly (readonly [name: string, of: string])[];

/** `task` stands once, also where rows are grouped by model and task. */
const columnsOf = (groupBy: readonly GroupKey[], table: typeof COLUMNS): Columns => [
  ...new Map(groupBy.flatMap((key) => table[key])),
];

const selected = (columns: Columns): string =>
  columns.map(([name, of]) => `${of} AS ${name}`).join(", ");

const namesOf = (columns: Columns): readonly string[] => columns.map(([name]) => name);

const rowsOf = (results: readonly D1Result<Row>[]) => results.map(({ results: rows }) => rows);

const expressions = (columns: Columns): string => columns.map(([, of]) => of).join(", ");

const grouped = (columns: Columns): string =>
  columns.length === 0 ? "" : `GROUP BY ${expressions(columns)} ORDER BY ${expressions(columns)}`;

const and = (parts: readonly string[]): string => parts.filter((part) => part !== "").join(", ");

/**
 * The lives of one tenant, each found by one look into the key, so that a range of hours is a range of
 * the key and not all that the tenant ever did.
 */
const livesIn = (table: string): string => `t.tenant = ?3 AND t.life IN (
  WITH RECURSIVE lives(life) AS (SELECT MIN(life) FROM ${table} WHERE tenant = ?3 UNION ALL
    SELECT (SELECT MIN(life) FROM ${table} WHERE tenant = ?3 AND life > lives.life)
      FROM lives WHERE lives.life IS NOT NULL) SELECT life FROM lives)`;

/** One table under one scope. */
class Table {
  readonly #name: string;
  readonly #where: string;
  readonly #values: readonly (string | number)[];

  constructor(name: string, { fromHour, toHour, tenant }: UsageScope) {
    const days = name === "user_days";
    this.#name = name;
    const range = days ? "t.day >= ?1 AND t.day < ?2" : "t.hour >= ?1 AND t.hour < ?2";
    this.#where = tenant === null ? range : `${range} AND ${livesIn(name)}`;
    const [from, to] = days ? [fromHour / 24, toHour / 24] : [fromHour, toHour];
    this.#values = tenant === null ? [from, to] : [from, to, tenant];
  }

  #from(join = ""): string {
    return `FROM ${this.#name} AS t ${join} WHERE ${this.#where}`;
  }

  sums(columns: Columns, sums: string, { joined = "", paged = "" } = {}): string {
    const what = and([selected(columns), sums]);
    return `SELECT ${what} ${this.#from(joined)} ${grouped(columns)} ${paged}`;
  }

  /** The sum of each key of JSON columns, a row for each: `part`, `name`, `sum`. */
  parts(columns: Columns, json: readonly string[], joined = ""): string {
    return json
      .map((column) => {
        const what = and([selected(columns), `'${column}' AS part`, "j.key AS name"]);
        const by = and([expressions(columns), "j.key"]);
        const from = this.#from(`${joined} JOIN json_each(t.${column}) AS j`);
        return `SELECT ${what}, CAST(SUM(j.value) AS TEXT) AS sum ${from} GROUP BY ${by}`;
      })
      .join(" UNION ALL ");
  }

  bound(database: D1Database, sql: string, page: readonly number[] = []): D1PreparedStatement {
    const first = this.#values.length === 2 ? [...this.#values, null] : this.#values;
    return database.prepare(sql).bind(...first.slice(0, this.#used(sql, page)), ...page);
  }

  /** A statement takes exactly the values that it names. */
  #used(sql: string, page: readonly number[]): number {
    return page.length > 0 || sql.includes("?3") ? 3 : 2;
  }
}

/** Of a page's groups alone: they are found again by their keys. */
const joinPage = (columns: Columns): string =>
  `JOIN page AS p ON ${columns.map(([name, of]) => `p.${name} IS ${of}`).join(" AND ")}`;

export interface UsageRead {
  readonly groups: readonly UsageGroup[];
  readonly more: boolean;
}

export interface ReadRows {
  /** Rows that the database read for it, as it bills them. */
  readonly rowsRead: number;
}

/** A page of rows, in the order of their keys. */
export async function readGroups(
  database: D1Database,
  scope: UsageScope,
  page: UsagePage,
): Promise<UsageRead & ReadRows> {
  if (page.groupBy.includes("user")) return readUsers(database, scope, page);
  const ofCalls = isOfCalls(page.groupBy);
  const columns = columnsOf(page.groupBy, COLUMNS);
  const engines = new Table("usage_hours", scope);
  const calls = new Table("call_hours", scope);
  const paged = "LIMIT ?4 OFFSET ?5";
  const keys = (ofCalls ? calls : engines).sums(columns, "", { paged });
  const joined = joinPage(columns);
  const within = (table: Table, sql: string) =>
    table.bound(database, `WITH page AS (${keys}) ${sql}`, [page.limit + 1, page.skip]);
  const statements = [
    within(engines, engines.sums(columns, ENGINE_SUMS, { joined })),
    within(engines, engines.parts(columns, ofCalls ? ["units"] : ["units", "latency"], joined)),
  ];
  if (ofCalls) {
    const json = ["overage_by_rate", "refused", "latency"];
    statements.push(
      within(calls, calls.sums(columns, CALL_SUMS, { joined })),
      within(calls, calls.parts(columns, json, joined)),
    );
  }
  const results = await database.batch<Row>(statements);
  const groups = toGroups(namesOf(columns), rowsOf(results), ofCalls);
  return {
    groups: groups.slice(0, page.limit),
    more: groups.length > page.limit,
    rowsRead: rowsReadBy(results),
  };
}

/** Over the whole range, whatever the page. */
export async function readTotals(
  database: D1Database,
  scope: UsageScope,
): Promise<UsageTotals & ReadRows> {
  const engines = new Table("usage_hours", scope);
  const calls = new Table("call_hours", scope);
  const bound = (table: Table, sql: string) => table.bound(database, sql);
  const results = await database.batch<Row>([
    bound(engines, engines.sums([], ENGINE_SUMS)),
    bound(engines, engines.parts([], ["units"])),
    bound(calls, calls.sums([], CALL_SUMS)),
    bound(calls, calls.parts([], ["overage_by_rate", "refused", "latency"])),
  ]);
  const [group] = toGroups([], rowsOf(results), true);
  return {
    engines: group?.engines ?? NO_ENGINES,
    calls: group?.calls ?? NO_CALLS,
    latency: group?.latency ?? {},
    rowsRead: rowsReadBy(results),
  };
}

async function readUsers(
  database: D1Database,
  scope: UsageScope,
  page: UsagePage,
): Promise<UsageRead & ReadRows> {
  const users = new Table("user_days", scope);
  const columns = columnsOf(page.groupBy, USER_COLUMNS);
  const sums = "SUM(t.calls) AS calls, CAST(SUM(t.micro_neurons) AS TEXT) AS micro_neurons";
  const sql = users.sums(columns, sums, { paged: "LIMIT ?4 OFFSET ?5" });
  const statement = users.bound(database, sql, [page.limit + 1, page.skip]);
  const result = await statement.all<Row>();
  const groups = result.results.map((row) => ({
    key: keyOf(row),
    engines: null,
    calls: null,
    user: { calls: number(row["calls"]), microNeurons: big(row["micro_neurons"]) },
    latency: null,
  }));
  return {
    groups: groups.slice(0, page.limit),
    more: groups.length > page.limit,
    rowsRead: rowsReadBy([result]),
  };
}

/** What is needed to say what the platform itself cost. */
export async function countPlatform(
  database: D1Database,
  scope: UsageScope,
): Promise<{ cached: number; pictures: number; reportRows: number } & ReadRows> {
  const tables = ["usage_hours", "call_hours", "user_days"].map((name) => new Table(name, scope));
  const [usage = expected(), ...others] = tables;
  const kinds = `COUNT(*) AS report_rows,
    IFNULL(SUM(IIF(t.engine = 'cache', t.engine_requests, 0)), 0) AS cached,
    IFNULL(SUM(IIF(t.task = 'text_to_image', t.engine_requests, 0)), 0) AS pictures`;
  const results = await database.batch<Row>([
    usage.bound(database, usage.sums([], kinds)),
    ...others.map((table) => table.bound(database, table.sums([], "COUNT(*) AS report_rows"))),
  ]);
  const rows = results.flatMap(({ results: found }) => found);
  const total = (name: string) => rows.reduce((sum, row) => sum + number(row[name]), 0);
  return {
    cached: total("cached"),
    pictures: total("pictures"),
    reportRows: total("report_rows"),
    rowsRead: rowsReadBy(results),
  };
}

const expected = (): never => {
  throw new Error("there is a table of usage");
};

const rowsReadBy = (results: readonly D1Result[]): number =>
  results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
