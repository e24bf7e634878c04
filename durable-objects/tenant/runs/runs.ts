import type {
  LookupFailure,
  RequestFailure,
  ServiceFailure,
} from "../../../src/domain/ledger/failure.ts";
import { dayOf, endOf } from "../../../src/domain/ledger/period.ts";
import { isOver, OVER, type Run, type Stop, type Wait } from "../../../src/domain/runs/run.ts";
import type { EventWork } from "../../../src/domain/usage/work.ts";
import type { RecordedEvent } from "../../../src/domain/webhooks/event.ts";
import { isStorageFull } from "../calls/admit.ts";
import { type KeyUsed, once } from "../calls/once.ts";
import { notFound } from "../page.ts";
import type { Idempotency } from "../protocol.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import { countWork } from "../usage/fold-usage.ts";
import type { RunStore } from "./run-store.ts";

// The life of a run, of whatever kind: it is made, read, canceled, made to wait, and ended.

/** A kind of run. `Reply`: how the object's replies name a run of it. */
export interface RunKind<R extends Run, Reply extends object> {
  /** As `not_found` calls one. */
  readonly what: string;
  readonly storeOf: (stores: TenantStores) => RunStore<R>;
  /** Open runs of one tenant. */
  readonly mostOpen: number;
  /** The detail when there are so many. */
  readonly tooMany: string;
  readonly reply: (run: R) => Reply;
  /** Endpoints get it when a run ends. */
  readonly endEvent: (run: R) => RecordedEvent["type"];
  /** The reports count it when a run ends. `steps`: those that began. */
  readonly workOf: (run: R, ended: { readonly steps: number; readonly ms: number }) => EventWork;
}

/** What the request for any new run has. */
export interface NewRun {
  readonly id: string;
  readonly requestId: string;
  /** The label of the request; null: it has none. */
  readonly context: string | null;
  readonly resume: boolean;
  /** Null: the platform makes it. */
  readonly secretHash: string | null;
  readonly route: string;
  readonly idempotency: Idempotency | null;
}

/** `generation`: of the tenant, under which the files of the run are kept. */
export type Made<Reply> = Reply & { readonly generation: number; readonly repeated: boolean };

export type NotMade =
  | KeyUsed
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Extract<ServiceFailure, { kind: "storage_full" }>;

export type NotFound = Extract<LookupFailure, { kind: "not_found" }>;

/**
 * @param complete adds what only runs of this kind have
 * @param unfitness why no call of the run could be admitted; null: nothing speaks against it
 */
export function createRun<R extends Run, Reply extends object, Unfit extends object = never>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  request: NewRun,
  complete: (run: Run) => R,
  unfitness: () => Unfit | null = () => null,
): Made<Reply> | NotMade | Unfit {
  const { generation } = tx.profile;
  const store = kind.storeOf(tx.stores);
  return once(
    tx,
    request,
    (id): Made<Reply> | null => {
      const run = store.read(id);
      return run === null ? null : { ...kind.reply(run), generation, repeated: true };
    },
    (): Made<Reply> | NotMade | Unfit => {
      if (isStorageFull(tx)) return { kind: "storage_full" };
      if (store.open().filter((run) => !isOver(run)).length >= kind.mostOpen) {
        return { kind: "over_limit", detail: kind.tooMany };
      }
      const unfit = unfitness();
      if (unfit !== null) return unfit;
      const run = complete(newRun(tx, request));
      store.write(run);
      store.noteSign(run.id, tx.nowMs);
      return { ...kind.reply(run), generation, repeated: false };
    },
  );
}

const newRun = (
  { nowMs, keyId }: Tx,
  { id, requestId, context, resume, secretHash }: NewRun,
): Run => ({
  id,
  state: "running",
  resume,
  secretHash,
  keyId,
  requestId,
  context,
  microNeurons: 0,
  stoppedAs: null,
  waitsUntilMs: null,
  createdAtMs: nowMs,
  progressAtMs: nowMs,
  finishedAtMs: null,
  hasFiles: true,
});

