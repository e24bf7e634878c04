import type { Day } from "../domain/ledger/period.ts";
import type { Hour } from "../domain/usage/report-rows.ts";
import { CLOSED_BEFORE, HOURS_OF_A_DAY, SUMMED_BEFORE, SUMMED_FROM } from "./upkeep-store.ts";

// Where what is asked about usage is read from. A closed day has sums over all tenants, and sums of each
// tenant; where either is behind (`marked_days`), and for days that are not closed, the hours are read.
// Hours of those days, and of the last closed one, have sums over all tenants once they are over, but where
// these are behind (`marked_hours`).
// Each hour is so read in exactly one of these ways, and the statement itself says which: what is
// written meanwhile changes nothing of it.

/** Rows of one of these stand at the day of the call. */
export type Kind = "usage" | "calls" | "users";

export interface Reach {
  /** Included. */
  readonly from: Day;
  /** Not included. */
  readonly to: Day;
  /** Hours of these days, where rows are of hours; null: days. */
  readonly hours: { readonly from: Hour; readonly to: Hour } | null;
  readonly tenants: Tenants;
}

export type Tenants =
  /** `byTenant`: each row names its tenant. */
  | { readonly kind: "all"; readonly byTenant: boolean }
  | { readonly kind: "named"; readonly names: readonly string[] }
  | {
      readonly kind: "range";
      readonly after: string;
      readonly included: boolean;
      readonly to: string | null;
    };

/** Behind every name there is. */
const LAST_NAME = "\u{10FFFF}";

/** Collects the values of a statement: each is a numbered parameter. */
export class StatementBuilder {
  readonly values: (string | number)[] = [];

  put(value: string | number): string {
    const at = this.values.indexOf(value);
    return `?${at < 0 ? this.values.push(value) : at + 1}`;
  }

  on(database: D1Database, sql: string): D1PreparedStatement {
    const statement = database.prepare(sql);
    return this.values.length === 0 ? statement : statement.bind(...this.values);
  }
}

const TABLES = {
  usage: {
    hours: "usage_hours",
    days: "usage_days",
    sums: "usage_sums",
    hourSums: "usage_hour_sums",
  },
  calls: { hours: "call_hours", days: "call_days", sums: "call_sums", hourSums: "call_hour_sums" },
} as const;

interface Arm {
  /** Its rows are `t`. */
  readonly from: string;
  readonly day: string;
  /** How many rows of hours a row adds up. */
  readonly hours: string;
}

const NOT_BEHIND = `NOT EXISTS (SELECT 1 FROM marked_days AS o
  WHERE o.day = t.day AND o.tenant = t.tenant AND o.stage = 1)`;

/** All from one on and before another, as a list of JSON. */
export const numbers = (from: number, to: number): string =>
  JSON.stringify(Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at));

/** A condition on the tenant of a row, and the list of those that are named. */
function tenantFilter(tenants: Tenants, statement: StatementBuilder) {
  if (tenants.kind === "all") return { is: () => "true", names: "'[]'" };
  if (tenants.kind === "named") {
    const names = statement.put(JSON.stringify(tenants.names));
    return {
      is: (row: string) => `${row}.tenant IN (SELECT value FROM json_each(${names}))`,
      names,
    };
  }
  const from = `${tenants.included ? ">=" : ">"} ${statement.put(tenants.after)}`;
  const to = statement.put(tenants.to ?? LAST_NAME);
  return {
    is: (row: string) => `${row}.tenant ${from} AND ${row}.tenant <= ${to}`,
    names: "'[]'",
  };
}

/** The generations of the tenant `w.value`, each found by one look into the key. */
const livesIn = (table: string): string => `(
  WITH RECURSIVE lives(life) AS (SELECT MIN(life) FROM ${table} WHERE tenant = w.value UNION ALL
    SELECT (SELECT MIN(life) FROM ${table} WHERE tenant = w.value AND life > lives.life)
      FROM lives WHERE lives.life IS NOT NULL) SELECT life FROM lives)`;

