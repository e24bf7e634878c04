import type { Decision } from "./verdict.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import {
  failedOf,
  type FailureCounts,
  progressOf,
  type Run,
  stepTimesOf,
  withFailure,
} from "../runs/run.ts";

// A batch is many moderations from one request, made in steps. The results of a step are stored together, so
// that a step that runs twice counts once.

export const MAX_BATCH_ITEMS = 1000;

/** Open batches of one tenant: they share the rate that batches get, and the object keeps them in memory. */
export const MAX_OPEN_BATCHES = 20;

/** Items of one step: these are run again when the step is cut short. */
export const STEP_ITEMS = 10;

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

/** It has one file: its items. */
export interface Batch extends Run {
  readonly items: number;
  /** Where each item ends in the file of all items, in bytes. */
  readonly ends: readonly number[];
  readonly counts: BatchCounts;
}

export interface BatchCounts {
  readonly allow: number;
  readonly flag: number;
  readonly block: number;
  readonly failed: FailureCounts;
}

export const NO_COUNTS: BatchCounts = { allow: 0, flag: 0, block: 0, failed: {} };

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
  const counts = { allow: 0, flag: 0, block: 0, failed: {} as FailureCounts };
  let microNeurons = 0;
  for (const { decision, failedAs, microNeurons: cost } of steps.flatMap(
    ({ results }) => results,
  )) {
    if (decision !== null) counts[decision] += 1;
    if (failedAs !== null) counts.failed = withFailure(counts.failed, failedAs);
    microNeurons += cost;
  }
  return { counts, microNeurons };
}

/** A batch as the API returns it and webhooks deliver it. */
export function toBatch(batch: Batch) {
  const { counts, microNeurons } = batch;
  const succeeded = counts.allow + counts.flag + counts.block;
  const failed = failedOf(counts.failed);
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
    ...progressOf(batch),
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
  ...stepTimesOf(step),
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
