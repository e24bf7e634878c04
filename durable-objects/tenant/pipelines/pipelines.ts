import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
  ServiceFailure,
} from "../../../src/domain/ledger/failure.ts";
import {
  MAX_OPEN_RUNS,
  NO_COUNTS,
  type PipelineRun,
  type RunDocument,
} from "../../../src/domain/pipelines/run.ts";
import { isOver } from "../../../src/domain/runs/run.ts";
import type { StepName } from "../../../src/domain/pipelines/step.ts";
import { TOO_MANY_WATCHERS } from "../../watchers.ts";
import { isStorageFull } from "../calls/admit.ts";
import { once } from "../calls/once.ts";
import type { TenantContext } from "../feature.ts";
import { notFound, pageOf } from "../page.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import type { ListedStep } from "./pipeline-store.ts";

// Runs of pipelines, as their owner makes, reads and cancels them. How they go on: `run-steps.ts`.

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;

const NO_RUN: NotFound = notFound("pipeline run");

export interface NewRun {
  readonly id: string;
  readonly requestId: string;
  readonly steps: readonly StepName[];
  readonly policy: string | null;
  readonly model: string | null;
  readonly resume: boolean;
  readonly documents: readonly Pick<RunDocument, "documentId" | "end">[];
  readonly secretHash: string;
  readonly route: string;
  readonly idempotency: Idempotency | null;
}

/** `generation`: of the tenant, under which its files are kept. */
export type MadeRun = {
  readonly kind: "run";
  readonly run: PipelineRun;
  readonly generation: number;
  readonly repeated: boolean;
};

type RunRefusal =
  | Extract<ConflictFailure, { kind: "idempotency_key_reused" }>
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Extract<ServiceFailure, { kind: "storage_full" }>;

const createRun = (tx: Tx, request: NewRun): MadeRun | RunRefusal =>
  once(
    tx,
    request,
    (id): MadeRun | null => {
      const run = tx.stores.pipelines.read(id);
      if (run === null) return null;
      return { kind: "run", run, generation: tx.profile.generation, repeated: true };
    },
    () => makeRun(tx, request),
  );

function makeRun(tx: Tx, request: NewRun): MadeRun | RunRefusal {
  const { nowMs, keyId, profile } = tx;
  const { pipelines } = tx.stores;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  if (pipelines.open().filter((run) => !isOver(run)).length >= MAX_OPEN_RUNS) {
    const detail = `At most ${MAX_OPEN_RUNS} runs are open at once: wait for one to end, or cancel it.`;
    return { kind: "over_limit", detail };
  }
  const run: PipelineRun = {
    id: request.id,
    state: "running",
    steps: request.steps,
    documents: request.documents.length,
    policy: request.policy,
    model: request.model,
    resume: request.resume,
    secretHash: request.secretHash,
    keyId,
    requestId: request.requestId,
    counts: NO_COUNTS,
    microNeurons: 0,
    stoppedAs: null,
    waitsUntilMs: null,
    createdAtMs: nowMs,
    progressAtMs: nowMs,
    finishedAtMs: null,
    hasFiles: true,
  };
  pipelines.write(run);
  pipelines.insertDocuments(run.id, request.documents);
  pipelines.noteSign(run.id, nowMs);
  return { kind: "run", run, generation: profile.generation, repeated: false };
}

function readRun(
  tx: Tx,
  id: string,
): { readonly kind: "run"; readonly run: PipelineRun } | NotFound {
  const run = tx.stores.pipelines.read(id);
  return run === null ? NO_RUN : { kind: "run", run };
}

/** Steps that have begun run to their end, and are counted. */
function cancelRun(tx: Tx, id: string): ReturnType<typeof readRun> {
  const run = tx.stores.pipelines.read(id);
  if (run === null) return NO_RUN;
  if (isOver(run)) return { kind: "run", run };
  if (!tx.stores.pipelines.hasRunningStep(id)) {
    return { kind: "run", run: endRun(tx, run, { state: "canceled" }) };
  }
  const canceling: PipelineRun = { ...run, state: "canceling", waitsUntilMs: null };
  tx.stores.pipelines.write(canceling);
  return { kind: "run", run: canceling };
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
  if (run === null) return NO_RUN;
  const steps = tx.stores.pipelines.listSteps(run, from, limit + 1);
  return { kind: "steps", steps: steps.slice(0, limit), next: steps[limit]?.place ?? null };
}

/** Endpoints are told: `pipeline.completed` when every document has an outcome. */
export function endRun(
  tx: Tx,
  run: PipelineRun,
  how: Pick<PipelineRun, "state"> & Partial<Pick<PipelineRun, "stoppedAs">>,
): PipelineRun {
  const ended: PipelineRun = { ...run, ...how, waitsUntilMs: null, finishedAtMs: tx.nowMs };
  tx.stores.pipelines.write(ended);
  const type = ended.state === "completed" ? "pipeline.completed" : "pipeline.failed";
  tx.stores.outbox.record({ type, subject: run.id, decision: null, data: null }, tx.nowMs);
  return ended;
}

export const PIPELINE_OPERATIONS = {
  createRun: ({ write }: TenantContext, caller: Caller, request: NewRun) =>
    write(caller, (tx) => createRun(tx, request)),

  readRun: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => readRun(tx, id)),

  watchRun: (
    { ask, watchers }: TenantContext,
    caller: Caller,
    { id, watcher }: { readonly id: string; readonly watcher: string },
  ) =>
    ask(caller, (tx) => (watchers.admit(watcher, tx.nowMs) ? readRun(tx, id) : TOO_MANY_WATCHERS)),

  listRuns: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.pipelines.list(before, limit), limit)),

  listRunSteps: (
    { ask }: TenantContext,
    caller: Caller,
    request: Parameters<typeof listSteps>[1],
  ) => ask(caller, (tx) => listSteps(tx, request)),

  cancelRun: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) => cancelRun(tx, id)),
};
