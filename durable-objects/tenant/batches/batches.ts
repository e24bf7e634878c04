import {
  type Batch,
  type BatchStep,
  itemsOf,
  MAX_OPEN_BATCHES,
  type ItemResult,
  NO_COUNTS,
  stepCount,
  totalsOf,
} from "../../../src/domain/moderation/batch.ts";
import { isOver } from "../../../src/domain/runs/run.ts";
import { shareOf } from "../../../src/domain/ledger/rate-limit.ts";
import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
  ServiceFailure,
} from "../../../src/domain/ledger/failure.ts";
import { dayOf, endOf } from "../../../src/domain/ledger/period.ts";
import { isStorageFull } from "../calls/admit.ts";
import type { Tx } from "../transactions.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import { once } from "../calls/once.ts";
import type { TenantContext } from "../feature.ts";
import { pageOf } from "../page.ts";

// Batches, as the tenant's object keeps them: their items, their progress and their results. The run of
// a batch (`src/batches`) calls before each of its steps and after it; both calls can be repeated.

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;

const NO_BATCH: NotFound = { kind: "not_found", what: "batch" };

export interface NewBatch {
  readonly id: string;
  readonly requestId: string;
  readonly items: number;
  readonly ends: readonly number[];
  readonly resume: boolean;
  readonly secretHash: string | null;
  readonly route: string;
  readonly idempotency: Idempotency | null;
}

/** `generation`: of the tenant, under which the items are kept. */
export type MadeBatch = {
  readonly kind: "batch";
  readonly batch: Batch;
  readonly generation: number;
  readonly repeated: boolean;
};

type BatchRefusal =
  | Extract<ConflictFailure, { kind: "idempotency_key_reused" }>
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Extract<ServiceFailure, { kind: "storage_full" }>;

export const createBatch = (tx: Tx, request: NewBatch): MadeBatch | BatchRefusal =>
  once(
    tx,
    request,
    (id): MadeBatch | null => {
      const batch = tx.stores.batches.read(id);
      if (batch === null) return null;
      return { kind: "batch", batch, generation: tx.profile.generation, repeated: true };
    },
    () => makeBatch(tx, request),
  );

