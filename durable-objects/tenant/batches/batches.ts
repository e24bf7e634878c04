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
import { shareOf } from "../../../src/domain/ledger/rate-limit.ts";
import { isOver, OVER, type Stop, type Wait } from "../../../src/domain/runs/run.ts";
import type { TenantContext } from "../feature.ts";
import { notFound, pageOf } from "../page.ts";
import type { Caller } from "../protocol.ts";
import {
  cancelRun,
  createRun,
  endRun,
  type NewRun,
  type NotFound,
  readRun,
  reasonNotToBegin,
  type RunKind,
  stepBegun,
  stopOrWait,
  stopRun,
} from "../runs/runs.ts";
import type { Tx } from "../transactions.ts";

// Batches, as the tenant's object keeps them: their items, their progress and their results. The run of
// a batch (`src/batches`) calls before each of its steps and after it; both calls can be repeated.

export interface NamedBatch {
  readonly kind: "batch";
  readonly batch: Batch;
}

const BATCH: RunKind<Batch, NamedBatch> = {
  what: "batch",
  storeOf: ({ batches }) => batches,
  mostOpen: MAX_OPEN_BATCHES,
  tooMany: `At most ${MAX_OPEN_BATCHES} batches run at once: wait for one to end, or cancel it.`,
  reply: (batch) => ({ kind: "batch", batch }),
  endEvent: () => "verdict_batch.completed",
  workOf: (batch, { steps, ms }) => ({
    batches: 1,
    batches_completed: batch.state === "completed" ? 1 : 0,
    batch_steps: steps,
    batch_ms: ms,
    batch_micro_neurons: batch.microNeurons,
  }),
};

export interface NewBatch extends NewRun {
  readonly items: number;
  readonly ends: readonly number[];
}

const createBatch = (tx: Tx, request: NewBatch) =>
  createRun(tx, BATCH, request, (run) => ({
    ...run,
    items: request.items,
    ends: request.ends,
    counts: NO_COUNTS,
  }));

function listSteps(
  tx: Tx,
  { id, from, limit }: { readonly id: string; readonly from: number; readonly limit: number },
):
  | { readonly kind: "steps"; readonly steps: readonly BatchStep[]; readonly more: boolean }
  | NotFound {
  if (tx.stores.batches.read(id) === null) return notFound(BATCH.what);
  const steps = tx.stores.batches.listSteps(id, from, limit + 1);
  return { kind: "steps", steps: steps.slice(0, limit), more: steps.length > limit };
}

/** The work of a step. */
export type StepWork =
  | typeof OVER
  | { readonly kind: "done" }
  | Wait
  | {
      readonly kind: "run";
      readonly batch: Batch;
      /** Items without a result yet. */
      readonly indexes: readonly number[];
      readonly roundAtMs: number;
      /** At once. */
      readonly most: number;
    };

function beginStep(tx: Tx, { id, step }: { readonly id: string; readonly step: number }): StepWork {
  const batch = tx.stores.batches.read(id);
  if (batch === null || isOver(batch)) return OVER;
  tx.stores.batches.noteSign(id, tx.nowMs);
  const before = tx.stores.batches.readStep(id, step);
  if (before?.state === "done") return { kind: "done" };
  // A round that is repeated keeps its ids, and so charges once.
  const repeats = before?.state === "running";
  const reason = repeats ? null : reasonNotToBegin(tx, BATCH, batch);
  if (reason !== null) return reason;
  const done = new Set(before?.results.map(({ index }) => index));
  const indexes = itemsOf(step, batch.items).filter((index) => !done.has(index));
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
  const running = stepBegun(tx, BATCH, batch);
  const most = shareOf(tx.profile.settings.max_in_flight);
  return { kind: "run", batch: running, indexes, roundAtMs: begun.roundAtMs, most };
}

export interface StepReport {
  readonly id: string;
  readonly step: number;
  readonly results: readonly ItemResult[];
  /** When to go on, in milliseconds from now, after refusals that pass or a busy judge; null: at once. */
  readonly waitMs: number | null;
  /** Null: no refusal that lasts. */
  readonly stop: Stop | null;
}

/** What the run of the batch does next. */
export type Next = { readonly kind: "next" } | typeof OVER | Wait;

function reportStep(tx: Tx, report: StepReport): Next {
  const batch = tx.stores.batches.read(report.id);
  const before = tx.stores.batches.readStep(report.id, report.step);
  if (batch === null || before === null) return OVER;
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
  if (isOver(after)) return OVER;
  tx.stores.batches.noteSign(batch.id, tx.nowMs);
  if (after.state === "canceling") {
    endRun(tx, BATCH, after, { state: "canceled" });
    return OVER;
  }
  if (report.stop !== null && !isDone) return stopOrWait(tx, BATCH, after, report.stop);
  const isLast = report.step === stepCount(batch.items) - 1;
  if (isDone && (isLast || report.waitMs === null)) return { kind: "next" };
  // Of a step that is done, the round after the wait has nothing to do.
  return { kind: "wait", ms: report.waitMs ?? 1000 };
}

const merged = (before: readonly ItemResult[], more: readonly ItemResult[]): ItemResult[] => {
  const byIndex = new Map([...before, ...more].map((result) => [result.index, result]));
  return [...byIndex.values()].toSorted((a, b) => a.index - b.index);
};

/** When all steps were run. */
function completeBatch(tx: Tx, id: string): void {
  const batch = tx.stores.batches.read(id);
  if (batch !== null && !isOver(batch)) endRun(tx, BATCH, batch, { state: "completed" });
}

export const BATCH_OPERATIONS = {
  createBatch: ({ write }: TenantContext, caller: Caller, request: NewBatch) =>
    write(caller, (tx) => createBatch(tx, request)),

  readBatch: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, (tx) => readRun(tx, BATCH, id)),

  listBatches: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.batches.list(before, limit), limit)),

  listBatchSteps: (
    { ask }: TenantContext,
    caller: Caller,
    query: Parameters<typeof listSteps>[1],
  ) => ask(caller, (tx) => listSteps(tx, query)),

  cancelBatch: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) => cancelRun(tx, BATCH, id)),

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
    request: Parameters<typeof stopRun>[2],
  ): Promise<void> => writeOfGeneration(generation, undefined, (tx) => stopRun(tx, BATCH, request)),
};
