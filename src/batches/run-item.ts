import { busyJudge } from "../domain/moderation/busy-judge.ts";
import type { ItemResult } from "../domain/moderation/batch.ts";
import { type Meaning, meaningOf, Unclear } from "../domain/runs/outcome.ts";
import {
  type Moderation,
  moderationCall,
  type ModerationDeps,
  type ModerationRequest,
} from "../moderation/moderation-call.ts";

// Runs one item of a batch as a governed call, and decides what its outcome means for the batch.

export type RanItem =
  /** It has a result and is not tried again. */
  | {
      readonly kind: "result";
      readonly result: ItemResult;
      /** Its judge had no room, and would have none for further items before that. */
      readonly waitMs?: number;
    }
  | Exclude<Meaning, { kind: "own" }>;

/** A batch that is silent for 70 s counts as stuck. */
const MOST_WAIT_MS = 60_000;

/**
 * @param charge reads what a call was charged that ended without a verdict, in µN; null: not known yet
 * @throws Unclear when the outcome is not known
 */
export async function runItem(
  deps: ModerationDeps,
  request: ModerationRequest,
  index: number,
  charge: () => Promise<number | null>,
): Promise<RanItem> {
  const outcome = await moderationCall(deps, request);
  if (outcome.kind === "moderated") {
    return { kind: "result", result: made(outcome, index), ...roomIn(outcome) };
  }
  const meaning = meaningOf(outcome);
  if (meaning.kind !== "own") return meaning;
  // A refused call has no line and no charge.
  const microNeurons = meaning.mayBeCharged ? await charge() : 0;
  if (microNeurons === null) throw new Unclear(outcome.kind);
  return { kind: "result", result: { index, decision: null, failedAs: meaning.as, microNeurons } };
}

const made = ({ verdicts: [verdict], microNeurons }: Moderation, index: number): ItemResult => ({
  index,
  decision: verdict?.decision ?? null,
  failedAs: verdict === undefined ? "internal" : null,
  microNeurons,
});

function roomIn({ verdicts: [verdict] }: Moderation): { readonly waitMs?: number } {
  const { retryAfterMs } = (verdict === undefined ? null : busyJudge(verdict)) ?? {};
  return retryAfterMs === undefined ? {} : { waitMs: Math.min(retryAfterMs, MOST_WAIT_MS) };
}