function makeBatch(tx: Tx, request: NewBatch): MadeBatch | BatchRefusal {
  const { nowMs, keyId, profile } = tx;
  const { batches } = tx.stores;
  if (isStorageFull(tx)) return { kind: "storage_full" };
  if (batches.open().filter((batch) => !isOver(batch)).length >= MAX_OPEN_BATCHES) {
    const detail = `At most ${MAX_OPEN_BATCHES} batches run at once: wait for one to end, or cancel it.`;
    return { kind: "over_limit", detail };
  }
  const batch: Batch = {
    id: request.id,
    state: "running",
    items: request.items,
    ends: request.ends,
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
  batches.write(batch);
  batches.noteSign(batch.id, nowMs);
  return { kind: "batch", batch, generation: profile.generation, repeated: false };
}

export function readBatch(
  tx: Tx,
  id: string,
): { readonly kind: "batch"; readonly batch: Batch } | NotFound {
  const batch = tx.stores.batches.read(id);
  return batch === null ? NO_BATCH : { kind: "batch", batch };
}

/** Between two steps: a step that has begun runs to its end, and is counted. */
export function cancelBatch(tx: Tx, id: string): ReturnType<typeof readBatch> {
  const batch = tx.stores.batches.read(id);
  if (batch === null) return NO_BATCH;
  if (isOver(batch)) return { kind: "batch", batch };
  if (!tx.stores.batches.hasRunningStep(id)) {
    return { kind: "batch", batch: end(tx, batch, { state: "canceled" }) };
  }
  const canceling: Batch = { ...batch, state: "canceling", waitsUntilMs: null };
  tx.stores.batches.write(canceling);
  return { kind: "batch", batch: canceling };
}

export function listSteps(
  tx: Tx,
  { id, from, limit }: { readonly id: string; readonly from: number; readonly limit: number },
):
  | { readonly kind: "steps"; readonly steps: readonly BatchStep[]; readonly more: boolean }
  | NotFound {
  if (tx.stores.batches.read(id) === null) return NO_BATCH;
  const steps = tx.stores.batches.listSteps(id, from, limit + 1);
  return { kind: "steps", steps: steps.slice(0, limit), more: steps.length > limit };
}

/** The work of a step. */
export type StepWork =
  | { readonly kind: "over" }
  | { readonly kind: "done" }
  | { readonly kind: "wait"; readonly ms: number }
  | {
      readonly kind: "run";
      readonly batch: Batch;
      /** Items without a result yet. */
      readonly indexes: readonly number[];
      readonly roundAtMs: number;
      /** At once. */
      readonly most: number;
    };

export function beginStep(
  tx: Tx,
  { id, step }: { readonly id: string; readonly step: number },
): StepWork {
  const batch = tx.stores.batches.read(id);
  if (batch === null || isOver(batch)) return { kind: "over" };
  tx.stores.batches.noteSign(id, tx.nowMs);
  const before = tx.stores.batches.readStep(id, step);
  if (before?.state === "done") return { kind: "done" };
  if (batch.waitsUntilMs !== null && batch.waitsUntilMs > tx.nowMs) {
    return { kind: "wait", ms: batch.waitsUntilMs - tx.nowMs };
  }
  const done = new Set(before?.results.map(({ index }) => index));
  const indexes = itemsOf(step, batch.items).filter((index) => !done.has(index));
  if (batch.state === "canceling" && before?.state !== "running") {
    end(tx, batch, { state: "canceled" });
    return { kind: "over" };
  }
  // A round that is repeated keeps its ids, and so charges once.
  const repeats = before?.state === "running";
  if (tx.profile.settings.suspended && !repeats) {
    // A key's calls are refused by themselves; the platform's are not.
    end(tx, batch, { state: "stopped", stoppedAs: "tenant_suspended" });
    return { kind: "over" };
  }
  const begun: BatchStep = {
    batchId: id,
    step,
    round: repeats ? before.round : (before?.round ?? 0) + 1,
    attempts: (before?.attempts ?? 0) + 1,
    state: "running",
    roundAtMs: repeats ? before.roundAtMs : tx.nowMs,
    startedAtMs: before?.startedAtMs ?? tx.nowMs,
    finishedAtMs: null,
    results: before?.results ?? [],
  };
  tx.stores.batches.writeStep(begun);
  const state = batch.state === "canceling" ? "canceling" : "running";
  const running: Batch = { ...batch, state, waitsUntilMs: null, progressAtMs: tx.nowMs };
  tx.stores.batches.write(running);
  const most = shareOf(tx.profile.settings.max_in_flight);
  return { kind: "run", batch: running, indexes, roundAtMs: begun.roundAtMs, most };
}

export interface StepReport {
  readonly id: string;
  readonly step: number;
  readonly results: readonly ItemResult[];
  /** Refusals that pass: when to ask again, in milliseconds from now; null: none. */
  readonly waitMs: number | null;
  /** A refusal that holds for the day, or for ever. */
  readonly stop: { readonly kind: string; readonly ofTheDay: boolean } | null;
}

/** What the run of the batch does next. */
export type Next =
  | { readonly kind: "next" }
  | { readonly kind: "over" }
  | { readonly kind: "wait"; readonly ms: number };

export function reportStep(tx: Tx, report: StepReport): Next {
  const batch = tx.stores.batches.read(report.id);
  const before = tx.stores.batches.readStep(report.id, report.step);
  if (batch === null || before === null) return { kind: "over" };
  const results = merged(before.results, report.results);
  const isDone = results.length === itemsOf(report.step, batch.items).length;
  tx.stores.batches.writeStep({
    ...before,
    results,
    state: isDone ? "done" : "waiting",
    finishedAtMs: isDone ? tx.nowMs : null,
  });
  const totals = totalsOf(tx.stores.batches.listSteps(batch.id, 0, stepCount(batch.items)));
  const after: Batch = { ...batch, ...totals, progressAtMs: tx.nowMs };
  tx.stores.batches.write(after);
  if (isOver(after)) return { kind: "over" };
  tx.stores.batches.noteSign(batch.id, tx.nowMs);
  if (after.state === "canceling") {
    end(tx, after, { state: "canceled" });
    return { kind: "over" };
  }
  if (report.stop !== null && !isDone) {
    if (!report.stop.ofTheDay || !batch.resume) {
      end(tx, after, { state: "stopped", stoppedAs: report.stop.kind });
      return { kind: "over" };
    }
    const untilMs = endOf(dayOf(tx.nowMs));
    tx.stores.batches.write({ ...after, state: "waiting", waitsUntilMs: untilMs });
    return { kind: "wait", ms: untilMs - tx.nowMs };
  }
  return isDone ? { kind: "next" } : { kind: "wait", ms: report.waitMs ?? 1000 };
}

const merged = (before: readonly ItemResult[], more: readonly ItemResult[]): ItemResult[] => {
  const byIndex = new Map([...before, ...more].map((result) => [result.index, result]));
  return [...byIndex.values()].toSorted((a, b) => a.index - b.index);
};

/** When all steps were run. */
export function completeBatch(tx: Tx, id: string): void {
  const batch = tx.stores.batches.read(id);
  if (batch !== null && !isOver(batch)) end(tx, batch, { state: "completed" });
}

/** Without its items there is nothing to run. */
export function failBatch(tx: Tx, { id, as }: { readonly id: string; readonly as: string }): void {
  const batch = tx.stores.batches.read(id);
  if (batch === null || isOver(batch)) return;
  end(tx, batch, { state: "stopped", stoppedAs: as });
}

function end(
  tx: Tx,
  batch: Batch,
  how: Pick<Batch, "state"> & Partial<Pick<Batch, "stoppedAs">>,
): Batch {
  const ended: Batch = { ...batch, ...how, waitsUntilMs: null, finishedAtMs: tx.nowMs };
  tx.stores.batches.write(ended);
  const event = {
    type: "verdict_batch.completed",
    subject: batch.id,
    decision: null,
    data: null,
  } as const;
  tx.stores.outbox.record(event, tx.nowMs);
  return ended;
}

const OVER = { kind: "over" } as const;

export const BATCH_OPERATIONS = {
  createBatch: ({ write }: TenantContext, caller: Caller, request: NewBatch) =>
    write(caller, (tx) => createBatch(tx, request)),

  readBatch: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => readBatch(tx, id)),

  listBatches: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.batches.list(before, limit), limit)),

  listBatchSteps: (
    { ask }: TenantContext,
    caller: Caller,
    query: Parameters<typeof listSteps>[1],
  ) => ask(caller, (tx) => listSteps(tx, query)),

  cancelBatch: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) => cancelBatch(tx, id)),

  // The run of a batch calls the five that follow, on the platform's behalf.

  beginStep: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: { readonly id: string; readonly step: number },
  ): Promise<StepWork> => writeOfGeneration(generation, OVER, (tx) => beginStep(tx, request)),

  reportStep: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    report: StepReport,
  ): Promise<Next> => writeOfGeneration(generation, OVER, (tx) => reportStep(tx, report)),

  /** 0: there is nothing to do. */
  itemCount: ({ ofGeneration }: TenantContext, generation: number, id: string): number =>
    ofGeneration(generation, 0, ({ stores }) => stores.batches.read(id)?.items ?? 0),

  completeBatch: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    id: string,
  ): Promise<void> => writeOfGeneration(generation, undefined, (tx) => completeBatch(tx, id)),

  failBatch: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    request: Parameters<typeof failBatch>[1],
  ): Promise<void> => writeOfGeneration(generation, undefined, (tx) => failBatch(tx, request)),
};
