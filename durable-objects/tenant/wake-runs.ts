// Runs of Workflows that were killed, or never begun, are woken by the tenant's alarm.

/**
 * Longer than a run is silent: a call has 60 s, and a wait for a rate takes no longer. And less than
 * the 90 s of a hold, so that a run that was killed in a call still finds its hold open.
 */
const STUCK_MS = 70_000;

/** For a run that is silent since the object started: it may have been killed with it. */
const SILENT_MS = 10_000;

/** How long the alarm waits for a run to be woken: the local engine answers when that has ended. */
const WAKE_MS = 4000;

/** How long one that is paused may take to say so. */
const PAUSE_POLL_MS = 50;
const PAUSE_POLLS = 40;

/**
 * When a run counts as stuck.
 *
 * @param lastMs its last progress, or the end of its wait
 * @param signMs its last sign of life since the object started; null: none
 */
export const silentUntilMs = (lastMs: number, signMs: number | null): number =>
  signMs === null ? lastMs + SILENT_MS : Math.max(lastMs, signMs) + STUCK_MS;

/**
 * After the end of a run nothing of it is written any more: a call that it had begun has a hold of 90 s, and
 * its files may be 90 s late, as those of a document.
 */
const LATE_FILES_MS = 180_000;

/** After a bucket that failed. */
const FILES_RETRY_MS = 30_000;

/**
 * When the files of a run that has ended are erased.
 *
 * @param progressAtMs its last report, or when the bucket last failed
 */
export const filesDueMs = (finishedAtMs: number, progressAtMs: number): number =>
  Math.max(
    finishedAtMs + LATE_FILES_MS,
    progressAtMs > finishedAtMs ? progressAtMs + FILES_RETRY_MS : 0,
  );

/** The instance of a run, and the parameters with which it is made. */
export interface StuckRun<Params> {
  readonly id: string;
  readonly params: Params;
}

/** A run that works is not disturbed. */
export async function wakeRuns<Params>(
  runs: Workflow<Params> | null,
  stuck: readonly StuckRun<Params>[],
): Promise<void> {
  if (runs === null) return;
  const woken = stuck.map((run) => wake(runs, run).catch(() => undefined));
  await Promise.race([Promise.all(woken), scheduler.wait(WAKE_MS)]);
}

/** An instance that has ended before its work has: it failed too often. */
const ENDED: readonly InstanceStatus["status"][] = ["errored", "terminated", "complete"];

async function wake<Params>(
  runs: Workflow<Params>,
  { id, params }: StuckRun<Params>,
): Promise<void> {
  const instance = await runs.get(id).catch(() => null);
  if (instance === null) {
    await runs.create({ id, params });
    return;
  }
  const { status } = await instance.status();
  if (status === "queued") return;
  // It begins anew, and finds what is done already.
  if (ENDED.includes(status)) return instance.restart();
  // One that was killed stays as it was until it is paused and goes on. One that runs is not paused
  // within a step, and goes on all the same.
  if (status !== "paused") await pause(instance);
  await instance.resume();
}

async function pause(instance: WorkflowInstance): Promise<void> {
  await instance.pause();
  for (let poll = 0; poll < PAUSE_POLLS; poll += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it says so
    if ((await instance.status()).status === "paused") return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scheduler.wait(PAUSE_POLL_MS);
  }
}
