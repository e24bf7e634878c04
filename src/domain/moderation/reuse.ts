import { isUrgent, withBan } from "./advice.ts";
import { firstReview } from "./review.ts";
import { isPartial, type StageResult, type Verdict } from "./verdict.ts";

// An equal content under the same version of a policy is answered with the scores that there are, and
// costs nothing. Reused is only what was wholly judged, by a policy alone, and paid for: whenever there
// is a doubt, the models are asked again.

/** A day: verdicts are kept at least so long, and what judges may change with the next deployment. */
export const MAX_REUSE_TTL_S = 86_400;

/**
 * What a content comes to depends on more than the models and prompts, which name themselves. To be
 * raised with every change of the rules that may move a verdict: terms, languages, thresholds of our
 * own, how a picture is prepared.
 */
export const RULES_VERSION = 1;

/** Whether equal contents may be answered with it. */
export const mayBeReused = (verdict: Verdict): boolean =>
  verdict.reuse !== undefined &&
  verdict.reuse.from === undefined &&
  // What cost nothing is judged anew for nothing, by the rules of today.
  verdict.microNeurons > 0 &&
  !verdict.test &&
  !isPartial(verdict) &&
  verdict.stages.every(isSound) &&
  isUndisputed(verdict);

const isSound = ({ status }: StageResult): boolean =>
  status === "evaluated" || status === "not_required";

/** No person decided it, reported it or appealed against it, or is to look at it by lot. */
const isUndisputed = ({ decidedBy, revision, review: { origin } }: Verdict): boolean =>
  decidedBy === "policy" && revision === 1 && (origin === null || origin === "policy");

/** What a verdict has of its own, whatever answered it. */
export type OwnOfVerdict = Pick<
  Verdict,
  "id" | "contentId" | "userId" | "metadata" | "batchId" | "contentHash" | "createdAtMs"
>;

/** The verdict of a content that is equal to the one of `source`. Nothing of that one's person is in it. */
export function reusedVerdict(source: Verdict, key: string, own: OwnOfVerdict): Verdict {
  const { language, decision, approved, reasons, coverage, policy } = source;
  // No check was left unmade. Drawn by lot is what was judged, not what it answers for.
  const opensReview = decision === "flag" || isUrgent(reasons);
  const priority = isUrgent(reasons) ? "urgent" : "normal";
  return {
    ...own,
    language,
    decision,
    approved,
    decidedBy: "policy",
    revision: 1,
    // Whether enough of this person's was blocked is counted anew.
    actions: source.reuse?.bans === true ? withBan(source.actions) : source.actions,
    reasons,
    coverage,
    stages: source.stages.map(spared),
    microNeurons: 0,
    policy,
    review: firstReview({ opensReview, isDrawn: false, priority }),
    test: false,
    reuse: { key, from: { verdictId: source.id, microNeurons: source.microNeurons } },
  };
}

/** Its scores, which nothing was asked for now. */
const spared = (stage: StageResult): StageResult => ({
  ...stage,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
});
