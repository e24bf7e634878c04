import type { Day } from "../domain/ledger/period.ts";

// How far days of the reports are closed, added up and rolled up, and the marks of those that are
// behind; `closed-days-store.ts` says how these go together.

/** The hours of a day, one look into the index each. */
export const HOURS_OF_A_DAY = `json_each('${JSON.stringify(Array.from({ length: 24 }, (_, hour) => hour))}')`;

export const CLOSED_BEFORE = "IFNULL((SELECT closed_before FROM upkeep), 0)";
export const ROLLED_BEFORE = "IFNULL((SELECT rolled_before FROM upkeep), 0)";
/** The first hour that has sums: of the last closed day, since a report by hour looks back on yesterday. */
export const SUMMED_FROM = `24 * MAX(0, ${CLOSED_BEFORE} - 1)`;
/** An hour: those from `SUMMED_FROM` until before it have sums or are marked. */
export const SUMMED_BEFORE = "IFNULL((SELECT summed_before FROM upkeep), 0)";

export interface Upkeep {
  readonly closedBefore: Day;
  readonly rolledBefore: Day;
  readonly isPurgeBehind: boolean;
  readonly lastRunAtMs: number | null;
  /** Days of tenants that are to be added up, and days over all tenants: null when there is none. */
  readonly oldestMark: Day | null;
}

export async function readUpkeep(database: D1Database): Promise<Upkeep> {
  const row = await database
    .prepare("SELECT *, (SELECT MIN(day) FROM marked_days) AS oldest_mark FROM upkeep")
    .first<{
      closed_before: number;
      rolled_before: number;
      is_purge_behind: number;
      last_run_at_ms: number | null;
      oldest_mark: number | null;
    }>();
  return {
    closedBefore: row?.closed_before ?? 0,
    rolledBefore: row?.rolled_before ?? 0,
    isPurgeBehind: row?.is_purge_behind === 1,
    lastRunAtMs: row?.last_run_at_ms ?? null,
    oldestMark: row?.oldest_mark ?? null,
  };
}

export async function keepRun(
  database: D1Database,
  { atMs, isPurgeBehind }: { readonly atMs: number; readonly isPurgeBehind: boolean },
): Promise<void> {
  await database
    .prepare("UPDATE upkeep SET last_run_at_ms = ?1, is_purge_behind = ?2")
    .bind(atMs, isPurgeBehind ? 1 : 0)
    .run();
}

/** Days before which hours are no longer kept. */
export async function rolledBefore(database: D1Database): Promise<Day> {
  const row = await database.prepare(`SELECT ${ROLLED_BEFORE} AS day`).first<{ day: number }>();
  return row?.day ?? 0;
}

/** A mark that is there already stays at the earlier stage of the two. */
export const MARKED = "ON CONFLICT (day, tenant) DO UPDATE SET stage = MIN(stage, excluded.stage)";

/**
 * Marks that a tenant's hours of some days are about to change; part of the transaction that changes
 * them. Days that are not closed have no sums.
 */
export const markDays = (
  database: D1Database,
  days: readonly (readonly [day: Day, tenant: string])[],
): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO marked_days (day, tenant, stage)
        SELECT value ->> 0, value ->> 1, IIF(value ->> 0 >= ${ROLLED_BEFORE}, 1, 2)
        FROM json_each(?1) WHERE value ->> 0 < ${CLOSED_BEFORE} ${MARKED}`,
    )
    .bind(JSON.stringify(days));

/** From now on the days before that one are kept as days alone, as far as all of them are added up. */
export async function rollDays(database: D1Database, before: Day): Promise<void> {
  await database
    .prepare(
      `UPDATE upkeep SET rolled_before = MAX(rolled_before, MIN(?1, closed_before,
        IFNULL((SELECT MIN(day) FROM marked_days WHERE stage = 1), ?1)))`,
    )
    .bind(before)
    .run();
}
