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
  { readonly kind: "result"; readonly result: ItemResult } | Exclude<Meaning, { kind: "own" }>;

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
  if (outcome.kind === "moderated") return { kind: "result", result: made(outcome, index) };
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