function armsOf(kind: Kind, reach: Reach, statement: StatementBuilder): readonly Arm[] {
  const { from, to, hours, tenants } = reach;
  const filter = tenantFilter(tenants, statement);
  const each = (numbered: string) => statement.put(numbered);
  if (kind === "users") {
    const days = each(numbers(from, to));
    const of = `json_each(${days}) AS d CROSS JOIN user_days AS t ON t.day = d.value`;
    return [{ from: `${of} AND ${filter.is("t")}`, day: "t.day", hours: "0" }];
  }
  const table = TABLES[kind];
  // Of named tenants a range of hours is a range of the key, within each of their generations.
  const ofNamed = (first: string, end: number) => `json_each(${filter.names}) AS w
    CROSS JOIN ${table.hours} AS t ON t.tenant = w.value AND t.life IN ${livesIn(table.hours)}
      AND t.hour >= ${first} AND t.hour < ${end}`;
  const hoursWithin = (first: string | number, end: string | number): Arm => ({
    from: `${table.hours} AS t WHERE t.hour >= ${first} AND t.hour < ${end}`,
    day: "t.hour / 24",
    hours: "1",
  });
  // Sums where there are any; by tenant where they are behind.
  const hourSums = (first: string, end: number): readonly Arm[] => {
    const isSummed = (hour: string) =>
      `${hour} >= ${first} AND ${hour} < MIN(${end}, ${SUMMED_BEFORE})`;
    return [
      {
        from: `${table.hourSums} AS t WHERE ${isSummed("t.hour")}
          AND t.hour NOT IN (SELECT hour FROM marked_hours)`,
        day: "t.hour / 24",
        hours: "t.hours",
      },
      {
        from: `marked_hours AS m CROSS JOIN ${table.hours} AS t ON t.hour = m.hour
          WHERE ${isSummed("m.hour")}`,
        day: "m.hour / 24",
        hours: "1",
      },
    ];
  };
  if (hours !== null) {
    if (tenants.kind === "all" && !tenants.byTenant) {
      return [
        hoursWithin(hours.from, `MIN(${hours.to}, ${SUMMED_FROM})`),
        ...hourSums(`MAX(${hours.from}, ${SUMMED_FROM})`, hours.to),
        hoursWithin(`MAX(${hours.from}, ${SUMMED_FROM}, ${SUMMED_BEFORE})`, hours.to),
      ];
    }
    const of = {
      all: () => `${table.hours} AS t WHERE t.hour >= ${hours.from} AND t.hour < ${hours.to}`,
      named: () => ofNamed(String(hours.from), hours.to),
      range: () => `json_each(${each(numbers(hours.from, hours.to))}) AS n
        CROSS JOIN ${table.hours} AS t ON t.hour = n.value AND ${filter.is("t")}`,
    }[tenants.kind]();
    return [{ from: of, day: "t.hour / 24", hours: "1" }];
  }
  const within = (day: string) => `${day} >= ${from} AND ${day} < ${to}`;
  const behind: Arm = {
    from: `marked_days AS m CROSS JOIN ${HOURS_OF_A_DAY} AS n CROSS JOIN ${table.hours} AS t
      ON t.hour = m.day * 24 + n.value AND t.tenant = m.tenant
      WHERE m.stage = 1 AND ${within("m.day")} AND ${filter.is("m")}`,
    day: "m.day",
    hours: "1",
  };
  if (tenants.kind !== "all") {
    const days = each(numbers(from, to));
    return [
      {
        from: `json_each(${days}) AS d CROSS JOIN ${table.days} AS t
          ON t.day = d.value AND ${filter.is("t")} WHERE d.value < ${CLOSED_BEFORE} AND ${NOT_BEHIND}`,
        day: "t.day",
        hours: "t.hours",
      },
      behind,
      tenants.kind === "named"
        ? {
            from: ofNamed(`24 * MAX(${from}, ${CLOSED_BEFORE})`, 24 * to),
            day: "t.hour / 24",
            hours: "1",
          }
        : {
            from: `json_each(${days}) AS d CROSS JOIN ${HOURS_OF_A_DAY} AS n
              CROSS JOIN ${table.hours} AS t ON t.hour = d.value * 24 + n.value AND ${filter.is("t")}
              WHERE d.value >= ${CLOSED_BEFORE}`,
            day: "d.value",
            hours: "1",
          },
    ];
  }
  const openFrom = `24 * MAX(${from}, ${CLOSED_BEFORE})`;
  const closed = `${within("t.day")} AND t.day < ${CLOSED_BEFORE}`;
  if (tenants.byTenant) {
    const days = `${table.days} AS t WHERE ${closed} AND ${NOT_BEHIND}`;
    return [{ from: days, day: "t.day", hours: "t.hours" }, behind, hoursWithin(openFrom, 24 * to)];
  }
  const marked = `SELECT day FROM marked_days WHERE ${within("day")}`;
  return [
    {
      from: `${table.sums} AS t WHERE ${closed} AND t.day NOT IN (${marked})`,
      day: "t.day",
      hours: "t.hours",
    },
    {
      from: `${table.days} AS t WHERE t.day IN (${marked}) AND ${NOT_BEHIND}`,
      day: "t.day",
      hours: "t.hours",
    },
    behind,
    ...hourSums(openFrom, 24 * to),
    hoursWithin(`MAX(${openFrom}, ${SUMMED_BEFORE})`, 24 * to),
  ];
}

const UNION = " UNION ALL ";

/** D1 takes so many terms of a union. */
const MOST_TERMS = 5;

/** A column of what is read, and what it is of a row `t`. */
export type Column = readonly [name: string, of: string];

/**
 * Rows of a kind with these columns, of whatever tables they stand in. Of a column, `{day}` is the day
 * of the row and `{hours}` how many rows of hours it adds up.
 */
export function sourceOf(
  kind: Kind,
  reach: Reach,
  {
    columns,
    statement,
  }: { readonly columns: readonly Column[]; readonly statement: StatementBuilder },
): string {
  const selects = armsOf(kind, reach, statement).map(({ from, day, hours }) => {
    const listed = columns.map(([name, of]) => `${of} AS ${name}`).join(", ");
    return `SELECT ${listed.replaceAll("{day}", day).replaceAll("{hours}", hours)} FROM ${from}`;
  });
  const [some, others] = [selects.slice(0, MOST_TERMS - 1), selects.slice(MOST_TERMS - 1)];
  if (others.length < 2) return selects.join(UNION);
  return [...some, `SELECT * FROM (${others.join(UNION)})`].join(UNION);
}
