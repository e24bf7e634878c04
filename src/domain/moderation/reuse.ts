import { isUrgent, withBan } from "./category.ts";
import { firstReview, isPartial, type StageResult, type Verdict } from "./verdict.ts";

// An equal content under the same version of a policy gets the scores of the earlier verdict at no cost. Only
// a verdict that was fully judged, decided by the policy alone, and paid for is reused: in doubt the models
// are asked again.

/** A day: verdicts are kept at least so long, and a deployment may change what judges. */
export const MAX_REUSE_TTL_S = 86_400;

/**
 * A verdict depends on more than the models and prompts, which have versions of their own. Raise this with
 * every change of the rules that may change a verdict: terms, languages, our own thresholds, the preparation
 * of pictures.
 */
export const RULES_VERSION = 3;

/** Whether this verdict may answer for equal contents. */
export const mayBeReused = (verdict: Verdict): boolean =>
  verdict.reuse !== undefined &&
  verdict.reuse.from === undefined &&
  // A verdict without cost is made again at no cost, by the current rules.
  verdict.microNeurons > 0 &&
  !verdict.test &&
  !isPartial(verdict) &&
  verdict.stages.every(isSound) &&
  isUndisputed(verdict);

const isSound = ({ status }: StageResult): boolean =>
  status === "evaluated" || status === "not_required";

/** No person decided it, reported it or appealed against it, and it was not drawn for review. */
const isUndisputed = ({ decidedBy, revision, review: { origin } }: Verdict): boolean =>
  decidedBy === "policy" && revision === 1 && (origin === null || origin === "policy");

/** The fields that each verdict has of its own, even when it reuses scores. */
export type OwnOfVerdict = Pick<
  Verdict,
  "id" | "contentId" | "userId" | "metadata" | "batchId" | "contentHash" | "createdAtMs"
>;

/** The verdict of a content equal to that of `source`. It has nothing of the other content's person. */
export function reusedVerdict(source: Verdict, key: string, own: OwnOfVerdict): Verdict {
  const { language, decision, approved, reasons, coverage, policy } = source;
  // All checks were made. Only verdicts that were judged themselves are drawn for review.
  const opensReview = decision === "flag" || isUrgent(reasons);
  const priority = isUrgent(reasons) ? "urgent" : "normal";
  return {
    ...own,
    language,
    decision,
    approved,
    decidedBy: "policy",
    revision: 1,
    // The blocks of this content's own user are counted again.
    actions: source.reuse?.bans === true ? withBan(source.actions) : source.actions,
    reasons,
    coverage,
    stages: source.stages.map(withoutCost),
    microNeurons: 0,
    policy,
    review: firstReview({ opensReview, isDrawn: false, priority }),
    test: false,
    reuse: { key, from: { verdictId: source.id, microNeurons: source.microNeurons } },
  };
}

/** The same scores, at no time and no cost. */
const withoutCost = (stage: StageResult): StageResult => ({
  ...stage,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
});
