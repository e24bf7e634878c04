import type { Decision } from "./verdict.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import { isoTime } from "../ledger/period.ts";

// A batch is many moderations from one request, made in steps. The results of a step are stored together, so
// that a step that runs twice counts once.

export const MAX_BATCH_ITEMS = 1000;

/** Open batches of one tenant: they share the rate that batches get, and the object keeps them in memory. */
export const MAX_OPEN_BATCHES = 20;

/** Items of one step: these are run again when the step is cut short. */
export const STEP_ITEMS = 10;

export const BATCH_STATES = [
  "running",
  "waiting",
  "canceling",
  "completed",
  "stopped",
  "canceled",
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** The result of an item: a verdict, or the refusal or failure in its place. */
export interface ItemResult {
  readonly index: number;
  readonly decision: Decision | null;
  /** Null when there is a verdict. */
  readonly failedAs: string | null;
  readonly microNeurons: number;
}

export interface BatchStep {
  readonly batchId: string;
  /** From 0. */
  readonly step: number;
  /** How often its items were started: once more after each wait. */
  readonly round: number;
  /** How often it ran, including repeats after a crash. */
  readonly attempts: number;
  readonly state: "running" | "waiting" | "done";
  /** When its round began: the ids of its items contain this time. */
  readonly roundAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly results: readonly ItemResult[];
}

export interface Batch {
  readonly id: string;
  readonly state: BatchState;
  readonly items: number;
  /** Where each item ends in the file of all items, in bytes. */
  readonly ends: readonly number[];
  readonly resume: boolean;
  /** SHA-256 of the key that created it; null: the platform created it. */
  readonly secretHash: string | null;
  readonly keyId: string | null;
  readonly requestId: string;
  readonly counts: BatchCounts;
  readonly microNeurons: number;
  /** Why it stopped; null: it did not. */
  readonly stoppedAs: string | null;
  /** When it continues; null: it does not wait. */
  readonly waitsUntilMs: number | null;
  readonly createdAtMs: number;
  readonly progressAtMs: number;
  readonly finishedAtMs: number | null;
  /** Whether its items are still stored in the bucket. */
  readonly hasFile: boolean;
}

export interface BatchCounts {
  readonly allow: number;
  readonly flag: number;
  readonly block: number;
  /** By kind. */
  readonly failed: Readonly<Record<string, number>>;
}

export const NO_COUNTS: BatchCounts = { allow: 0, flag: 0, block: 0, failed: {} };

const OPEN: readonly BatchState[] = ["running", "waiting", "canceling"];

export const isOver = ({ state }: Pick<Batch, "state">): boolean => !OPEN.includes(state);

export const stepCount = (items: number): number => Math.ceil(items / STEP_ITEMS);

/** The indexes of a step's items. */
export const itemsOf = (step: number, items: number): number[] =>
  Array.from({ length: STEP_ITEMS }, (_, at) => step * STEP_ITEMS + at).filter(
    (index) => index < items,
  );

/** The counts and the cost of all steps. */
export function totalsOf(steps: readonly Pick<BatchStep, "results">[]): {
  readonly counts: BatchCounts;
  readonly microNeurons: number;
} {
  const counts = { allow: 0, flag: 0, block: 0, failed: {} as Record<string, number> };
  let microNeurons = 0;
  for (const { decision, failedAs, microNeurons: cost } of steps.flatMap(
    ({ results }) => results,
  )) {
    if (decision !== null) counts[decision] += 1;
    if (failedAs !== null) counts.failed[failedAs] = (counts.failed[failedAs] ?? 0) + 1;
    microNeurons += cost;
  }
  return { counts, microNeurons };
}

/** Refusals that end by themselves; the item is tried again. */
export const PASSING = ["rate_limited", "quota_reserved", "concurrency_exceeded"] as const;

/** Refusals that last until the end of the day. They stop a batch, or it waits for the next day. */
export const OF_THE_DAY = [
  "quota_exceeded",
  "overage_cap_exceeded",
  "account_quota_exceeded",
] as const;

/** The key may no longer call, or nothing can be stored: all other items would be refused too. */
export const ENDING = ["invalid_key", "tenant_suspended", "role_required", "storage_full"] as const;

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

/** A batch as the API returns it and webhooks deliver it. */
export function toBatch(batch: Batch) {
  const { counts, microNeurons } = batch;
  const succeeded = counts.allow + counts.flag + counts.block;
  const failed = Object.values(counts.failed).reduce((sum, count) => sum + count, 0);
  return {
    id: batch.id,
    object: "batch" as const,
    state: batch.state,
    counts: {
      items: batch.items,
      pending: batch.items - succeeded - failed,
      succeeded,
      failed,
      allow: counts.allow,
      flag: counts.flag,
      block: counts.block,
      failed_as: counts.failed,
    },
    micro_neurons: microNeurons,
    neurons: microNeurons / MICRO_PER_NEURON,
    resume: batch.resume ? ("next_period" as const) : null,
    stopped_as: batch.stoppedAs,
    resumes_at: timeOrNull(batch.waitsUntilMs),
    created_at: isoTime(batch.createdAtMs),
    progress_at: isoTime(batch.progressAtMs),
    finished_at: timeOrNull(batch.finishedAtMs),
    duration_ms: batch.finishedAtMs === null ? null : batch.finishedAtMs - batch.createdAtMs,
  };
}

/** One step of a batch as the API returns it, with the result of each item. */
export const toBatchStep = (step: BatchStep) => ({
  object: "batch_step" as const,
  batch_id: step.batchId,
  step: step.step,
  state: step.state,
  attempts: step.attempts,
  rounds: step.round,
  started_at: isoTime(step.startedAtMs),
  finished_at: timeOrNull(step.finishedAtMs),
  duration_ms: step.finishedAtMs === null ? null : step.finishedAtMs - step.startedAtMs,
  micro_neurons: step.results.reduce((sum, { microNeurons }) => sum + microNeurons, 0),
  items: step.results.map(({ index, decision, failedAs, microNeurons }) => ({
    index,
    decision,
    failed_as: failedAs,
    micro_neurons: microNeurons,
  })),
});

/** What the run of a batch is given. */
export interface BatchParams {
  readonly tenant: string;
  readonly life: number;
  readonly batch: string;
}
