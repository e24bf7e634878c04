import type { Rebuild, RebuildStatus } from "../../../src/domain/usage/rebuild.ts";
import type { Outside } from "../outside.ts";
import type { FeedState, FeedStore } from "./feed-store.ts";
import { foldUsage } from "./fold-usage.ts";
import type { Transact, Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import { FIRST_ROW } from "./usage-row-store.ts";
import type { TenantContext } from "../feature.ts";
import type { Caller } from "../protocol.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { RowVersion } from "../../../src/domain/usage/report-rows.ts";
import { readReportDays } from "./read-report-days.ts";

// The reports of a tenant, made anew from what its object knows: whatever they held of it goes, then
// every row of the object waits again and is sent. Where it is stands in the object, so that a crash at
// any point only repeats a part.

/**
 * Steps of one alarm. Each deletes thousands of rows with eleven queries, of which the free plan has fifty an
 * invocation.
 */
const STEPS_AN_ALARM = 4;

const ROWS_A_STEP = 500;

export const isRebuilding = (feed: FeedStore): boolean => runs(feed.read()?.rebuild ?? null);

const runs = (rebuild: Rebuild | null): rebuild is Rebuild =>
  rebuild !== null && rebuild.phase !== "done";

/** A repeat while one runs gets the one that runs. */
export function startRebuild(tx: Tx): RebuildStatus {
  // Whose first call is yet to come has a place to begin from all the same.
  if (tx.stores.feed.read() === null) foldUsage(tx);
  const state = tx.stores.feed.read();
  if (state !== null && !runs(state.rebuild)) {
    const rebuild: Rebuild = {
      phase: "clearing",
      after: FIRST_ROW,
      upTo: 0,
      rows: 0,
      startedAtMs: tx.nowMs,
      finishedAtMs: null,
    };
    tx.stores.feed.write({ ...state, rebuild });
  }
  return readRebuild(tx);
}

export const readRebuild = ({ stores: { feed, reportRows } }: Tx): RebuildStatus => ({
  kind: "rebuild",
  rebuild: feed.read()?.rebuild ?? null,
  waiting: reportRows.countWaiting(),
});

export interface RebuildMeans {
  readonly transact: Transact;
  readonly clearReports: Outside["clearReports"];
}

/** @throws when the database does not answer */
export async function advanceRebuild(profile: Profile, by: RebuildMeans): Promise<void> {
  for (let steps = 0; steps < STEPS_AN_ALARM; steps += 1) {
    const phase = by.transact((tx) => tx.stores.feed.read()?.rebuild?.phase ?? "done");
    if (phase === null || phase === "done") return;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const cleared = phase === "clearing" ? await clear(profile, by) : true;
    if (!cleared) continue;
    const more = by.transact((tx) => afterStep(tx, phase));
    if (more !== true) return;
  }
}

/** True when nothing of the tenant is left there. */
async function clear({ id, generation }: Profile, by: RebuildMeans): Promise<boolean> {
  const more = await by.clearReports({ tenant: id, generation });
  return more !== true;
}

/** True when the next part can follow at once. */
function afterStep(tx: Tx, phase: Rebuild["phase"]): boolean {
  const state = tx.stores.feed.read();
  if (state === null || !runs(state.rebuild) || state.rebuild.phase !== phase) return false;
  const next = advanced(tx, state, state.rebuild);
  if (next !== null) tx.stores.feed.write(next);
  return next !== null;
}

/** Null: it waits for rows that are on their way. */
function advanced(
  { stores: { reportRows }, nowMs }: Tx,
  state: FeedState,
  rebuild: Rebuild,
): FeedState | null {
  switch (rebuild.phase) {
    case "clearing":
      // What was sent before may have been cleared: from now on only what is sent anew counts.
      return { ...state, epoch: state.epoch + 1, rebuild: { ...rebuild, phase: "marking" } };
    case "marking": {
      const marked = reportRows.waitAgain(rebuild.after, ROWS_A_STEP);
      const next: Rebuild =
        marked === null
          ? { ...rebuild, phase: "sending", upTo: state.sequence }
          : { ...rebuild, after: marked.last, rows: rebuild.rows + marked.rows };
      return { ...state, rebuild: next };
    }
    case "sending":
      return reportRows.isAnyWaiting(rebuild.upTo)
        ? null
        : { ...state, rebuild: { ...rebuild, phase: "done", finishedAtMs: nowMs } };
    case "done":
      return null;
  }
}

export const REPORT_OPERATIONS = {
  /** The consumer of the queue calls it once it has written the rows. */
  rowsArrived: (
    { writeOfGeneration, feed }: TenantContext,
    generation: number,
    epoch: number,
    rows: readonly RowVersion[],
  ): Promise<void> => writeOfGeneration(generation, undefined, () => feed.arrived(epoch, rows)),

  /** Days whose hours the reports no longer keep. Null: that generation is over. */
  readReportDays: ({ ofGeneration }: TenantContext, generation: number, days: readonly Day[]) =>
    ofGeneration(generation, null, (tx) => readReportDays(tx, days)),

  /** Makes the reports of this tenant anew. */
  startRebuild: ({ write }: TenantContext, caller: Caller) => write(caller, startRebuild),

  readRebuild: ({ ask }: TenantContext, caller: Caller) => ask(caller, readRebuild),
};
