import { CATEGORIES, type Category } from "./category.ts";
import type { InputName } from "./plan-moderation.ts";
import { asksOf, lowestThreshold, type Policy } from "./policy.ts";
import type { Reason, StageResult } from "./verdict.ts";

// The judge is never the only opinion on a text. A judge that was manipulated, or could not read the text, is
// contradicted by a rule or model of ours that takes no instructions. Its opinion raises a flag, and is no
// score.

const SECOND_OPINIONS = { lexicon: "word lists score", tier0: "small text model scores" } as const;

/**
 * The objections of second opinions to a text that the judge lets pass, or did not score.
 *
 * @param firstOf the stage that answers for a category. It may be the second opinion itself, where no
 *   judge was planned: then its score counts like any other
 */
export const dissents = (
  policy: Policy,
  stages: readonly StageResult[],
  firstOf: (category: Category, input: InputName) => StageResult | undefined,
): Reason[] =>
  stages.flatMap((stage) => {
    const { name, input, scores } = stage;
    if (name !== "lexicon" && name !== "tier0") return [];
    return CATEGORIES.flatMap((category) => {
      const rule = policy.categories[category];
      const [threshold, score] = [lowestThreshold(rule), scores[category]];
      const first = firstOf(category, input);
      if (first === stage || threshold === null || score === undefined) return [];
      if (score < threshold || !asksOf(policy, category, input)) return [];
      const judged = first?.scores[category];
      if (judged !== undefined && judged >= threshold) return [];
      const other = judged === undefined ? "the judge gave no score" : `the judge scores ${judged}`;
      const message = `The ${SECOND_OPINIONS[name]} ${category} ${score} and ${other}: a person should look.`;
      return [{ kind: "score", category, input, score, threshold, message } as const];
    });
  });
