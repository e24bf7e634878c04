import { NEVER_BLOCKED } from "../moderation/advice.ts";
import type { Category } from "../moderation/category.ts";
import { type CategoryRule, lowestThreshold, type Policy } from "../moderation/policy.ts";
import { isSmallModel } from "../moderation/small-model.ts";
import type { StageResult } from "../moderation/verdict.ts";

// Which threshold of a rule a score reaches, and what that does.

/** The rule of a category as it acts: a policy may name a block that there never is. */
export function ruleFor({ categories }: Policy, category: Category): CategoryRule {
  const rule = categories[category];
  if (!NEVER_BLOCKED.includes(category)) return rule;
  return { ...rule, flag: lowestThreshold(rule), block: null, ban: null };
}

/**
 * The threshold named is the one at which the decision changed: a ban blocks as well. To ban somebody
 * is advised on a judge's word alone: the small models inside the Worker are sure of themselves on
 * harmless texts and pictures too, and two phrases of a list are no proof.
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
