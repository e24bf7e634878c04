import { type Batch, isOver, type BatchParams } from "../../../src/domain/moderation/batch.ts";
import { batchItemsKey } from "../../../src/domain/generation/stored-picture.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { verdictsKeptMs } from "../verdicts/verdicts.ts";
import { BATCHES } from "./batch-schema.ts";
import type { Tx } from "../transactions.ts";
import type { BatchStore } from "./batch-store.ts";
import type { Profile } from "../profile-store.ts";

// A batch that is silent is woken: its run may have been killed, or never begun. The items of a batch
// that has ended are erased.

/**
 * Longer than a run is silent: a call has 60 s, and a wait for a rate takes no longer. And less than
 * the 90 s of a hold, so that a run that was killed in a call still finds its hold open.
 */
const STUCK_MS = 70_000;

/** For a batch that is silent since the object started: its run may have been killed with it. */
const SILENT_MS = 10_000;

/** How long the alarm waits for a run to be woken: the local engine answers when that has ended. */
const WAKE_MS = 4000;

/** How long one that is paused may take to say so. */
const PAUSE_POLL_MS = 50;
const PAUSE_POLLS = 40;

/** After a bucket that failed. */
const FILE_RETRY_MS = 30_000;

export const BATCHES_FEATURE: TenantFeature = {
  name: "batches",
  tables: [BATCHES],
  capability: (context) => {
    const { db, batches } = context.stores;
    return {
      forget: () => batches.forget(),
      purge: ({ profile, nowMs }) => batches.purge(nowMs - verdictsKeptMs(profile), PURGE_ROWS),
      expiries: [
        expiry(db.of(BATCHES), (profile) =>
          expiresAfter(batches.firstEndMs(PURGE_ROWS), verdictsKeptMs(profile)),
        ),
      ],
      dueMs: () =>
        Math.min(...batches.open().map((batch) => dueMs(batch, batches.lastSignMs(batch.id)))),
      tend: (profile) => tendBatches(context, profile),
    };
  },
};

async function tendBatches(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const stuck = stuckBatches(stores.batches, wallMs());
  const ended = endedBatches(stores.batches, wallMs());
  if (stuck.length + ended.length === 0) return false;
  const erased = await eraseBatchFiles(outside.bucket(), profile, ended);
  await wakeBatches(outside.batches(), profile, stuck);
  transact((tx) => {
    batchesWoken(tx, stuck);
    batchFilesErased(tx, erased);
  });
  return false;
}

function dueMs(batch: Batch, signMs: number | null): number {
  // Progress after its end is a bucket that failed.
  const { finishedAtMs } = batch;
  if (finishedAtMs !== null) {
    return batch.progressAtMs > finishedAtMs ? batch.progressAtMs + FILE_RETRY_MS : finishedAtMs;
  }
  const lastMs = Math.max(batch.progressAtMs, batch.waitsUntilMs ?? 0);
  return signMs === null ? lastMs + SILENT_MS : Math.max(lastMs, signMs) + STUCK_MS;
}

export async function wakeBatches(
  runs: Workflow<BatchParams> | null,
  profile: Profile,
  stuck: readonly Batch[],
): Promise<void> {
  if (runs === null) return;
  const woken = stuck.map(async (batch) => wake(runs, profile, batch).catch(() => undefined));
  await Promise.race([Promise.all(woken), scheduler.wait(WAKE_MS)]);
}

/** They have a while before they are woken again. */
function batchesWoken({ stores: { batches }, nowMs }: Tx, woken: readonly Batch[]): void {
  for (const { id } of woken) batches.noteSign(id, nowMs);
}

const stuckBatches = (batches: BatchStore, nowMs: number): Batch[] =>
  batches
    .open()
    .filter((batch) => !isOver(batch) && dueMs(batch, batches.lastSignMs(batch.id)) <= nowMs);

/** An instance that has ended before its batch has: it failed too often. */
const ENDED: readonly InstanceStatus["status"][] = ["errored", "terminated", "complete"];

async function wake(runs: Workflow<BatchParams>, profile: Profile, { id }: Batch): Promise<void> {
  const instance = await runs.get(id).catch(() => null);
  if (instance === null) {
    const params = { tenant: profile.id, life: profile.generation, batch: id };
    await runs.create({ id, params });
    return;
  }
  const { status } = await instance.status();
  if (status === "queued") return;
  // It begins anew, and finds what is done already.
  if (ENDED.includes(status)) return instance.restart();
  // One that was killed stays as it was until it is paused and goes on. One that runs is not paused
  // within a step, and goes on all the same.
  if (status !== "paused") await pause(instance);
  await instance.resume();
}

async function pause(instance: WorkflowInstance): Promise<void> {
  await instance.pause();
  for (let poll = 0; poll < PAUSE_POLLS; poll += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it says so
    if ((await instance.status()).status === "paused") return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await scheduler.wait(PAUSE_POLL_MS);
  }
}

const endedBatches = (batches: BatchStore, nowMs: number): Batch[] =>
  batches.open().filter((batch) => isOver(batch) && dueMs(batch, null) <= nowMs);

/** @returns each, and whether its items are gone */
const eraseBatchFiles = (
  bucket: R2Bucket | null,
  profile: Profile,
  ended: readonly Batch[],
): Promise<readonly { readonly id: string; readonly gone: boolean }[]> =>
  Promise.all(
    ended.map(async ({ id }) => {
      const key = batchItemsKey(ownerOf(profile), id);
      const gone =
        bucket === null ||
        (await bucket.delete(key).then(
          () => true,
          () => false,
        ));
      return { id, gone };
    }),
  );

function batchFilesErased(
  { stores: { batches }, nowMs }: Tx,
  erased: Awaited<ReturnType<typeof eraseBatchFiles>>,
): void {
  for (const { id, gone } of erased) {
    const batch = batches.read(id);
    if (batch === null) continue;
    // One millisecond after its end at least: that is how a failure is known.
    const progressAtMs = Math.max(nowMs, (batch.finishedAtMs ?? 0) + 1);
    batches.write(gone ? { ...batch, hasFile: false } : { ...batch, progressAtMs });
  }
}
