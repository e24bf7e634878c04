import type { CheckFailure, StageResult, Verdict } from "./verdict.ts";

// A judge without capacity left a content undecided: whoever asks again later may get a decision.

export interface BusyJudge {
  /** How long the engine asked to wait, 1 s to 1 h; absent: it does not say. */
  readonly retryAfterMs?: number;
}

/** Whether the engine had no room for a check, and how long it asked to wait; null: that is not why. */
export const busyIn = (failure: CheckFailure | null | undefined): BusyJudge | null =>
  failure?.kind === "no_capacity" ? waitOf([failure]) : null;

/**
 * @returns null for a verdict that lacks no check for want of capacity, and for one that another decision
 *   of the judge would not change: it is blocked for another reason
 */
export function busyJudge({
  decision,
  reasons,
  stages,
}: Pick<Verdict, "decision" | "reasons" | "stages">): BusyJudge | null {
  if (!reasons.some(({ kind }) => kind === "unavailable")) return null;
  if (decision === "block" && reasons.some(({ kind }) => kind !== "unavailable")) return null;
  const busy = stages.flatMap(busyStage);
  return busy.length === 0 ? null : waitOf(busy);
}

const busyStage = ({ failure }: StageResult): readonly CheckFailure[] =>
  failure?.kind === "no_capacity" ? [failure] : [];

/** Every check is made again, so the longest wait counts. */
function waitOf(busy: readonly CheckFailure[]): BusyJudge {
  const waits = busy.flatMap(({ retry_after_ms }) => retry_after_ms ?? []);
  return waits.length === 0 ? {} : { retryAfterMs: Math.max(...waits) };
}
