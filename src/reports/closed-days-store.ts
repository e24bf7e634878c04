import type { Day } from "../domain/ledger/period.ts";
import { CALL_FIELDS, ENGINE_FIELDS } from "../domain/usage/usage-sum.ts";
import { amountColumns, countColumns } from "./report-row-columns.ts";
import type { Hour } from "../domain/usage/report-rows.ts";
import {
  CLOSED_BEFORE,
  HOURS_OF_A_DAY,
  MARKED,
  ROLLED_BEFORE,
  SUMMED_BEFORE,
  SUMMED_FROM,
} from "./upkeep-store.ts";

// Adds up each day that is over, once, so that a report on a month reads some rows a day and not all of
// its hours. A day is closed soon after its end; no report depends on when. A late change of a closed
// day (a call that settled after midnight, an adjustment, a rebuild, a deletion) marks the tenant's day
// in the transaction that writes it. Until that day is added up again, reports read the tenant's hours.
// So a report is exact at any moment, however far this is behind.
//
// To close a day is to mark it for all of its tenants. Then each tenant's day is added up (stage 1 to 2),
// then the day over all tenants; then its marks are deleted.

/** A table of hours: the columns that are added up, and those with counts by name. */
interface Summed {
  readonly hours: "usage_hours" | "call_hours";
  readonly days: "usage_days" | "call_days";
  readonly sums: "usage_sums" | "call_sums";
  readonly hourSums: "usage_hour_sums" | "call_hour_sums";
  /** The key of a row, beside its tenant, generation and day. */
  readonly key: readonly string[];
  readonly amounts: readonly string[];
  readonly counts: readonly string[];
}

const USAGE: Summed = {
  hours: "usage_hours",
  days: "usage_days",
  sums: "usage_sums",
  hourSums: "usage_hour_sums",
  key: ["model", "engine", "priced_as", "task"],
  amounts: amountColumns(ENGINE_FIELDS),
  counts: countColumns(ENGINE_FIELDS),
};

const CALLS: Summed = {
  hours: "call_hours",
  days: "call_days",
  sums: "call_sums",
  hourSums: "call_hour_sums",
  key: [],
  amounts: amountColumns(CALL_FIELDS),
  counts: countColumns(CALL_FIELDS),
};

export const TABLES = [USAGE, CALLS];

/** All closed days, each found by one look. */
const CLOSED_DAYS = `closed(day) AS (SELECT MIN(day) FROM (SELECT MIN(day) AS day FROM usage_days
    UNION ALL SELECT MIN(day) FROM call_days) UNION ALL
  SELECT (SELECT MIN(day) FROM (SELECT MIN(day) AS day FROM usage_days WHERE day > closed.day
    UNION ALL SELECT MIN(day) FROM call_days WHERE day > closed.day))
  FROM closed WHERE closed.day IS NOT NULL)`;

/**
 * Marks the days of a tenant's generations, and deletes at most `limit` rows of them from each table.
 *
 * @param lives a condition on `t.life`, of `?2`
 */
export const clearDays = (
  database: D1Database,
  { tenant, generation }: { readonly tenant: string; readonly generation: number },
  { lives, limit }: { readonly lives: string; readonly limit: number },
): readonly D1PreparedStatement[] => [
  ...TABLES.map(({ days }) =>
    database
      .prepare(
        `WITH RECURSIVE ${CLOSED_DAYS} INSERT INTO marked_days (day, tenant, stage)
          SELECT DISTINCT t.day, t.tenant, IIF(t.day >= ${ROLLED_BEFORE}, 1, 2)
          FROM closed CROSS JOIN ${days} AS t ON t.day = closed.day AND t.tenant = ?1
          WHERE ${lives} ${MARKED}`,
      )
      .bind(tenant, generation),
  ),
  ...TABLES.map(({ days, key }) => {
    const columns = ["day", "tenant", "life", ...key];
    const of = columns.map((column) => `t.${column}`).join(", ");
    return database
      .prepare(
        `WITH RECURSIVE ${CLOSED_DAYS} DELETE FROM ${days} WHERE (${columns.join(", ")}) IN
          (SELECT ${of} FROM closed CROSS JOIN ${days} AS t
            ON t.day = closed.day AND t.tenant = ?1 WHERE ${lives} LIMIT ${limit})`,
      )
      .bind(tenant, generation);
  }),
];

