import { ENDING, type ItemResult, OF_THE_DAY, PASSING } from "../domain/moderation/batch.ts";
import {
  type Moderation,
  moderationCall,
  type ModerationDeps,
  type ModerationFailure,
  type ModerationRequest,
} from "../moderation/moderation-call.ts";

// One item of a batch, as a governed call of its own, and what that means for the batch.

export type RanItem =
  /** It has come to something, and is not asked again. */
  | { readonly kind: "result"; readonly result: ItemResult }
  /** It is asked again later. */
  | { readonly kind: "wait"; readonly ms: number }
  /** So would all others be refused. */
  | { readonly kind: "stop"; readonly as: string; readonly ofTheDay: boolean };

/** What may still pass: the run throws, and its step is run again. */
export class Unclear extends Error {}

/** When nothing better is known. */
const SOON_MS = 1000;

/**
 * @param charge what the call was charged, where it ended without a verdict
 * @throws Unclear when it is not known what became of it
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
  // A refusal left no line.
  const microNeurons = isUnclear || outcome.kind === "internal" ? await charge() : 0;
  if (microNeurons === null) throw new Unclear(outcome.kind);
  // Its hold has expired, if nothing else is known.
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

/** As its `Retry-After` would say. */
const waitMs = (failure: ModerationFailure): number =>
  failure.kind === "rate_limited" ? Math.max(SOON_MS, failure.fitsAtMs - failure.nowMs) : SOON_MS;
