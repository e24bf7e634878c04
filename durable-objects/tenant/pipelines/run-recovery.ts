import { runFilesPrefix } from "../../../src/domain/pipelines/run-files.ts";
import {
  type PipelineRun,
  SLICE_DOCUMENTS,
  sliceId,
  type SliceParams,
} from "../../../src/domain/pipelines/run.ts";
import { isOver } from "../../../src/domain/runs/run.ts";
import { expiresAfter, expiry, type TenantContext, type TenantFeature } from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import { ownerOf } from "../verdicts/contents.ts";
import { verdictsKeptMs } from "../verdicts/verdicts.ts";
import { filesDueMs, silentUntilMs, type StuckRun, wakeRuns } from "../wake-runs.ts";
import { PIPELINES } from "./pipeline-schema.ts";

// A run that is silent is woken: its Workflow may have been killed, or never begun. The files of a run that
// has ended are erased, when none of its steps can write one any more.

/** Runs deleted in one alarm: each may have ten thousand steps. */
const PURGE_RUNS = 3;

/** A bucket lists and deletes a thousand files at once. */
const FILES_AT_ONCE = 1000;

export const PIPELINES_FEATURE: TenantFeature = {
  name: "pipelines",
  tables: [PIPELINES],
  capability: (context) => {
    const { db, pipelines } = context.stores;
    return {
      forget: () => pipelines.forget(),
      purge: ({ profile, nowMs }) => pipelines.purge(nowMs - verdictsKeptMs(profile), PURGE_RUNS),
      expiries: [
        expiry(db.of(PIPELINES), (profile) =>
          expiresAfter(pipelines.firstEndMs(PURGE_RUNS), verdictsKeptMs(profile)),
        ),
      ],
      dueMs: () => Math.min(...pipelines.open().map((run) => dueMs(context, run))),
      tend: (profile) => tendRuns(context, profile),
    };
  },
};

function dueMs({ stores: { pipelines } }: TenantContext, run: PipelineRun): number {
  const { finishedAtMs, progressAtMs, waitsUntilMs, id } = run;
  if (finishedAtMs !== null) return filesDueMs(finishedAtMs, progressAtMs);
  return silentUntilMs(Math.max(progressAtMs, waitsUntilMs ?? 0), pipelines.lastSignMs(id));
}

/** @returns true: there is more to erase */
async function tendRuns(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const due = stores.pipelines.open().filter((run) => dueMs(context, run) <= wallMs());
  if (due.length === 0) return false;
  const ended = due.filter(isOver);
  const stuck = due.filter((run) => !isOver(run));
  const erased = await Promise.all(
    ended.map(async ({ id }) => ({ id, left: await eraseFiles(outside.bucket(), profile, id) })),
  );
  await wakeRuns(
    outside.pipelines(),
    transact((tx) => stuckSlices(tx.stores.pipelines, profile, stuck)) ?? [],
  );
  transact(({ stores: { pipelines }, nowMs }) => {
    for (const { id } of stuck) pipelines.noteSign(id, nowMs);
    for (const { id, left } of erased) {
      const run = pipelines.read(id);
      if (run === null || left === "more") continue;
      // One millisecond after its end at least: that is how a failure is known.
      const failedAtMs = Math.max(nowMs, (run.finishedAtMs ?? 0) + 1);
      pipelines.write(
        left === "none" ? { ...run, hasFiles: false } : { ...run, progressAtMs: failedAtMs },
      );
    }
  });
  return erased.some(({ left }) => left === "more");
}

const stuckSlices = (
  pipelines: TenantContext["stores"]["pipelines"],
  { id: tenant, generation: life }: Profile,
  stuck: readonly PipelineRun[],
): StuckRun<SliceParams>[] =>
  stuck.flatMap(({ id: run }) => {
    const first = pipelines.firstPending(run);
    if (first === null) return [];
    const params = { tenant, life, run, slice: Math.floor(first / SLICE_DOCUMENTS) };
    return [{ id: sliceId(params), params }];
  });

async function eraseFiles(
  bucket: R2Bucket | null,
  profile: Profile,
  runId: string,
): Promise<"none" | "more" | "failed"> {
  if (bucket === null) return "none";
  try {
    const prefix = runFilesPrefix(ownerOf(profile), runId);
    const { objects, truncated } = await bucket.list({ prefix, limit: FILES_AT_ONCE });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    return truncated ? "more" : "none";
  } catch {
    return "failed";
  }
}
