import { dayOf } from "../domain/ledger/period.ts";
import {
  HOURS_KEPT_DAYS,
  HOURS_KEPT_MS,
  USER_DAYS_KEPT_MS,
} from "../domain/usage/report-retention.ts";
import { firstHourOf, hourOf } from "../domain/usage/report-rows.ts";
import { addUpADay, addUpTenants, closeADay, nextToDo, type Over } from "./closed-days-store.ts";
import { addUpHours, closeHours } from "./closed-hours-store.ts";
import { useReports } from "./open-reports.ts";
import { type Outdated, PURGED, purgeRows } from "./purge-store.ts";
import { keepRun, readUpkeep, rollDays, type Upkeep } from "./upkeep-store.ts";

// What the schedule does for the reports: it adds up days that are over or were changed, lets the hours
// of old ones go, and deletes what is past its retention. All of it goes in steps of a bounded number of
// rows, as many as a run may ask statements; where it stands is in the database, and the next run goes
// on there. However far it is behind, no report is wrong: it reads more.

/** Days of tenants that are added up in one step. */
const TENANTS_A_STEP = 500;

/** Rows of each table that are deleted in one step. */
const ROWS_A_STEP = 2000;

/** After its end: most of what settled in a day is there by then, and what comes later marks it. */
const CLOSED_AFTER_MS = 3_600_000;

/** A row comes some seconds after its call: an hour that is over changes little after that. */
const HOUR_CLOSED_AFTER_MS = 900_000;

/** Hours that are added up in one step. */
const HOURS_A_STEP = 12;

/** No message lives that long: queues keep one for at most two weeks. */
const ENDED_KEPT_MS = 30 * 86_400_000;

/** Statements of the steps, of which the platform gives an invocation so many. */
const STATEMENTS = { tenants: 5, day: 6, close: 4, hours: 7 } as const;
const TO_BEGIN_AND_END = 6;

/** Of what is left, this is for the purge: sums that are behind wait for it, and it for them. */
const PURGE_SHARE = 0.5;

class Budget {
  #left: number;

  constructor(statements: number) {
    this.#left = statements;
  }

  /** Whether there is still that much. */
  take(statements: number): boolean {
    if (statements > this.#left) return false;
    this.#left -= statements;
    return true;
  }
}

export interface Kept extends Upkeep {
  /** All that was due is done. */
  readonly isDone: boolean;
}

/**
 * @param statements that it may ask the database
 * @returns null: there is no database
 * @throws when the database does not answer
 */
export const keepReports = (env: Env, nowMs: number, statements: number): Promise<Kept | null> =>
  useReports(env, async (database) => {
    const forSteps = statements - TO_BEGIN_AND_END;
    const purge = Math.max(PURGED.length, Math.floor(forSteps * PURGE_SHARE));
    const isAddedUp = await addUp(database, nowMs, new Budget(forSteps - purge));
    await rollDays(database, dayOf(nowMs) - HOURS_KEPT_DAYS);
    const outdated = outdatedAt(nowMs, await readUpkeep(database));
    const isPurged = await purgeOutdated(database, outdated, new Budget(purge));
    await keepRun(database, { atMs: nowMs, isPurgeBehind: !isPurged });
    return { ...(await readUpkeep(database)), isDone: isAddedUp && isPurged };
  });

/** True: there is nothing left to add up. */
async function addUp(database: D1Database, nowMs: number, budget: Budget): Promise<boolean> {
  const over = {
    day: dayOf(nowMs - CLOSED_AFTER_MS),
    hour: hourOf(nowMs - HOUR_CLOSED_AFTER_MS),
  };
  while (budget.take(1)) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const next = await nextToDo(database, over);
    if (next === null) return true;
    if (!budget.take(STATEMENTS[next])) return false;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await STEPS[next](database, over);
  }
  return false;
}

const STEPS = {
  tenants: (database: D1Database) => addUpTenants(database, TENANTS_A_STEP),
  day: addUpADay,
  close: (database: D1Database, { day }: Over) => closeADay(database, day),
  hours: async (database: D1Database, { hour }: Over) => {
    await closeHours(database, hour);
    await addUpHours(database, HOURS_A_STEP);
  },
} as const;

const outdatedAt = (nowMs: number, { rolledBefore, closedBefore }: Upkeep): Outdated => ({
  hours: firstHourOf(Math.max(dayOf(nowMs - HOURS_KEPT_MS), rolledBefore)),
  hourSums: firstHourOf(Math.max(0, closedBefore - 1)),
  days: dayOf(nowMs - HOURS_KEPT_MS),
  userDays: dayOf(nowMs - USER_DAYS_KEPT_MS),
  expiredAtMs: nowMs,
  endedAtMs: nowMs - ENDED_KEPT_MS,
});

/** True: there is nothing left that is past its time. */
async function purgeOutdated(
  database: D1Database,
  outdated: Outdated,
  budget: Budget,
): Promise<boolean> {
  let tables = PURGED;
  while (tables.length > 0) {
    if (!budget.take(tables.length)) return false;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    tables = await purgeRows(database, tables, { outdated, limit: ROWS_A_STEP });
  }
  return true;
}
