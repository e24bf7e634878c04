import { isoTime, isoTimeOrNull } from "../ledger/period.ts";

// A run makes many calls for one request, in its own time: it is a batch of moderations, or a run of a
// pipeline. Its Workflow makes the calls, and the tenant's object keeps how far it is.

export const RUN_STATES = [
  "running",
  "waiting",
  "canceling",
  "completed",
  "stopped",
  "canceled",
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** What every run has, whatever its calls are. */
export interface Run {
  /** A prefix of its kind and a ULID. */
  readonly id: string;
  readonly state: RunState;
  /** Whether it waits for the next day when the day's neurons are spent. */
  readonly resume: boolean;
  /** SHA-256 of the key that made it; null: the platform made it. */
  readonly secretHash: string | null;
  readonly keyId: string | null;
  readonly requestId: string;
  /** The label of the request that made it, and so of its calls; null: it has none. */
  readonly context: string | null;
  /** What its calls were charged so far. */
  readonly microNeurons: number;
  /** Why it stopped; null: it did not. */
  readonly stoppedAs: string | null;
  /** When it goes on; null: it does not wait. */
  readonly waitsUntilMs: number | null;
  readonly createdAtMs: number;
  readonly progressAtMs: number;
  readonly finishedAtMs: number | null;
  /** Whether the bucket still has files of it. */
  readonly hasFiles: boolean;
}

const OPEN: readonly RunState[] = ["running", "waiting", "canceling"];

export const isOver = ({ state }: Pick<Run, "state">): boolean => !OPEN.includes(state);

/** The caller of a run's calls: the key that made the run, with its present rights, or the platform. */
export const callerOfRun = ({ secretHash }: Pick<Run, "secretHash">) =>
  secretHash === null
    ? ({ kind: "platform" } as const)
    : ({ kind: "key", secretHash, roles: ["call"] } as const);

/** The object's reply to the Workflow of a run that is over, or of which there is none. */
export const OVER = { kind: "over" } as const;

/** The run goes on in so many milliseconds. */
export interface Wait {
  readonly kind: "wait";
  readonly ms: number;
}

/** A refusal that holds for the day, or for ever. */
export interface Stop {
  readonly kind: "stop";
  readonly as: string;
  readonly ofTheDay: boolean;
}

/** How many failed, by the kind of failure. */
export type FailureCounts = Readonly<Record<string, number>>;

export const failedOf = (failed: FailureCounts): number =>
  Object.values(failed).reduce((sum, count) => sum + count, 0);

export const withFailure = (failed: FailureCounts, kind: string): FailureCounts => ({
  ...failed,
  [kind]: (failed[kind] ?? 0) + 1,
});

/** Its label, how it goes on and how far it is, as the API returns it and webhooks deliver it. */
export const progressOf = (run: Run) => ({
  context: run.context,
  resume: run.resume ? ("next_period" as const) : null,
  stopped_as: run.stoppedAs,
  resumes_at: isoTimeOrNull(run.waitsUntilMs),
  created_at: isoTime(run.createdAtMs),
  progress_at: isoTime(run.progressAtMs),
  finished_at: isoTimeOrNull(run.finishedAtMs),
  duration_ms: run.finishedAtMs === null ? null : run.finishedAtMs - run.createdAtMs,
});

/** When a step of a run began and ended, as the API returns it. */
export const stepTimesOf = ({
  startedAtMs,
  finishedAtMs,
}: {
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
}) => ({
  started_at: isoTime(startedAtMs),
  finished_at: isoTimeOrNull(finishedAtMs),
  duration_ms: finishedAtMs === null ? null : finishedAtMs - startedAtMs,
});
