import { DEFAULT_MODEL } from "../../../src/domain/documents/plan-analysis.ts";
import { MODEL_TASKS } from "../../../src/domain/documents/prompts.ts";
import { findFor, type UnfitModel } from "../../../src/domain/generation/plan-generation.ts";
import {
  MAX_OPEN_RUNS,
  NO_COUNTS,
  pendingOf,
  type PipelineRun,
  type RunDocument,
  sliceCount,
} from "../../../src/domain/pipelines/run.ts";
import { type StepName, taskOf } from "../../../src/domain/pipelines/step.ts";
import { failedOf, type Run } from "../../../src/domain/runs/run.ts";
import { modelsFor } from "../../../src/domain/tenant/settings.ts";
import { findPolicy, modelFinder, NO_SUCH_POLICY } from "../calls/plan-call.ts";
import { TOO_MANY_WATCHERS } from "../../watchers.ts";
import type { TenantContext } from "../feature.ts";
import { notFound, pageOf } from "../page.ts";
import type { Caller } from "../protocol.ts";
import {
  cancelRun,
  createRun,
  type Made,
  type NewRun,
  type NotFound,
  type NotMade,
  readRun,
  type RunKind,
} from "../runs/runs.ts";
import type { Tx } from "../transactions.ts";
import type { ListedStep } from "./pipeline-store.ts";

// Runs of pipelines, as their owner makes, reads and cancels them. How they go on: `run-steps.ts`.

export interface NamedRun {
  readonly kind: "run";
  readonly run: PipelineRun;
}

export const PIPELINE_RUN: RunKind<PipelineRun, NamedRun> = {
  what: "pipeline run",
  storeOf: ({ pipelines }) => pipelines,
  mostOpen: MAX_OPEN_RUNS,
  tooMany: `At most ${MAX_OPEN_RUNS} runs are open at once: wait for one to end, or cancel it.`,
  reply: (run) => ({ kind: "run", run }),
  // Completed: every document has an outcome.
  endEvent: ({ state }) => (state === "completed" ? "pipeline.completed" : "pipeline.failed"),
  workOf: (run, { steps, ms }) => ({
    pipelines: 1,
    pipelines_completed: run.state === "completed" ? 1 : 0,
    pipeline_documents: run.documents - pendingOf(run),
    pipeline_documents_succeeded: run.counts.succeeded,
    pipeline_documents_failed: failedOf(run.counts.failed),
    pipeline_slices: sliceCount(run.documents),
    pipeline_steps: steps,
    pipeline_ms: ms,
    pipeline_micro_neurons: run.microNeurons,
  }),
};

export interface NewPipelineRun extends NewRun {
  readonly steps: readonly StepName[];
  readonly policy: string | null;
  readonly model: string | null;
  readonly documents: readonly Pick<RunDocument, "documentId" | "end">[];
  readonly secretHash: string;
}

function createPipelineRun(tx: Tx, request: NewPipelineRun): Made<NamedRun> | NotMade | Unfit {
  const { steps, documents, policy, model, secretHash } = request;
  const complete = (run: Run): PipelineRun => ({
    ...run,
    steps,
    documents: documents.length,
    policy,
    model,
    secretHash,
    counts: NO_COUNTS,
  });
  const made = createRun(tx, PIPELINE_RUN, request, complete, () => unfitness(tx, request));
  if (made.kind === "run" && !made.repeated) {
    tx.stores.pipelines.insertDocuments(made.run.id, documents);
  }
  return made;
}

/** Each call of the run would be refused: its policy is not there, or its model cannot run. */
type Unfit = typeof NO_SUCH_POLICY | UnfitModel;

function unfitness(tx: Tx, { steps, policy, model }: NewPipelineRun): Unfit | null {
  if (policy !== null && findPolicy(tx, policy) === null) return NO_SUCH_POLICY;
  const asksModel = MODEL_TASKS.some((task) => steps.some((step) => taskOf(step) === task));
  if (model === null && !asksModel) return null;
  const [id] = modelsFor(tx.profile.settings, model ?? DEFAULT_MODEL);
  const found = findFor(id, "text_generation", modelFinder(tx));
  return found.kind === "found" ? null : found;
}

function listSteps(
  tx: Tx,
  request: {
    readonly id: string;
    readonly from: readonly [number, number];
    readonly limit: number;
  },
):
  | {
      readonly kind: "steps";
      readonly steps: readonly ListedStep[];
      readonly next: readonly [number, number] | null;
    }
  | NotFound {
  const { id, from, limit } = request;
  const run = tx.stores.pipelines.read(id);
  if (run === null) return notFound(PIPELINE_RUN.what);
  const steps = tx.stores.pipelines.listSteps(run, from, limit + 1);
  return { kind: "steps", steps: steps.slice(0, limit), next: steps[limit]?.place ?? null };
}

export const PIPELINE_OPERATIONS = {
  createRun: ({ write }: TenantContext, caller: Caller, request: NewPipelineRun) =>
    write(caller, (tx) => createPipelineRun(tx, request)),

  readRun: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => readRun(tx, PIPELINE_RUN, id)),

  watchRun: (
    { ask, watchers }: TenantContext,
    caller: Caller,
    { id, watcher }: { readonly id: string; readonly watcher: string },
  ) =>
    ask(caller, (tx) =>
      watchers.admit(watcher, tx.nowMs) ? readRun(tx, PIPELINE_RUN, id) : TOO_MANY_WATCHERS,
    ),

  listRuns: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.pipelines.list(before, limit), limit)),

  listRunSteps: (
    { ask }: TenantContext,
    caller: Caller,
    request: Parameters<typeof listSteps>[1],
  ) => ask(caller, (tx) => listSteps(tx, request)),

  cancelRun: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) => cancelRun(tx, PIPELINE_RUN, id)),
};
