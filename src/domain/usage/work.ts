import { charged, type JournalLine } from "../ledger/ledger.ts";
import { PIPELINE_ROUTE } from "../ledger/rate-limit.ts";
import { DOCUMENT_ROUTE, EMBED_ROUTE } from "../documents/document.ts";

// Work that a call is not the measure of: documents, runs of Workflows, what they and pictures use of
// Cloudflare's services. Counts by name, so that they add up in any grouping.

/** The calls of documents, whose lines have work. A search asks about them, and makes none. */
export const DOCUMENT_ROUTES: readonly string[] = [DOCUMENT_ROUTE, EMBED_ROUTE, PIPELINE_ROUTE];

/** Counted from the journal's lines, on the day of the call. */
const OF_LINES = [
  /** Calls for documents: by requests, by runs of pipelines, and those that embed them. */
  "document_calls",
  /** What these were charged, before adjustments. */
  "document_micro_neurons",
] as const;

/** Counted when it happens, on that day. */
const OF_EVENTS = [
  /** Documents that a request stored with their results. */
  "documents",
  /** Documents of ended runs of pipelines: those that succeeded and those that failed. */
  "pipeline_documents",
  /** Of them. Neither has those of before this was counted. */
  "pipeline_documents_succeeded",
  "pipeline_documents_failed",
  /** Runs of pipelines that ended. */
  "pipelines",
  "pipelines_completed",
  /** Instances of the Workflow that they take: one for each slice. */
  "pipeline_slices",
  "pipeline_steps",
  "pipeline_ms",
  /** The charges of their calls, which the lines have too. */
  "pipeline_micro_neurons",
  /** Batches of verdicts that ended: each is one instance. */
  "batches",
  "batches_completed",
  "batch_steps",
  "batch_ms",
  "batch_micro_neurons",
  /** Dimensions of the vectors that were stored in Vectorize. */
  "vectorize_dimensions",
  /** Transformations of pictures that were begun: each is billed. */
  "transformations",
] as const;

export type WorkName = (typeof OF_LINES)[number] | (typeof OF_EVENTS)[number];

/** Amounts are µN. Counts of 0 may be left out. */
export type Work = Readonly<Record<string, number>>;

/** What an event adds. */
export type EventWork = Readonly<Partial<Record<(typeof OF_EVENTS)[number], number>>>;

/** Sums, over however many days and tenants. */
export type WorkSums = Readonly<Record<string, bigint>>;

/** @param line of one of `DOCUMENT_ROUTES` */
export const workOfLine = (line: JournalLine): Work =>
  withoutZeros({ document_calls: 1, document_micro_neurons: charged(line) });

/** Of counts of both kinds, those of events. */
export const eventsOf = (work: Work): EventWork =>
  Object.fromEntries(
    OF_EVENTS.flatMap((name) => (Object.hasOwn(work, name) ? [[name, work[name]]] : [])),
  );

export const withoutZeros = (work: Work | EventWork): Work =>
  Object.fromEntries(Object.entries(work).filter(([, count]) => count !== 0));

export const workSum = (sums: WorkSums, name: WorkName): bigint => sums[name] ?? 0n;

/** Of counts, which are no amounts. */
export const workCount = (sums: WorkSums, name: WorkName): number => Number(workSum(sums, name));

/** Executions of one kind that ended. */
export interface Executions {
  readonly executions: number;
  readonly completed: number;
  readonly steps: number;
  /** Of all of them together. */
  readonly durationMs: number;
  readonly microNeurons: bigint;
}

/** Runs of pipelines: a run is completed when each of its documents has an outcome, so also if all failed. */
export interface PipelineRuns extends Executions {
  readonly documentsSucceeded: number;
  readonly documentsFailed: number;
}

export const pipelineRuns = (work: WorkSums): PipelineRuns => ({
  documentsSucceeded: workCount(work, "pipeline_documents_succeeded"),
  documentsFailed: workCount(work, "pipeline_documents_failed"),
  executions: workCount(work, "pipelines"),
  completed: workCount(work, "pipelines_completed"),
  steps: workCount(work, "pipeline_steps"),
  durationMs: workCount(work, "pipeline_ms"),
  microNeurons: workSum(work, "pipeline_micro_neurons"),
});

export const batchRuns = (work: WorkSums): Executions => ({
  executions: workCount(work, "batches"),
  completed: workCount(work, "batches_completed"),
  steps: workCount(work, "batch_steps"),
  durationMs: workCount(work, "batch_ms"),
  microNeurons: workSum(work, "batch_micro_neurons"),
});
