import { shareOf } from "../../../src/domain/ledger/rate-limit.ts";
import type { StoredDocument } from "../../../src/domain/documents/document.ts";
import { type TaskReport, withReports } from "../../../src/domain/documents/task.ts";
import {
  counted,
  MAX_TRIES,
  MOST_AT_ONCE,
  pendingOf,
  type PipelineRun,
  type RunStep,
  SLICE_DOCUMENTS,
} from "../../../src/domain/pipelines/run.ts";
import {
  type NextStep,
  type PipelineWork,
  type SliceWork,
  type StepOutcome,
  type StepPlace,
} from "../../../src/domain/pipelines/run-step.ts";
import { isOver, OVER } from "../../../src/domain/runs/run.ts";
import type { TenantContext } from "../feature.ts";
import { endRun, reasonNotToBegin, stepBegun, stopOrWait, stopRun } from "../runs/runs.ts";
import type { Tx } from "../transactions.ts";
import { countWork } from "../usage/fold-usage.ts";
import { PIPELINE_RUN } from "./pipelines.ts";

// How a run goes on. Its Workflow asks before each step of a document, and reports after it; a report may
// begin the next step. Both calls can be repeated: a step that is repeated after a crash keeps its ids, and
// a report counts once.

function readSlice(
  tx: Tx,
  { id, slice }: { readonly id: string; readonly slice: number },
): SliceWork {
  const { pipelines } = tx.stores;
  const run = pipelines.read(id);
  if (run === null || isOver(run)) return OVER;
  pipelines.noteSign(id, tx.nowMs);
  const from = slice * SLICE_DOCUMENTS;
  const positions = pipelines.pending(id, from, from + SLICE_DOCUMENTS);
  const most = Math.min(MOST_AT_ONCE, shareOf(tx.profile.settings.max_in_flight));
  return { kind: "slice", positions, steps: run.steps, most };
}

function beginStep(tx: Tx, { id, position, step }: StepPlace): PipelineWork {
  const { pipelines } = tx.stores;
  const run = pipelines.read(id);
  const name = run?.steps[step];
  if (run === null || isOver(run) || name === undefined) return OVER;
  const document = pipelines.readDocument(id, position);
  if (document === null) return OVER;
  pipelines.noteSign(id, tx.nowMs);
  if (document.state === "failed") return { kind: "ended" };
  const before = pipelines.readStep(id, { position, step, steps: run.steps });
  if (before !== null && hasEnded(before)) return { kind: "done" };
  // A step that is repeated keeps its ids, and so charges once.
  const repeats = before?.state === "running";
  const reason = repeats ? null : reasonNotToBegin(tx, PIPELINE_RUN, run);
  if (reason !== null) return reason;
  const begun: RunStep = {
    runId: id,
    position,
    step: name,
    state: "running",
    attempts: (before?.attempts ?? 0) + 1,
    tries: before?.tries ?? 0,
    roundAtMs: repeats ? before.roundAtMs : tx.nowMs,
    startedAtMs: before?.startedAtMs ?? tx.nowMs,
    finishedAtMs: null,
    microNeurons: before?.microNeurons ?? 0,
    decision: null,
    failedAs: null,
  };
  pipelines.writeStep(begun, step);
  const running = stepBegun(tx, PIPELINE_RUN, run);
  const from = position === 0 ? 0 : (pipelines.readDocument(id, position - 1)?.end ?? 0);
  return { kind: "run", run: running, document, from, roundAtMs: begun.roundAtMs };
}

export interface StepReport extends StepPlace {
  readonly outcome: StepOutcome;
  /** Whether the document's next step is begun with it, where there is one. */
  readonly beginsNext: boolean;
}

/** The report of a step, and the beginning of the next one in the same transaction. */
function reportAndGoOn(tx: Tx, report: StepReport): NextStep {
  const next = reportStep(tx, report);
  if (next.kind !== "next" || !report.beginsNext) return next;
  const { id, position, step } = report;
  const begun = beginStep(tx, { id, position, step: step + 1 });
  // Any other reply the Workflow gets when it asks.
  return begun.kind === "run" ? { ...next, begun } : next;
}

function reportStep(tx: Tx, { id, position, step, outcome }: StepReport): NextStep {
  const { pipelines } = tx.stores;
  const run = pipelines.read(id);
  if (run === null) return OVER;
  const before = pipelines.readStep(id, { position, step, steps: run.steps });
  if (before === null) return OVER;
  if (before.state !== "running") {
    const document = pipelines.readDocument(id, position);
    return nextAfter(run, before, document?.state !== "failed");
  }
  const after = stepAfter(before, outcome, tx.nowMs);
  pipelines.writeStep(after, step);
  const goesOn =
    !isLast(run, step) &&
    (outcome.kind !== "failed" || after.state !== "failed" || outcome.documentGoesOn === true);
  const isEnd = hasEnded(after) && !goesOn;
  const failedAs = isEnd ? pipelines.firstFailure(id, position) : null;
  if (isEnd) pipelines.endDocument(id, position, failedAs);
  const now: PipelineRun = {
    ...run,
    microNeurons: run.microNeurons + after.microNeurons - before.microNeurons,
    counts: isEnd ? counted(run.counts, failedAs) : run.counts,
    progressAtMs: tx.nowMs,
  };
  pipelines.write(now);
  if (isOver(now)) {
    // The run was counted when it ended, without this.
    countWork(tx, {
      pipeline_documents: isEnd ? 1 : 0,
      pipeline_documents_succeeded: isEnd && failedAs === null ? 1 : 0,
      pipeline_documents_failed: isEnd && failedAs !== null ? 1 : 0,
      pipeline_micro_neurons: after.microNeurons - before.microNeurons,
    });
    return OVER;
  }
  pipelines.noteSign(id, tx.nowMs);
  return runAfter(tx, now, { outcome, next: nextAfter(now, after, goesOn) });
}

