import { runFilesPrefix } from "../../../src/domain/pipelines/run-files.ts";
import { SLICE_DOCUMENTS, sliceId, type SliceParams } from "../../../src/domain/pipelines/run.ts";
import type { Run } from "../../../src/domain/runs/run.ts";
import type { TenantFeature } from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import { runFeature } from "../runs/run-recovery.ts";
import { type StuckRun, wakeRuns } from "../runs/wake-runs.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { PIPELINES } from "./pipeline-schema.ts";
import type { PipelineStore } from "./pipeline-store.ts";

// A run that is silent is woken at its first slice with documents to do.

/** Each may have ten thousand steps. */
const PURGE_RUNS = 3;

/** A bucket lists and deletes a thousand files at once. */
const FILES_AT_ONCE = 1000;

export const PIPELINES_FEATURE: TenantFeature = runFeature({
  name: "pipelines",
  tables: PIPELINES,
  storeOf: ({ pipelines }) => pipelines,
  purgeRuns: PURGE_RUNS,
  wake: ({ outside, transact }, profile, stuck) =>
    wakeRuns(
      outside.pipelines(),
      transact(({ stores }) => stuckSlices(stores.pipelines, profile, stuck)) ?? [],
    ),
  eraseFiles: async (bucket, profile, id) => {
    const prefix = runFilesPrefix(ownerOf(profile), id);
    const { objects, truncated } = await bucket.list({ prefix, limit: FILES_AT_ONCE });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    return truncated;
  },
});

const stuckSlices = (
  pipelines: PipelineStore,
  { id: tenant, generation: life }: Profile,
  stuck: readonly Run[],
): StuckRun<SliceParams>[] =>
  stuck.flatMap(({ id: run }) => {
    const first = pipelines.firstPending(run);
    if (first === null) return [];
    const params = { tenant, life, run, slice: Math.floor(first / SLICE_DOCUMENTS) };
    return [{ id: sliceId(params), params }];
  });
