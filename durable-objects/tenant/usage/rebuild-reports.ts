import { clearRows } from "../../../src/reports/reports-store.ts";
import type { FeedState, Rebuild } from "./feed-store.ts";
import { foldUsage } from "./fold-usage.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import { FIRST_ROW } from "./usage-row-store.ts";

// The reports of a tenant, made anew from what its object knows: whatever they held of it goes, then
// every row of the object waits again and is sent. Where it is stands in the object, so that a crash at
// any point only repeats a step.

/** Steps of one alarm; of the database each deletes thousands of rows. */
const STEPS_AN_ALARM = 5;

const ROWS_A_STEP = 500;

export const isRebuilding = ({ feed }: TenantStores): boolean => runs(feed.read()?.rebuild ?? null);

const runs = (rebuild: Rebuild | null): rebuild is Rebuild =>
  rebuild !== null && rebuild.phase !== "done";

export interface RebuildStatus {
  readonly kind: "rebuild";
  /** Null: there was none yet. */
  readonly rebuild: Rebuild | null;
  /** Rows that the reports may not have yet. */
  readonly waiting: number;
}

/** Who asks again while one runs is told of that one. */
export function startRebuild(parts: TenantStores, profile: Profile, nowMs: number): RebuildStatus {
  // Whose first call is yet to come has a place to begin from all the same.
  if (parts.feed.read() === null) foldUsage(parts, profile, nowMs);
  const state = parts.feed.read();
  if (state !== null && !runs(state.rebuild)) {
    const rebuild: Rebuild = {
      phase: "clearing",
      after: FIRST_ROW,
      upTo: 0,
      rows: 0,
      startedAtMs: nowMs,
      finishedAtMs: null,
    };
    parts.feed.write({ ...state, rebuild });
  }
  return readRebuild(parts);
}

export const readRebuild = ({ feed, reportRows }: TenantStores): RebuildStatus => ({
  kind: "rebuild",
  rebuild: feed.read()?.rebuild ?? null,
  waiting: reportRows.countWaiting(),
});

export interface RebuildMeans {
  readonly step: <Result>(work: (nowMs: number) => Result) => Result | null;
  /** Work with the database of reports; null: this deployment has none. */
  readonly reports: <Result>(
    work: (database: D1Database) => Promise<Result>,
  ) => Promise<Result | null>;
}

/** @throws when the database does not answer */
export async function advanceRebuild(
  parts: TenantStores,
  profile: Profile,
  by: RebuildMeans,
): Promise<void> {
  for (let steps = 0; steps < STEPS_AN_ALARM; steps += 1) {
    const phase = by.step(() => parts.feed.read()?.rebuild?.phase ?? "done");
    if (phase === null || phase === "done") return;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const cleared = phase === "clearing" ? await clear(profile, by) : true;
    if (!cleared) continue;
    const more = by.step((nowMs) => afterStep(parts, phase, nowMs));
    if (more !== true) return;
  }
}

/** True when nothing of the tenant is left there. */
async function clear({ id, generation }: Profile, by: RebuildMeans): Promise<boolean> {
  const owner = { tenant: id, generation };
  const more = await by.reports((database) => clearRows(database, owner));
  return more !== true;
}

/** True when the next step can follow at once. */
function afterStep(parts: TenantStores, phase: Rebuild["phase"], nowMs: number): boolean {
  const state = parts.feed.read();
  if (state === null || !runs(state.rebuild) || state.rebuild.phase !== phase) return false;
  const next = advanced(parts, state, state.rebuild, nowMs);
  if (next !== null) parts.feed.write(next);
  return next !== null;
}

/** Null: it waits for rows that are on their way. */
function advanced(
  { reportRows }: TenantStores,
  state: FeedState,
  rebuild: Rebuild,
  nowMs: number,
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
