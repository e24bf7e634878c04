import type { Batch, BatchParams } from "../../../src/domain/moderation/batch.ts";
import { isOver } from "../../../src/domain/runs/run.ts";
import { batchItemsKey } from "../../../src/domain/generation/stored-picture.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { filesDueMs, silentUntilMs, wakeRuns } from "../wake-runs.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { verdictsKeptMs } from "../verdicts/verdicts.ts";
import { BATCHES } from "./batch-schema.ts";
import type { Tx } from "../transactions.ts";
import type { BatchStore } from "./batch-store.ts";
import type { Profile } from "../profile-store.ts";

// A batch that is silent is woken: its run may have been killed, or never begun. The items of a batch
// that has ended are erased, when the request that made it cannot write them any more.

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
  const { finishedAtMs, progressAtMs } = batch;
  if (finishedAtMs !== null) return filesDueMs(finishedAtMs, progressAtMs);
  return silentUntilMs(Math.max(progressAtMs, batch.waitsUntilMs ?? 0), signMs);
}

export async function wakeBatches(
  runs: Workflow<BatchParams> | null,
  profile: Profile,
  stuck: readonly Batch[],
): Promise<void> {
  const params = ({ id }: Batch) => ({ tenant: profile.id, life: profile.generation, batch: id });
  await wakeRuns(
    runs,
    stuck.map((batch) => ({ id: batch.id, params: params(batch) })),
  );
}

/** They have a while before they are woken again. */
function batchesWoken({ stores: { batches }, nowMs }: Tx, woken: readonly Batch[]): void {
  for (const { id } of woken) batches.noteSign(id, nowMs);
}

const stuckBatches = (batches: BatchStore, nowMs: number): Batch[] =>
  batches
    .open()
    .filter((batch) => !isOver(batch) && dueMs(batch, batches.lastSignMs(batch.id)) <= nowMs);

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
    batches.write(gone ? { ...batch, hasFiles: false } : { ...batch, progressAtMs });
  }
}
