import type { ReportRow, ReportRowKind } from "../domain/report-rows.ts";
import { keepFreshness } from "./freshness-store.ts";
import { REPORT_TABLES, type ReportTable } from "./report-row-columns.ts";

// Writing the rows of the reports. The rows of one message are one transaction with one statement for
// each table, since the free plan gives an invocation fifty: their values are read from JSON.

/** Of a tenant's life. */
export interface Owner {
  readonly tenant: string;
  readonly life: number;
}

const KINDS = Object.keys(REPORT_TABLES) as ReportRowKind[];

/** A row of an ended life is left out; one that is there already stays unless the new one is newer. */
export async function writeRows(
  database: D1Database,
  { tenant, life }: Owner,
  rows: readonly ReportRow[],
  nowMs: number,
): Promise<void> {
  const statements = statementsFor(database, { tenant, life }, rows, UNLESS_ENDED);
  await database.batch([...statements, keepFreshness(database, nowMs)]);
}

const UNLESS_ENDED = "NOT EXISTS (SELECT 1 FROM ended_lives WHERE tenant = ?1 AND life = ?2)";

function statementsFor(
  database: D1Database,
  { tenant, life }: Owner,
  rows: readonly ReportRow[],
  where: string,
): readonly D1PreparedStatement[] {
  return KINDS.flatMap((kind) => {
    const some = rows.filter((row) => row.kind === kind).map(({ row }) => row);
    if (some.length === 0) return [];
    const statement = upsert(REPORT_TABLES[kind], where);
    return [database.prepare(statement).bind(tenant, life, JSON.stringify(some))];
  });
}

function upsert({ name, key, columns }: ReportTable, where: string): string {
  const names = columns.map(([column]) => column);
  const values = columns.map(
    ([, field, kind]) => `value ${kind === "json" ? "->" : "->>"} '$.${field}'`,
  );
  const changed = names.filter((column) => !key.includes(column));
  return `INSERT INTO ${name} (tenant, life, ${names.join(", ")})
    SELECT ?1, ?2, ${values.join(", ")} FROM json_each(?3) WHERE ${where}
    ON CONFLICT (tenant, life, ${key.join(", ")}) DO UPDATE
    SET ${changed.map((column) => `${column} = excluded.${column}`).join(", ")}
    WHERE excluded.sequence > ${name}.sequence`;
}

/** Rows deleted from each table in one step. */
const CLEARED_A_STEP = 2000;

/**
 * Deletes what there is of a tenant's present life, and of any that comes after it, which nobody can
 * have had: a bounded number of rows of each table. True when there may be more.
 */
export async function clearRows(
  database: D1Database,
  { tenant, life }: Owner,
  limit: number = CLEARED_A_STEP,
): Promise<boolean> {
  const gone = await database.batch([
    ...KINDS.map((kind) =>
      deleteSome(database, REPORT_TABLES[kind], {
        where: "tenant = ?1 AND life >= ?2",
        values: [tenant, life],
        limit,
      }),
    ),
    database.prepare("DELETE FROM ended_lives WHERE tenant = ?1 AND life >= ?2").bind(tenant, life),
  ]);
  return gone.some(({ meta }) => meta.changes >= limit);
}

/**
 * Ends a life: from now on no message brings a row of it. Deletes a bounded number of its rows; true
 * when there may be more.
 */
export async function endRows(
  database: D1Database,
  { tenant, life }: Owner,
  nowMs: number,
  limit: number = CLEARED_A_STEP,
): Promise<boolean> {
  const [, ...gone] = await database.batch([
    database
      .prepare(
        `INSERT INTO ended_lives (tenant, life, ended_at_ms) VALUES (?, ?, ?)
          ON CONFLICT (tenant, life) DO NOTHING`,
      )
      .bind(tenant, life, nowMs),
    ...KINDS.map((kind) =>
      deleteSome(database, REPORT_TABLES[kind], {
        where: "tenant = ?1 AND life = ?2",
        values: [tenant, life],
        limit,
      }),
    ),
  ]);
  return gone.some(({ meta }) => meta.changes >= limit);
}

/** The days of an ended life, which stay. */
export async function writeLastRows(
  database: D1Database,
  owner: Owner,
  rows: readonly ReportRow[],
): Promise<void> {
  const statements = statementsFor(database, owner, rows, "true");
  if (statements.length > 0) await database.batch([...statements]);
}

/** What is to go before when, by table. */
export interface Outdated {
  readonly beforeHour: number;
  readonly beforeDay: number;
  readonly expiredAtMs: number;
  readonly endedBeforeMs: number;
}

/** Deletes what is past its time, a bounded number of rows of each table; true when there may be more. */
export async function purgeRows(
  database: D1Database,
  { beforeHour, beforeDay, expiredAtMs, endedBeforeMs }: Outdated,
  limit: number,
): Promise<boolean> {
  const gone = await database.batch([
    old(database, "usage_hour", "hour < ?1", beforeHour, limit),
    old(database, "call_hour", "hour < ?1", beforeHour, limit),
    old(database, "user_day", "day < ?1", beforeDay, limit),
    old(database, "logged_verdict", "expires_at_ms < ?1", expiredAtMs, limit),
    database.prepare("DELETE FROM ended_lives WHERE ended_at_ms < ?1").bind(endedBeforeMs),
  ]);
  return gone.some(({ meta }) => meta.changes >= limit);
}

const old = (
  database: D1Database,
  kind: ReportRowKind,
  where: string,
  value: number,
  limit: number,
): D1PreparedStatement =>
  deleteSome(database, REPORT_TABLES[kind], { where, values: [value], limit });

/** SQLite here deletes no limited number of rows by itself. Limits and names are ours. */
function deleteSome(
  database: D1Database,
  { name, key }: ReportTable,
  { where, values, limit }: { where: string; values: readonly (string | number)[]; limit: number },
): D1PreparedStatement {
  const columns = ["tenant", "life", ...key].join(", ");
  return database
    .prepare(
      `DELETE FROM ${name} WHERE (${columns}) IN
        (SELECT ${columns} FROM ${name} WHERE ${where} LIMIT ${limit})`,
    )
    .bind(...values);
}
