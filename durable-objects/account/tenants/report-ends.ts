import { lastRowsOf } from "../../../src/domain/usage/last-rows.ts";
import { endRows, writeLastRows } from "../../../src/reports/reports-store.ts";
import type { ReportEnd, ReportEndStore } from "./report-end-store.ts";

// The reports of a tenant that was deleted: no message brings a row of it back, persons and hours go,
// its days stay. In bounded steps, each of which can be repeated.

/** Steps in one go; what is left is taken up by the alarm. */
const MOST_STEPS = 5;

/** Days written in one step. */
const DAYS_A_STEP = 50;

/** What the last rows of a life bear, so that no other ever replaces them. */
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;

/**
 * @returns true: it is done; false: it is to be gone on with
 * @throws when the database does not answer
 */
export async function endReports(
  database: D1Database,
  ends: ReportEndStore,
  end: ReportEnd,
  nowMs: number,
): Promise<boolean> {
  let at = end;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const next = await endStep(database, ends, at, nowMs);
    if (next === null) {
      ends.remove(end);
      return true;
    }
    at = next;
    ends.write(at);
  }
  return false;
}

/** Null: it is done. */
async function endStep(
  database: D1Database,
  ends: ReportEndStore,
  end: ReportEnd,
  nowMs: number,
): Promise<ReportEnd | null> {
  const owner = { tenant: end.tenant, generation: end.generation };
  if (!end.cleared) {
    const more = await endRows(database, owner, nowMs);
    return { ...end, cleared: !more };
  }
  const days = ends.listDays(end, DAYS_A_STEP);
  const last = days.at(-1);
  if (last === undefined) return null;
  const rows = days.flatMap((day) => lastRowsOf(day, LAST_SEQUENCE));
  await writeLastRows(database, owner, rows);
  return { ...end, afterDay: last.day };
}
