import { disagreement } from "./cascade.ts";
import { type Category, JUDGED_CATEGORIES, type Scores } from "./category.ts";
import { ruleFor } from "./decision.ts";
import { lowestThreshold, type Policy } from "./policy.ts";
import { isSampled } from "./review.ts";
import type { StageResult } from "./verdict.ts";

// A random sample of the texts under calibrated thresholds. The judge reads each of them, also those that the
// text model decided alone. Its scores may raise the decision, and never lower it. If it does not answer, the
// decision of the text model stands. So the sample shows how often the text model is wrong
// (`cascade-drift.ts`).

/** The share of texts in the sample if the policy does not name one. */
export const SAMPLE_DECIDED = 0.02;

/** A random draw by the id alone, and not the one that draws for review (`sample_allowed`). */
export const isDrawnForJudge = (policy: Policy, verdictId: string): boolean =>
  policy.tier0 !== undefined &&
  isSampled(`judge ${verdictId}`, policy.sample_decided ?? SAMPLE_DECIDED);

/** The categories of a text in which these scores have an effect under a policy. */
export const harmfulIn = (policy: Policy, scores: Scores): Category[] =>
  JUDGED_CATEGORIES.filter((category) => {
    if (!policy.categories[category].inputs.includes("text")) return false;
    const threshold = lowestThreshold(ruleFor(policy, category));
    return threshold !== null && (scores[category] ?? 0) >= threshold;
  });

/**
 * A stage as evidence for the decision. A judge that was asked as a sample and did not answer in full counts
 * as not asked, unless what it did read is harmful.
 */
export function asEvidence(stage: StageResult): StageResult {
  const { sample, status } = stage;
  if (sample === undefined || sample.decided === null || status === "evaluated") return stage;
  return disagreement(stage) === "missed"
    ? { ...stage, status: "evaluated" }
    : { ...stage, status: "not_required", scores: {} };
}
