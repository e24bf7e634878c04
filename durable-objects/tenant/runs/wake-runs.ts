// Runs of Workflows that were killed, or never begun, are woken by the tenant's alarm.

/** How long the alarm waits for a run to be woken: the local engine answers when that has ended. */
const WAKE_MS = 4000;

/** How long one that is paused may take to say so. */
const PAUSE_POLL_MS = 50;
const PAUSE_POLLS = 40;

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