const hasEnded = ({ state }: RunStep): boolean => state === "succeeded" || state === "failed";

const isLast = ({ steps }: PipelineRun, step: number): boolean => step === steps.length - 1;

function stepAfter(before: RunStep, outcome: StepOutcome, nowMs: number): RunStep {
  if (outcome.kind === "wait" || outcome.kind === "stop") return { ...before, state: "waiting" };
  const tries = before.tries + 1;
  const ended: RunStep = {
    ...before,
    tries,
    microNeurons: before.microNeurons + outcome.microNeurons,
    decision: outcome.decision ?? null,
  };
  if (outcome.kind === "succeeded") return { ...ended, state: "succeeded", finishedAtMs: nowMs };
  const failed: RunStep = { ...ended, failedAs: outcome.as };
  return outcome.again && tries < MAX_TRIES
    ? { ...failed, state: "waiting" }
    : { ...failed, state: "failed", finishedAtMs: nowMs };
}

/** @param goesOn whether the document has steps left, also where this one failed */
function nextAfter(run: PipelineRun, { state, failedAs }: RunStep, goesOn: boolean): NextStep {
  if (isOver(run)) return OVER;
  if (state === "succeeded" || (state === "failed" && goesOn)) return { kind: "next" };
  if (state === "failed") return { kind: "ended" };
  return failedAs === null ? { kind: "wait", ms: 0 } : { kind: "retry", as: failedAs };
}

/** What the outcome of one step means for the run as a whole. */
function runAfter(
  tx: Tx,
  run: PipelineRun,
  { outcome, next }: { readonly outcome: StepOutcome; readonly next: NextStep },
): NextStep {
  if (pendingOf(run) === 0) {
    endRun(tx, PIPELINE_RUN, run, { state: "completed" });
    return OVER;
  }
  if (run.state === "canceling") {
    if (tx.stores.pipelines.hasRunningStep(run.id)) return next;
    endRun(tx, PIPELINE_RUN, run, { state: "canceled" });
    return OVER;
  }
  if (outcome.kind === "wait") return { kind: "wait", ms: outcome.ms };
  if (outcome.kind === "failed" && outcome.waitMs !== undefined && next.kind === "retry") {
    return { kind: "wait", ms: outcome.waitMs };
  }
  return outcome.kind === "stop" ? stopOrWait(tx, PIPELINE_RUN, run, outcome) : next;
}

/** The slice that is to be run next; null: the run is over. */
function nextSlice(tx: Tx, id: string): number | null {
  const { pipelines } = tx.stores;
  const run = pipelines.read(id);
  if (run === null || isOver(run)) return null;
  const first = pipelines.firstPending(id);
  return first === null ? null : Math.floor(first / SLICE_DOCUMENTS);
}

/**
 * Keeps which stored document the run reads under an id: another one that gets the id later was not judged.
 *
 * @returns the `file` that is kept; null: there is no such run
 */
function pinRunDocument(
  { stores: { pipelines } }: Tx,
  { id, position, file }: { readonly id: string; readonly position: number; readonly file: string },
): string | null {
  pipelines.pinDocument(id, position, file);
  return pipelines.readDocument(id, position)?.file ?? null;
}

/**
 * Adds results of tasks to a stored document. Its file of results was written before: where the document
 * was deleted meanwhile, that file is to be erased.
 */
function addResults(
  { stores: { documents }, nowMs }: Tx,
  {
    id,
    file,
    tasks,
  }: Pick<StoredDocument, "id" | "file"> & { readonly tasks: readonly TaskReport[] },
): boolean {
  const document = documents.readByFile(file);
  if (document === null || document.state !== "ready") {
    documents.expectFiles({ file, documentId: id }, nowMs);
    return false;
  }
  documents.finish(file, withReports(document.tasks, tasks));
  return true;
}

// The run of a pipeline calls these, on the platform's behalf.
export const RUN_STEP_OPERATIONS = {
  readSlice: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: Parameters<typeof readSlice>[1],
  ): Promise<SliceWork> => writeOfGeneration(generation, OVER, (tx) => readSlice(tx, request)),

  beginPipelineStep: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: StepPlace,
  ): Promise<PipelineWork> => writeOfGeneration(generation, OVER, (tx) => beginStep(tx, request)),

  reportPipelineStep: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    report: StepReport,
  ): Promise<NextStep> => writeOfGeneration(generation, OVER, (tx) => reportAndGoOn(tx, report)),

  nextSlice: ({ ofGeneration }: TenantContext, generation: number, id: string): number | null =>
    ofGeneration(generation, null, (tx) => nextSlice(tx, id)),

  stopRun: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: Parameters<typeof stopRun>[2],
  ): Promise<void> =>
    writeOfGeneration(generation, undefined, (tx) => stopRun(tx, PIPELINE_RUN, request)),

  pinRunDocument: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: Parameters<typeof pinRunDocument>[1],
  ): Promise<string | null> =>
    writeOfGeneration(generation, null, (tx) => pinRunDocument(tx, request)),

  /** False: the document was deleted meanwhile. */
  addDocumentResults: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: Parameters<typeof addResults>[1],
  ): Promise<boolean> => writeOfGeneration(generation, false, (tx) => addResults(tx, request)),
};
