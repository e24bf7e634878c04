import type { Batch, BatchParams } from "../../../src/domain/moderation/batch.ts";
import { batchItemsKey } from "../../../src/domain/generation/stored-picture.ts";
import { PURGE_ROWS, type TenantFeature } from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import { runFeature } from "../runs/run-recovery.ts";
import { wakeRuns } from "../runs/wake-runs.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { BATCHES } from "./batch-schema.ts";

// A batch has one Workflow instance, of its id, and one file.

export const BATCHES_FEATURE: TenantFeature = runFeature({
  name: "batches",
  tables: BATCHES,
  storeOf: ({ batches }) => batches,
  purgeRuns: PURGE_ROWS,
  wake: ({ outside }, profile, stuck) => wakeBatches(outside.batches(), profile, stuck),
  eraseFiles: async (bucket, profile, id) => {
    await bucket.delete(batchItemsKey(ownerOf(profile), id));
    return false;
  },
});

export const wakeBatches = (
  runs: Workflow<BatchParams> | null,
  { id: tenant, generation: life }: Profile,
  stuck: readonly Batch[],
): Promise<void> =>
  wakeRuns(
    runs,
    stuck.map(({ id }) => ({ id, params: { tenant, life, batch: id } })),
  );