export function readRun<R extends Run, Reply extends object>(
  { stores }: Tx,
  kind: RunKind<R, Reply>,
  id: string,
): Reply | NotFound {
  const run = kind.storeOf(stores).read(id);
  return run === null ? notFound(kind.what) : kind.reply(run);
}

/** Steps that have begun run to their end, and are counted. */
export function cancelRun<R extends Run, Reply extends object>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  id: string,
): Reply | NotFound {
  const store = kind.storeOf(tx.stores);
  const run = store.read(id);
  if (run === null) return notFound(kind.what);
  if (isOver(run)) return kind.reply(run);
  if (!store.hasRunningStep(id)) return kind.reply(endRun(tx, kind, run, { state: "canceled" }));
  const canceling: R = { ...run, state: "canceling", waitsUntilMs: null };
  store.write(canceling);
  return kind.reply(canceling);
}

/** Something that it needs is missing. One that is over stays as it is. */
export function stopRun<R extends Run, Reply extends object>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  { id, as }: { readonly id: string; readonly as: string },
): void {
  const run = kind.storeOf(tx.stores).read(id);
  if (run === null || isOver(run)) return;
  endRun(tx, kind, run, { state: "stopped", stoppedAs: as });
}

export function endRun<R extends Run, Reply extends object>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  run: R,
  how: Pick<Run, "state"> & Partial<Pick<Run, "stoppedAs">>,
): R {
  const ended: R = { ...run, ...how, waitsUntilMs: null, finishedAtMs: tx.nowMs };
  const store = kind.storeOf(tx.stores);
  store.write(ended);
  const took = { steps: store.countSteps(run.id), ms: tx.nowMs - run.createdAtMs };
  countWork(tx, kind.workOf(ended, took));
  const event = { type: kind.endEvent(ended), subject: run.id, decision: null, data: null };
  tx.stores.outbox.record(event, tx.nowMs);
  return ended;
}

/** Why no step of the run that is not begun yet is begun now; null: it is. */
export function reasonNotToBegin<R extends Run, Reply extends object>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  run: R,
): typeof OVER | Wait | null {
  if (run.waitsUntilMs !== null && run.waitsUntilMs > tx.nowMs) {
    return { kind: "wait", ms: run.waitsUntilMs - tx.nowMs };
  }
  if (run.state === "canceling") {
    if (!kind.storeOf(tx.stores).hasRunningStep(run.id)) {
      endRun(tx, kind, run, { state: "canceled" });
    }
    return OVER;
  }
  if (!tx.profile.settings.suspended) return null;
  // A key's calls are refused by themselves; the platform's are not.
  endRun(tx, kind, run, { state: "stopped", stoppedAs: "tenant_suspended" });
  return OVER;
}

/** Its step begins, or is repeated. */
export function stepBegun<R extends Run, Reply extends object>(
  { stores, nowMs }: Tx,
  kind: RunKind<R, Reply>,
  run: R,
): R {
  const state = run.state === "canceling" ? "canceling" : "running";
  const begun: R = { ...run, state, waitsUntilMs: null, progressAtMs: nowMs };
  kind.storeOf(stores).write(begun);
  return begun;
}

/** A call was refused for the day, or for ever: the run ends, or waits for the next day. */
export function stopOrWait<R extends Run, Reply extends object>(
  tx: Tx,
  kind: RunKind<R, Reply>,
  run: R,
  { as, ofTheDay }: Pick<Stop, "as" | "ofTheDay">,
): typeof OVER | Wait {
  if (!ofTheDay || !run.resume) {
    endRun(tx, kind, run, { state: "stopped", stoppedAs: as });
    return OVER;
  }
  const untilMs = endOf(dayOf(tx.nowMs));
  kind.storeOf(tx.stores).write({ ...run, state: "waiting", waitsUntilMs: untilMs });
  return { kind: "wait", ms: untilMs - tx.nowMs };
}
