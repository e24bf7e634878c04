import { type DaySums, daySumsOf } from "../domain/usage/day-sums.ts";
import type { Day } from "../domain/ledger/period.ts";
import {
  dayOfHour,
  type Hour,
  type ReportRow,
  type ReportRowKind,
} from "../domain/usage/report-rows.ts";
import { clearDays } from "./closed-days-store.ts";
import { markHours, markHoursOf } from "./closed-hours-store.ts";
import { markDays, ROLLED_BEFORE, rolledBefore } from "./upkeep-store.ts";
import { limitedDelete } from "./purge-store.ts";
import { dayStatements } from "./rolled-days-store.ts";
import { keepFreshness } from "./freshness-store.ts";
import { REPORT_TABLES, type ReportTable, valueOf } from "./report-row-columns.ts";

// Writing the rows of the reports. The rows of one delivery of the queue are one transaction with one
// statement for each table, or some where there are many, since the free plan gives an invocation
// fifty: their values are read from JSON.

/** Of a tenant's generation. */
export interface Owner {
  readonly tenant: string;
  readonly generation: number;
}

/** Rows of a tenant's generation. */
export interface OwnedRows extends Owner {
  readonly rows: readonly ReportRow[];
}

const KINDS = Object.keys(REPORT_TABLES) as ReportRowKind[];

/** D1 takes a value of 2 MB. */
const MOST_BYTES = 1_500_000;

/** The day of a row that is kept by the hour; null: it is of another kind. */
export const hourlyDayOf = (row: ReportRow): Day | null =>
  row.kind === "usage_hour" || row.kind === "call_hour" ? dayOfHour(row.row.hour) : null;

/**
 * Writes rows of any generations, all or none. A row of an ended one is left out; one that is there already
 * stays unless the new one is newer.
 *
 * @param rolled what `rolledBefore` said: days before it have no hours, and none of these rows is of one
 * @throws when that is no longer so, or the database does not answer; what was written can be repeated
 */
export async function writeRows(
  database: D1Database,
  owned: readonly OwnedRows[],
  { nowMs, rolled }: { readonly nowMs: number; readonly rolled: Day },
): Promise<void> {
  const statements = upserts(database, owned, { where: UNLESS_ENDED, rolled });
  await database.batch([...statements, keepFreshness(database, nowMs), ifRolled(database, rolled)]);
}

const UNLESS_ENDED = `NOT EXISTS (SELECT 1 FROM ended_lives
  WHERE tenant = value ->> 'tenant' AND life = value ->> 'life')`;

/** Undoes the transaction when hours went that were to be written. JSON that is none is an error. */
const ifRolled = (database: D1Database, rolled: Day): D1PreparedStatement =>
  database
    .prepare(`SELECT json(IIF(${ROLLED_BEFORE} > ?1, 'days were rolled up', '1'))`)
    .bind(rolled);

function upserts(
  database: D1Database,
  owned: readonly OwnedRows[],
  { where, rolled }: { readonly where: string; readonly rolled: Day },
): readonly D1PreparedStatement[] {
  const marks = new Map<string, readonly [Day, string]>();
  const hours = new Set<Hour>();
  const written = KINDS.flatMap((kind) => {
    const some = owned.flatMap(({ tenant, generation, rows }) =>
      rows
        .filter((row) => row.kind === kind)
        .map(({ row }) => ({ ...row, tenant, life: generation })),
    );
    const statement = database.prepare(upsert(REPORT_TABLES[kind], where));
    return jsonsOf(some).map((json) => statement.bind(json));
  });
  for (const { tenant, rows } of owned) {
    for (const row of rows) {
      const day = hourlyDayOf(row);
      if (day !== null && day >= rolled) marks.set(`${day}|${tenant}`, [day, tenant]);
      if ("hour" in row.row) hours.add(row.row.hour);
    }
  }
  if (marks.size === 0) return written;
  const marked = [markDays(database, [...marks.values()]), markHours(database, [...hours])];
  return [...marked, ...written];
}

const encoder = new TextEncoder();

/** Values as arrays of JSON, each of which a statement can be given. */
function jsonsOf(values: readonly object[]): readonly string[] {
  const arrays: string[][] = [];
  let bytes = Infinity;
  for (const value of values) {
    const json = JSON.stringify(value);
    const size = encoder.encode(json).length + 1;
    bytes += size;
    if (bytes > MOST_BYTES) {
      arrays.push([]);
      bytes = size;
    }
    arrays.at(-1)?.push(json);
  }
  return arrays.map((array) => `[${array.join(",")}]`);
}

