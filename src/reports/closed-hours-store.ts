import type { Hour } from "../domain/usage/report-rows.ts";
import { addedUp, TABLES } from "./closed-days-store.ts";
import { SUMMED_BEFORE, SUMMED_FROM } from "./upkeep-store.ts";

// Sums over all tenants of the hours that are over, of the last closed day and of those that are not closed
// yet: of today and yesterday only the last hour or two are read by tenant. The rules are those of days
// (`closed-days-store.ts`): an hour is closed by marking it; a transaction that changes tenants' rows of the
// hour marks it again; while it is marked, those rows are read.

/** There are more only in a database that was left alone: then days are closed first. */
const MOST_SUMMED_HOURS = 96;

const MARKED = "ON CONFLICT DO NOTHING";

/** The hours from `first` until before `end`, if the condition holds. */
const hoursFrom = (first: string, end: string, isSo: string): string => `hours(hour) AS (
  SELECT ${first} WHERE ${isSo} UNION ALL SELECT hour + 1 FROM hours WHERE hour + 1 < ${end})`;

/** Closes the hours before `before` by marking them. Does nothing while days are to be closed. */
export async function closeHours(database: D1Database, before: Hour): Promise<void> {
  const isNext = `?1 > ${SUMMED_BEFORE} AND ?1 - ${SUMMED_FROM} BETWEEN 1 AND ${MOST_SUMMED_HOURS}`;
  const statements = [
    `WITH RECURSIVE ${hoursFrom(`MAX(${SUMMED_BEFORE}, ${SUMMED_FROM})`, "?1", isNext)}
      INSERT INTO marked_hours (hour) SELECT hour FROM hours WHERE true ${MARKED}`,
    `UPDATE upkeep SET summed_before = ?1 WHERE ${isNext}`,
  ];
  await database.batch(statements.map((sql) => database.prepare(sql).bind(before)));
}

/** Adds up at most `limit` marked hours. */
export async function addUpHours(database: D1Database, limit: number): Promise<void> {
  const some = `WITH some(hour) AS MATERIALIZED (SELECT hour FROM marked_hours
    WHERE hour >= ${SUMMED_FROM} ORDER BY hour LIMIT ${limit})`;
  const isSome = "hour IN (SELECT hour FROM some)";
  const statements = TABLES.flatMap((table) => {
    const from = `some CROSS JOIN ${table.hours} AS t ON t.hour = some.hour /* each */`;
    const by = ["some.hour", ...table.key.map((name) => `t.${name}`)];
    return [
      `${some} DELETE FROM ${table.hourSums} WHERE ${isSome}`,
      `${some} ${addedUp(table, from, { into: "hourSums", by, counted: "COUNT(*)" })}`,
    ];
  });
  await database.batch(
    [...statements, `${some} DELETE FROM marked_hours WHERE ${isSome}`].map((sql) =>
      database.prepare(sql),
    ),
  );
}

/**
 * Marks the hours of a tenant's generations whose rows are about to be deleted.
 *
 * @param lives a condition on `t.life`, of `?2`
 */
export const markHoursOf = (
  database: D1Database,
  { tenant, generation }: { readonly tenant: string; readonly generation: number },
  lives: string,
): readonly D1PreparedStatement[] =>
  TABLES.map(({ hours }) =>
    database
      .prepare(
        `WITH RECURSIVE ${hoursFrom(SUMMED_FROM, SUMMED_BEFORE, `${SUMMED_FROM} < ${SUMMED_BEFORE}`)}
          INSERT INTO marked_hours (hour) SELECT DISTINCT t.hour FROM hours
            CROSS JOIN ${hours} AS t ON t.hour = hours.hour AND t.tenant = ?1
            WHERE ${lives} ${MARKED}`,
      )
      .bind(tenant, generation),
  );

/**
 * Marks hours whose rows are about to change, in the transaction that changes them. Hours without
 * sums are not marked.
 */
export const markHours = (database: D1Database, hours: readonly Hour[]): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO marked_hours (hour) SELECT value FROM json_each(?1)
        WHERE value >= ${SUMMED_FROM} AND value < ${SUMMED_BEFORE} ${MARKED}`,
    )
    .bind(JSON.stringify(hours));
