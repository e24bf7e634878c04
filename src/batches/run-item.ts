import { ENDING, type ItemResult, OF_THE_DAY, PASSING } from "../domain/moderation/batch.ts";
import {
  type Moderation,
  moderationCall,
  type ModerationDeps,
  type ModerationFailure,
  type ModerationRequest,
} from "../moderation/moderation-call.ts";

// Runs one item of a batch as a governed call, and decides what its outcome means for the batch.

export type RanItem =
  /** It has a result and is not tried again. */
  | { readonly kind: "result"; readonly result: ItemResult }
  /** It is tried again later. */
  | { readonly kind: "wait"; readonly ms: number }
  /** All other items would be refused as well. */
  | { readonly kind: "stop"; readonly as: string; readonly ofTheDay: boolean };

/** The outcome is not known yet: the run throws this, and its step runs again. */
export class Unclear extends Error {}

/** The wait when the failure does not name one. */
const SOON_MS = 1000;

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
  if (isOne(PASSING, outcome)) return { kind: "wait", ms: waitMs(outcome) };
  if (isOne(OF_THE_DAY, outcome)) return { kind: "stop", as: outcome.kind, ofTheDay: true };
  if (isOne(ENDING, outcome)) return { kind: "stop", as: outcome.kind, ofTheDay: false };
  const isUnclear = outcome.kind === "unavailable" || outcome.kind === "settlement_unavailable";
  // A refused call has no line and no charge.
  const microNeurons = isUnclear || outcome.kind === "internal" ? await charge() : 0;
  if (microNeurons === null) throw new Unclear(outcome.kind);
  // An unclear outcome with a charge: the hold expired.
  const failedAs = isUnclear ? "expired" : outcome.kind;
  return { kind: "result", result: { index, decision: null, failedAs, microNeurons } };
}

const isOne = (kinds: readonly string[], { kind }: { readonly kind: string }): boolean =>
  kinds.includes(kind);

const made = ({ verdicts: [verdict], microNeurons }: Moderation, index: number): ItemResult => ({
  index,
  decision: verdict?.decision ?? null,
  failedAs: verdict === undefined ? "internal" : null,
  microNeurons,
});

/** As in its `Retry-After`. */
const waitMs = (failure: ModerationFailure): number =>
  failure.kind === "rate_limited" ? Math.max(SOON_MS, failure.fitsAtMs - failure.nowMs) : SOON_MS;
