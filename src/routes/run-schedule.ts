import { readConfig } from "../config.ts";
import { dayOf, formatDay } from "../domain/period.ts";
import { reconcileDay } from "../reconciliation/reconcile-day.ts";
import { reconciliationDeps } from "./reconciliation-deps.ts";

// What the cron trigger does, at 02:00 UTC: the day before is reconciled, and the day three days
// before once more, since Cloudflare's figures may come late.

const DAYS_BACK = [1, 3];

function log(line: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify({ event: "reconciliation", ...line });
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
      log({ level, day: formatDay(day), outcome, reason });
    } catch (error) {
      const name = error instanceof Error ? error.name : "unknown";
      log({ level: "error", day: formatDay(day), outcome: "thrown", error: name });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new Error("a day was not reconciled");
}
