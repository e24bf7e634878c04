import type { Batch, BatchStep } from "./batch.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import { isoTime } from "../ledger/period.ts";

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
