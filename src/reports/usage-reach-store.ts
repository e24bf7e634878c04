import { CLOSED_BEFORE, HOURS_OF_A_DAY } from "./upkeep-store.ts";
import { StatementBuilder, type Kind, numbers, type Reach } from "./usage-source-store.ts";

// How far one step of a page reads, where rows are of tenants. Rows are sums of all that lies between
// two keys, so a page is read by its range of keys alone. That is found first, by looking at no more
// rows than the page has in each day or hour that it may come from: what is behind a page costs
// nothing, however many tenants there are.

export interface Step {
  readonly reach: Reach;
  /** What is left behind it; null: nothing. */
  readonly next: Reach | null;
}

/** What is left to read, and how many rows of it are asked for. */
export interface Left {
  readonly reach: Reach;
  readonly limit: number;
}

const TABLES = {
  usage: { days: "usage_days", hours: "usage_hours" },
  calls: { days: "call_days", hours: "call_hours" },
} as const;

const ANY = { kind: "range", after: "", included: true, to: null } as const;

/** Rows that are sorted by tenant: those of the first tenants. */
export async function stepByTenant(
  database: D1Database,
  kind: Kind,
  { reach, limit }: Left,
): Promise<Step> {
  const last = await lastTenant(database, kind, { reach, limit });
  if (last === null) return { reach, next: null };
  const { tenants } = reach;
  return {
    reach: { ...reach, tenants: tenants.kind === "range" ? { ...tenants, to: last } : tenants },
    next: { ...reach, tenants: { kind: "range", after: last, included: false, to: null } },
  };
}

/**
 * Rows that are sorted by day or hour, then by tenant: those of the first tenants of the first one, or
 * of some whole ones, as many as `span`.
 */
export async function stepByTime(
  database: D1Database,
  kind: Kind,
  { reach, limit, span }: Left & { readonly span: number },
): Promise<Step> {
  const from = reach.hours?.from ?? reach.from;
  const to = reach.hours?.to ?? reach.to;
  const between = (first: number, end: number): Reach =>
    reach.hours === null
      ? { ...reach, from: first, to: end }
      : { ...reach, hours: { from: first, to: end } };
  const end = Math.min(to, from + span);
  const tenants = reach.tenants.kind === "range" ? ANY : reach.tenants;
  const next = end < to ? { ...between(end, to), tenants } : null;
  if (span > 1) return { reach: { ...between(from, end), tenants }, next };
  const step = await stepByTenant(database, kind, { reach: between(from, end), limit });
  return step.next === null
    ? { reach: step.reach, next }
    : { reach: step.reach, next: { ...between(from, to), tenants: step.next.tenants } };
}

/** Up to and with this tenant there are `limit` rows and one in some day or hour; null: in none. */
async function lastTenant(
  database: D1Database,
  kind: Kind,
  { reach, limit }: Left,
): Promise<string | null> {
  const { tenants, hours } = reach;
  if (tenants.kind !== "range") return null;
  const statement = new StatementBuilder();
  const after = `t.tenant ${tenants.included ? ">=" : ">"} ${statement.put(tenants.after)}`;
  const of = (table: string, isAt: string) =>
    `(SELECT IIF(COUNT(*) > ${limit}, MAX(tenant), NULL) FROM (SELECT t.tenant FROM ${table} AS t
      WHERE t.${isAt} AND ${after} ORDER BY t.tenant LIMIT ${limit + 1}))`;
  const [first, end] = hours === null ? [reach.from, reach.to] : [hours.from, hours.to];
  const days = `json_each(${statement.put(numbers(first, end))}) AS d`;
  const parts = (): readonly string[] => {
    if (kind === "users")
      return [`SELECT ${of("user_days", "day = d.value")} AS last FROM ${days}`];
    const table = TABLES[kind];
    if (hours !== null) return [`SELECT ${of(table.hours, "hour = d.value")} AS last FROM ${days}`];
    return [
      `SELECT ${of(table.days, "day = d.value")} AS last FROM ${days}
        WHERE d.value < ${CLOSED_BEFORE}`,
      `SELECT ${of(table.hours, "hour = d.value * 24 + n.value")} AS last
        FROM ${days} CROSS JOIN ${HOURS_OF_A_DAY} AS n WHERE d.value >= ${CLOSED_BEFORE}`,
    ];
  };
  const found = await statement
    .on(database, `SELECT MIN(last) AS last FROM (${parts().join(" UNION ALL ")})`)
    .first<{ last: string | null }>();
  return found?.last ?? null;
}
