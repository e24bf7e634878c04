import { type Config, readConfig } from "../config.ts";
import { dayOf, formatDay, isoTime, startOf } from "../domain/ledger/period.ts";
import { reconcileDay } from "../reconciliation/reconcile-day.ts";
import { keepReports } from "../reports/keep-reports.ts";
import { reconciliationDeps } from "../edge/reconciliation-deps.ts";

// What the cron triggers do. At 02:00 UTC the day before is reconciled, and the day three days before
// once more, since Cloudflare's figures may come late. Then, and at half past each hour, the reports are
// kept: days are added up, and old rows go.

/** As in `wrangler.toml`; every other trigger keeps the reports alone. */
const NIGHTLY = "0 2 * * *";

const DAYS_BACK = [1, 3];

/** The free plan gives an invocation fifty statements, the paid one a thousand; others ask some, too. */
const KEEPING_STATEMENTS = { free: 32, paid: 800 };

function log(line: Readonly<Record<string, unknown>>): void {
  const text = JSON.stringify(line);
  // oxlint-disable-next-line no-console -- structured logs go to the console
  (line["level"] === "error" ? console.error : console.log)(text);
}

interface Triggered {
  readonly scheduledTime: number;
  readonly cron: string;
}

/** @throws when a day could not be looked at, so that the trigger's run is seen to have failed */
export async function runSchedule(env: Env, { scheduledTime, cron }: Triggered): Promise<void> {
  const read = readConfig(env);
  if (read.kind !== "ready") throw new Error("misconfigured");
  const isReconciled = cron !== NIGHTLY || (await reconcile(env, read.config, scheduledTime));
  await keep(env, scheduledTime, KEEPING_STATEMENTS[read.config.workersPlan]);
  if (!isReconciled) throw new Error("a day was not reconciled");
}

/** False: a day could not be looked at. */
async function reconcile(env: Env, config: Config, scheduledMs: number): Promise<boolean> {
  const deps = await reconciliationDeps(env, config);
  if (deps === null) return true;
  let isReconciled = true;
  for (const back of DAYS_BACK) {
    const day = dayOf(scheduledMs) - back;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one day after the other
      const { lastOutcome: outcome, lastReason: reason } = await reconcileDay(deps, day);
      const level = outcome === "failed" ? "error" : "info";
      log({ level, event: "reconciliation", day: formatDay(day), outcome, reason });
    } catch (error) {
      isReconciled = false;
      log({
        level: "error",
        event: "reconciliation",
        day: formatDay(day),
        outcome: "thrown",
        error: nameOf(error),
      });
    }
  }
  return isReconciled;
}

/** What is not done today is done by the next run: it hides nothing and is no failure of this one. */
async function keep(env: Env, nowMs: number, statements: number): Promise<void> {
  try {
    const kept = await keepReports(env, nowMs, statements);
    if (kept === null) return;
    log({
      level: "info",
      event: "reports_kept",
      done: kept.isDone,
      added_up_before: formatDay(kept.oldestMark ?? kept.closedBefore),
      hours_from: isoTime(startOf(kept.rolledBefore)),
      purge_behind: kept.isPurgeBehind,
    });
  } catch (error) {
    log({ level: "error", event: "reports_kept", error: nameOf(error) });
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown");