function upsert({ name, key, columns }: ReportTable, where: string): string {
  const names = columns.map(([column]) => column);
  const values = columns.map(([, field, kind]) => valueOf(field, kind));
  const changed = names.filter((column) => !key.includes(column));
  return `INSERT INTO ${name} (tenant, life, ${names.join(", ")})
    SELECT value ->> 'tenant', value ->> 'life', ${values.join(", ")}
    FROM json_each(?1) WHERE ${where}
    ON CONFLICT (tenant, life, ${key.join(", ")}) DO UPDATE
    SET ${changed.map((column) => `${column} = excluded.${column}`).join(", ")}
    WHERE excluded.sequence > ${name}.sequence`;
}

/** Rows deleted from each table in one step. */
const CLEARED_A_STEP = 2000;

/**
 * Deletes a bounded number of rows of each table, of a tenant's present generation and any later one, which
 * cannot be real. True when there may be more.
 */
export async function clearRows(
  database: D1Database,
  { tenant, generation }: Owner,
  limit: number = CLEARED_A_STEP,
): Promise<boolean> {
  const gone = await database.batch([
    ...markHoursOf(database, { tenant, generation }, "t.life >= ?2"),
    ...clearDays(database, { tenant, generation }, { lives: "t.life >= ?2", limit }),
    ...KINDS.map((kind) =>
      deleteSome(database, REPORT_TABLES[kind], {
        where: "tenant = ?1 AND life >= ?2",
        values: [tenant, generation],
        limit,
      }),
    ),
    database
      .prepare("DELETE FROM ended_lives WHERE tenant = ?1 AND life >= ?2")
      .bind(tenant, generation),
  ]);
  return gone.some(({ meta }) => meta.changes >= limit);
}

/**
 * Ends a generation: from now on no message brings a row of it. Deletes a bounded number of its rows; true
 * when there may be more.
 */
export async function endRows(
  database: D1Database,
  { tenant, generation }: Owner,
  nowMs: number,
  limit: number = CLEARED_A_STEP,
): Promise<boolean> {
  const [, ...gone] = await database.batch([
    database
      .prepare(
        `INSERT INTO ended_lives (tenant, life, ended_at_ms) VALUES (?, ?, ?)
          ON CONFLICT (tenant, life) DO NOTHING`,
      )
      .bind(tenant, generation, nowMs),
    ...markHoursOf(database, { tenant, generation }, "t.life = ?2"),
    ...clearDays(database, { tenant, generation }, { lives: "t.life = ?2", limit }),
    ...KINDS.map((kind) =>
      deleteSome(database, REPORT_TABLES[kind], {
        where: "tenant = ?1 AND life = ?2",
        values: [tenant, generation],
        limit,
      }),
    ),
  ]);
  return gone.some(({ meta }) => meta.changes >= limit);
}

/**
 * The days of an ended generation, which stay.
 *
 * @throws when days were rolled up meanwhile, or the database does not answer
 */
export async function writeLastRows(
  database: D1Database,
  owner: Owner,
  rows: readonly ReportRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const rolled = await rolledBefore(database);
  const isOld = (row: ReportRow): boolean => (hourlyDayOf(row) ?? rolled) < rolled;
  await database.batch([
    ...upserts(database, [{ ...owner, rows: rows.filter((row) => !isOld(row)) }], {
      where: "true",
      rolled,
    }),
    ...dayStatements(database, owner, daySumsOf(rows.filter(isOld)), "true"),
    ifRolled(database, rolled),
  ]);
}

/**
 * Days whose hours are gone, as the tenant's object adds them up.
 *
 * @throws when the database does not answer
 */
export async function writeRolledDays(
  database: D1Database,
  owner: Owner,
  days: readonly DaySums[],
): Promise<void> {
  const isAlive = "NOT EXISTS (SELECT 1 FROM ended_lives WHERE tenant = ?1 AND life = ?2)";
  const statements = dayStatements(database, owner, days, isAlive);
  if (statements.length > 0) await database.batch([...statements]);
}

const deleteSome = (
  database: D1Database,
  { name, key }: ReportTable,
  { where, values, limit }: { where: string; values: readonly (string | number)[]; limit: number },
): D1PreparedStatement =>
  database
    .prepare(limitedDelete(name, ["tenant", "life", ...key], { where, limit }))
    .bind(...values);