const totalsOf = ({ amounts }: Summed): string =>
  amounts.map((name) => `SUM(t.${name}) AS ${name}`).join(", ");

/** What a row of a table of sums is of, beside the key. */
const OF = { days: ["day", "tenant", "life"], sums: ["day"], hourSums: ["hour"] } as const;

/** Rows of `from` (as `t`) added up by `by`, an expression for each column of the key. */
export function addedUp(
  { key, amounts, counts, ...table }: Summed,
  from: string,
  { into, by, counted }: { into: keyof typeof OF; by: readonly string[]; counted: string },
): string {
  const names = [...OF[into], ...key];
  const keys = by.map((of, at) => `${of} AS ${names[at]}`).join(", ");
  const group = by.join(", ");
  const last = into === "days" ? ", MAX(t.sequence) AS sequence" : "";
  const named = counts.map(
    (count) => `LEFT JOIN (
      SELECT ${names.join(", ")}, json_group_object(name, many) AS ${count} FROM (
        SELECT ${keys}, j.key AS name, SUM(j.value) AS many
          FROM ${from.replace("/* each */", `JOIN json_each(t.${count}) AS j`)}
          GROUP BY ${group}, j.key)
      GROUP BY ${names.join(", ")}) AS ${count}_of USING (${names.join(", ")})`,
  );
  const columns = [
    ...names,
    ...amounts,
    ...counts,
    "hours",
    ...(into === "days" ? ["sequence"] : []),
  ];
  const values = columns.map((name) => (counts.includes(name) ? `IFNULL(${name}, '{}')` : name));
  return `INSERT INTO ${table[into]} (${columns.join(", ")}) SELECT ${values.join(", ")}
    FROM (SELECT ${keys}, ${totalsOf({ key, amounts, counts, ...table })},
        ${counted} AS hours${last} FROM ${from} GROUP BY ${group})
    ${named.join(" ")}`;
}

/** A day of which no tenant's is behind. */
const READY = `SELECT MIN(day) FROM marked_days AS m WHERE NOT EXISTS
  (SELECT 1 FROM marked_days AS o WHERE o.stage = 1 AND o.day = m.day)`;

/** What is over, and is to be closed: what is before these. */
export interface Over {
  readonly day: Day;
  readonly hour: Hour;
}

/**
 * What is to be done next, in one statement: days of tenants, a day over all tenants, the closing of a
 * day; then hours. Null: nothing.
 */
