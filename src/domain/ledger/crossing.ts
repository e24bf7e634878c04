import { NEVER_BLOCKED } from "../moderation/advice.ts";
import type { Category } from "../moderation/category.ts";
import { type CategoryRule, lowestThreshold, type Policy } from "../moderation/policy.ts";
import { isSmallModel } from "../moderation/small-model.ts";
import type { StageResult } from "../moderation/verdict.ts";

// Which threshold of a rule a score reaches, and the effect of that.

/** The effective rule of a category: some categories never block, even if a policy sets a block threshold. */
export function ruleFor({ categories }: Policy, category: Category): CategoryRule {
  const rule = categories[category];
  if (!NEVER_BLOCKED.includes(category)) return rule;
  return { ...rule, flag: lowestThreshold(rule), block: null, ban: null };
}

/**
 * The returned threshold is the one at which the decision changed: a ban also blocks. A ban is advised only
 * by a judge: the small models inside the Worker can be certain about harmless texts and pictures too, and
 * two phrases of a list are no proof.
 */
export function crossing(
  { flag, block, ban }: CategoryRule,
  stage: StageResult,
  score: number,
): { readonly effect: "flag" | "block" | "ban"; readonly threshold: number } | null {
  const reaches = (threshold: number | null): threshold is number =>
    threshold !== null && score >= threshold;
  if (reaches(ban)) {
    const effect = isJudge(stage) ? "ban" : "block";
    return { effect, threshold: block === null ? ban : Math.min(block, ban) };
  }
  if (reaches(block)) return { effect: "block", threshold: block };
  return reaches(flag) ? { effect: "flag", threshold: flag } : null;
}

const isJudge = ({ name, model }: StageResult): boolean =>
  (name === "judge" || name === "vision") && !isSmallModel(model);
