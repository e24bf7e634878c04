import { readConfig } from "../config.ts";
import { dayOf, formatDay } from "../domain/period.ts";
import { reconcileDay } from "../reconciliation/reconcile-day.ts";
import { purgeReports } from "../reports/purge-reports.ts";
import { reconciliationDeps } from "./reconciliation-deps.ts";

// What the cron trigger does, at 02:00 UTC: the day before is reconciled, and the day three days
// before once more, since Cloudflare's figures may come late. Then the reports' old rows go.

const DAYS_BACK = [1, 3];

/** A round deletes 8,000 rows of each table; the free plan gives an invocation fifty statements. */
const PURGE_ROUNDS = { free: 1, paid: 20 };

function log(line: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify(line);
  // oxlint-disable-next-line no-console -- structured logs go to the console
  (line["level"] === "error" ? console.error : console.log)(text);
}

/** @throws when a day could not be looked at, so that the trigger's run is seen to have failed */
export async function runSchedule(env: Env, scheduledMs: number): Promise<void> {
  const read = readConfig(env);
  if (read.kind !== "ready") throw new Error("misconfigured");
  const deps = await reconciliationDeps(env, read.config);
  if (deps === null) return;
  const failures: unknown[] = [];
  for (const back of DAYS_BACK) {
    const day = dayOf(scheduledMs) - back;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one day after the other
      const { lastOutcome: outcome, lastReason: reason } = await reconcileDay(deps, day);
      const level = outcome === "failed" ? "error" : "info";
      log({ level, event: "reconciliation", day: formatDay(day), outcome, reason });
    } catch (error) {
      const name = error instanceof Error ? error.name : "unknown";
      log({
        level: "error",
        event: "reconciliation",
        day: formatDay(day),
        outcome: "thrown",
        error: name,
      });
      failures.push(error);
    }
  }
  await purge(env, scheduledMs, PURGE_ROUNDS[read.config.workersPlan]);
  if (failures.length > 0) throw new Error("a day was not reconciled");
}

/** What cannot be deleted today is tomorrow: it hides nothing and is no failure of the run. */
async function purge(env: Env, nowMs: number, rounds: number): Promise<void> {
  try {
    for (let round = 0; round < rounds; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      if (await purgeReports(env, nowMs)) return;
    }
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    log({ level: "error", event: "purge", error: name });
  }
}