export async function nextToDo(
  database: D1Database,
  over: Over,
): Promise<"tenants" | "day" | "close" | "hours" | null> {
  const found = await database
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM marked_days WHERE stage = 1) AS tenants, (${READY}) AS day,
        ${CLOSED_BEFORE} < ?1 AS close,
        MAX(${SUMMED_BEFORE}, ${SUMMED_FROM}) < ?2
          OR EXISTS (SELECT 1 FROM marked_hours WHERE hour >= ${SUMMED_FROM}) AS hours`,
    )
    .bind(over.day, over.hour)
    .first<{ tenants: number; day: number | null; close: number; hours: number }>();
  if (found === null) return null;
  if (found.tenants === 1) return "tenants";
  if (found.day !== null) return "day";
  if (found.close === 1) return "close";
  return found.hours === 1 ? "hours" : null;
}

/** The same at each statement of a transaction: marks change at its end. */
const SOME_MARKED = (limit: number) =>
  `some(day, tenant) AS MATERIALIZED
    (SELECT day, tenant FROM marked_days WHERE stage = 1 ORDER BY day, tenant LIMIT ${limit})`;

/** Adds up days of tenants that are marked, at most `limit`; true when there may be more. */
export async function addUpTenants(database: D1Database, limit: number): Promise<boolean> {
  const some = `WITH ${SOME_MARKED(limit)}`;
  const isSome = "(day, tenant) IN (SELECT day, tenant FROM some)";
  const statements = TABLES.flatMap((table) => {
    const from = `some CROSS JOIN ${HOURS_OF_A_DAY} AS n CROSS JOIN ${table.hours} AS t
      ON t.hour = some.day * 24 + n.value AND t.tenant = some.tenant /* each */`;
    const by = ["some.day", ...["tenant", "life", ...table.key].map((name) => `t.${name}`)];
    return [
      `${some} DELETE FROM ${table.days} WHERE ${isSome}`,
      `${some} ${addedUp(table, from, { into: "days", by, counted: "COUNT(*)" })}`,
    ];
  });
  const results = await database.batch(
    [...statements, `${some} UPDATE marked_days SET stage = 2 WHERE stage = 1 AND ${isSome}`].map(
      (sql) => database.prepare(sql),
    ),
  );
  return (results.at(-1)?.meta.changes ?? 0) >= limit;
}

/** Adds up one day over all tenants of which no tenant's day is behind; false when there is none. */
export async function addUpADay(database: D1Database): Promise<boolean> {
  const next = await database.prepare(`SELECT (${READY}) AS day`).first<{ day: number | null }>();
  const day = next?.day ?? null;
  if (day === null) return false;
  // Another tenant's day may have been marked since.
  const isReady = "NOT EXISTS (SELECT 1 FROM marked_days WHERE stage = 1 AND day = ?1)";
  const statements = TABLES.flatMap((table) => {
    const from = `${table.days} AS t /* each */ WHERE t.day = ?1 AND ${isReady}`;
    const by = ["t.day", ...table.key.map((name) => `t.${name}`)];
    return [
      `DELETE FROM ${table.sums} WHERE day = ?1 AND ${isReady}`,
      addedUp(table, from, { into: "sums", by, counted: "SUM(t.hours)" }),
    ];
  });
  await database.batch(
    [...statements, `DELETE FROM marked_days WHERE day = ?1 AND ${isReady}`].map((sql) =>
      database.prepare(sql).bind(day),
    ),
  );
  return true;
}

/**
 * Closes the next day that has hours, of those before `before`: marks it for all of its tenants.
 *
 * @returns false: there is none
 */
export async function closeADay(database: D1Database, before: Day): Promise<boolean> {
  const next = await database
    .prepare(
      `SELECT ${CLOSED_BEFORE} AS closed, (SELECT MIN(hour) / 24 FROM
        (SELECT MIN(hour) AS hour FROM usage_hours WHERE hour >= 24 * ${CLOSED_BEFORE}
          UNION ALL SELECT MIN(hour) FROM call_hours WHERE hour >= 24 * ${CLOSED_BEFORE})) AS day`,
    )
    .first<{ closed: number; day: number | null }>();
  const closed = next?.closed ?? 0;
  if (closed >= before) return false;
  const upTo = Math.min(before, (next?.day ?? before) + 1);
  await database.batch([
    // All that the step closes, also what has come in since.
    ...TABLES.map(({ hours }) =>
      database
        .prepare(
          `INSERT INTO marked_days (day, tenant, stage)
            SELECT DISTINCT hour / 24, tenant, 1 FROM ${hours}
            WHERE hour >= 24 * ?1 AND hour < 24 * ?2 ${MARKED}`,
        )
        .bind(closed, upTo),
    ),
    database.prepare("UPDATE upkeep SET closed_before = MAX(closed_before, ?1)").bind(upTo),
  ]);
  return true;
}
