import { costUsd } from "../ledger/money.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import type { Decision } from "../moderation/verdict.ts";
import {
  failedOf,
  type FailureCounts,
  progressOf,
  type Run,
  stepTimesOf,
  withFailure,
} from "../runs/run.ts";
import type { StepName } from "./step.ts";

// A run of a pipeline: the same steps for each of its documents. Each step of a document is counted once,
// however often it was begun.

export const MAX_RUN_DOCUMENTS = 1000;

/** Open runs of one tenant: they share the rate of batches, and the object keeps them in memory. */
export const MAX_OPEN_RUNS = 20;

/**
 * Documents of one Workflow instance. An instance may have 1,024 steps on the free plan; so many documents
 * have 500 at most, and there is room for waits.
 */
export const SLICE_DOCUMENTS = 50;

/** Documents of a run that are worked on at once, where the tenant's limits allow it. */
export const MOST_AT_ONCE = 8;

/** How often a step asks an engine that fails. */
export const MAX_TRIES = 3;

/**
 * The largest text of a document, in UTF-8. The bound of all steps of such a one, each tried three times, is
 * below USD 0.10 whatever it says.
 */
export const MAX_PIPELINE_TEXT_BYTES = 65_536;

export interface RunCounts {
  readonly succeeded: number;
  readonly failed: FailureCounts;
}

/** Its files are its documents, and what its steps made. */
export interface PipelineRun extends Run {
  /** In the order in which they run. */
  readonly steps: readonly StepName[];
  readonly documents: number;
  /** The policy by which documents are moderated; null: the default one. */
  readonly policy: string | null;
  /** The model of the tasks; null: the default one. */
  readonly model: string | null;
  /** The platform makes none. */
  readonly secretHash: string;
  readonly counts: RunCounts;
}

export interface RunDocument {
  /** From 0, as in the request. */
  readonly position: number;
  readonly documentId: string;
  /**
   * The `file` of the stored document, from the first read of it or from when the run stored it: its id may
   * be used again. Null: neither has been.
   */
  readonly file: string | null;
  /** Where it ends in the file of the run's documents, in bytes. */
  readonly end: number;
  readonly state: "pending" | "succeeded" | "failed";
  /** Null: it did not fail. */
  readonly failedAs: string | null;
}

export interface RunStep {
  readonly runId: string;
  readonly position: number;
  readonly step: StepName;
  readonly state: "running" | "waiting" | "succeeded" | "failed";
  /** How often it was begun, repeats after a crash included. */
  readonly attempts: number;
  /** How many of its calls have ended. */
  readonly tries: number;
  /** When its call was begun: the call's id has this time. */
  readonly roundAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** What all of its calls were charged. */
  readonly microNeurons: number;
  readonly decision: Decision | null;
  readonly failedAs: string | null;
}

export const NO_COUNTS: RunCounts = { succeeded: 0, failed: {} };

export const sliceCount = (documents: number): number => Math.ceil(documents / SLICE_DOCUMENTS);

export const pendingOf = ({ documents, counts }: PipelineRun): number =>
  documents - counts.succeeded - failedOf(counts.failed);

/** @param failedAs null: it succeeded */
export const counted = (counts: RunCounts, failedAs: string | null): RunCounts =>
  failedAs === null
    ? { ...counts, succeeded: counts.succeeded + 1 }
    : { ...counts, failed: withFailure(counts.failed, failedAs) };

const costOf = (microNeurons: number) => ({
  micro_neurons: microNeurons,
  neurons: microNeurons / MICRO_PER_NEURON,
  usd: costUsd(microNeurons),
});

/** A run as the API returns it and webhooks deliver it. */
export const toRun = (run: PipelineRun) => ({
  id: run.id,
  object: "pipeline_run" as const,
  state: run.state,
  steps: run.steps,
  policy: run.policy,
  model: run.model,
  counts: {
    documents: run.documents,
    pending: pendingOf(run),
    succeeded: run.counts.succeeded,
    failed: failedOf(run.counts.failed),
    failed_as: run.counts.failed,
  },
  ...costOf(run.microNeurons),
  ...progressOf(run),
});

/** A step of a document as the API returns it. */
export const toRunStep = (step: RunStep & Pick<RunDocument, "documentId">) => ({
  object: "pipeline_step" as const,
  run_id: step.runId,
  document: step.position,
  document_id: step.documentId,
  name: step.step,
  status: step.state,
  attempts: step.attempts,
  calls: step.tries,
  ...stepTimesOf(step),
  ...costOf(step.microNeurons),
  decision: step.decision,
  failed_as: step.failedAs,
});

/** What the run of one slice is given. */
export interface SliceParams {
  readonly tenant: string;
  readonly life: number;
  readonly run: string;
  readonly slice: number;
}

/** The id of the Workflow instance of a slice. */
export const sliceId = ({ run, slice }: Pick<SliceParams, "run" | "slice">): string =>
  `${run}-${slice}`;
