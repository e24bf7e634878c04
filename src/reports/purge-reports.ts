import { dayOf } from "../domain/period.ts";
import { HOURS_KEPT_MS, USER_DAYS_KEPT_MS } from "../domain/report-retention.ts";
import { hourOf } from "../domain/report-rows.ts";
import { useReports } from "./open-reports.ts";
import { purgeRows } from "./reports-store.ts";

/** Rows of each table in one step, and steps in one go. */
const ROWS_A_STEP = 1000;
const MOST_STEPS = 8;

/** No message lives that long: queues keep one for at most two weeks. */
const ENDED_KEPT_MS = 30 * 86_400_000;

/**
 * Deletes from the reports what is past its retention, in bounded steps. What is left over goes with the
 * next purge.
 *
 * @returns false: there is more, or no database
 * @throws when the database does not answer
 */
export async function purgeReports(env: Env, nowMs: number): Promise<boolean> {
  const outdated = {
    beforeHour: hourOf(nowMs - HOURS_KEPT_MS),
    beforeDay: dayOf(nowMs - USER_DAYS_KEPT_MS),
    expiredAtMs: nowMs,
    endedBeforeMs: nowMs - ENDED_KEPT_MS,
  };
  const done = await useReports(env, async (database) => {
    for (let step = 0; step < MOST_STEPS; step += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (!(await purgeRows(database, outdated, ROWS_A_STEP))) return true;
    }
    return false;
  });
  return done === true;
}
