import { isOver, type Run } from "../../../src/domain/runs/run.ts";
import type { Feature } from "../../database.ts";
import { expiresAfter, expiry, type TenantContext, type TenantFeature } from "../feature.ts";
import type { Profile } from "../profile-store.ts";
import type { TenantStores } from "../stores.ts";
import { verdictsKeptMs } from "../verdicts/verdicts.ts";
import type { RunStore } from "./run-store.ts";

// What the alarm does about runs. One that is silent is woken: its Workflow may have been killed, or never
// begun. The files of one that has ended are erased, when nothing can write one of them any more.

/** How the runs of one kind are woken and erased. */
export interface Recovery<R extends Run> {
  readonly name: string;
  readonly tables: Feature;
  readonly storeOf: (stores: TenantStores) => RunStore<R>;
  /** Runs deleted in one alarm. */
  readonly purgeRuns: number;
  readonly wake: (context: TenantContext, profile: Profile, stuck: readonly R[]) => Promise<void>;
  /**
   * Erases files of a run.
   *
   * @returns true: there is more to erase
   * @throws when the bucket failed
   */
  readonly eraseFiles: (bucket: R2Bucket, profile: Profile, id: string) => Promise<boolean>;
}

export const runFeature = <R extends Run>(recovery: Recovery<R>): TenantFeature => ({
  name: recovery.name,
  tables: [recovery.tables],
  capability: (context) => {
    const { db } = context.stores;
    const { tables, purgeRuns } = recovery;
    const store = recovery.storeOf(context.stores);
    return {
      forget: () => store.forget(),
      purge: ({ profile, nowMs }) => store.purge(nowMs - verdictsKeptMs(profile), purgeRuns),
      expiries: [
        expiry(db.of(tables), (profile) =>
          expiresAfter(store.firstEndMs(purgeRuns), verdictsKeptMs(profile)),
        ),
      ],
      dueMs: () => Math.min(...store.open().map((run) => dueMs(store, run))),
      dueRows: db.of(tables),
      tend: (profile) => tendRuns(context, recovery, profile),
    };
  },
});

/**
 * Longer than a run is silent: a call has 60 s, and a wait for a rate takes no longer. And less than
 * the 90 s of a hold, so that a run that was killed in a call still finds its hold open.
 */
const STUCK_MS = 70_000;

/** For a run that is silent since the object started: it may have been killed with it. */
const SILENT_MS = 10_000;

/**
 * After the end of a run nothing of it is written any more: a call that it had begun has a hold of 90 s, and
 * its files may be 90 s late, as those of a document.
 */
const LATE_FILES_MS = 180_000;

/** After a bucket that failed. */
const FILES_RETRY_MS = 30_000;

/** When a run counts as stuck, or its files are erased. */
function dueMs<R extends Run>(store: RunStore<R>, run: R): number {
  const { id, finishedAtMs, progressAtMs, waitsUntilMs } = run;
  if (finishedAtMs !== null) return filesDueMs(finishedAtMs, progressAtMs);
  const lastMs = Math.max(progressAtMs, waitsUntilMs ?? 0);
  const signMs = store.lastSignMs(id);
  return signMs === null ? lastMs + SILENT_MS : Math.max(lastMs, signMs) + STUCK_MS;
}

/** @param progressAtMs its last report, or when the bucket last failed */
const filesDueMs = (finishedAtMs: number, progressAtMs: number): number =>
  Math.max(
    finishedAtMs + LATE_FILES_MS,
    progressAtMs > finishedAtMs ? progressAtMs + FILES_RETRY_MS : 0,
  );

/** @returns true: there is more to erase */
async function tendRuns<R extends Run>(
  context: TenantContext,
  recovery: Recovery<R>,
  profile: Profile,
): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const { storeOf } = recovery;
  const store = storeOf(stores);
  const due = store.open().filter((run) => dueMs(store, run) <= wallMs());
  if (due.length === 0) return false;
  const stuck = due.filter((run) => !isOver(run));
  const erased = await Promise.all(
    due.filter(isOver).map(async ({ id }) => ({
      id,
      left: await eraseFiles(outside.bucket(), (bucket) =>
        recovery.eraseFiles(bucket, profile, id),
      ),
    })),
  );
  await recovery.wake(context, profile, stuck);
  transact((tx) => {
    const runs = storeOf(tx.stores);
    // They have a while before they are woken again.
    for (const { id } of stuck) runs.noteSign(id, tx.nowMs);
    for (const { id, left } of erased) {
      const run = runs.read(id);
      if (run === null || left === "more") continue;
      // One millisecond after its end at least: that is how a failure is known.
      const failedAtMs = Math.max(tx.nowMs, (run.finishedAtMs ?? 0) + 1);
      runs.write(
        left === "none" ? { ...run, hasFiles: false } : { ...run, progressAtMs: failedAtMs },
      );
    }
  });
  return erased.some(({ left }) => left === "more");
}

async function eraseFiles(
  bucket: R2Bucket | null,
  erase: (bucket: R2Bucket) => Promise<boolean>,
): Promise<"none" | "more" | "failed"> {
  if (bucket === null) return "none";
  return erase(bucket).then(
    (isMore) => (isMore ? "more" : "none"),
    () => "failed",
  );
}
