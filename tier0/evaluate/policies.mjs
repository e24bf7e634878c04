import { defaultCategories } from "../../src/domain/policy.ts";
import { CATEGORY_OF } from "../../src/tier0/heads.ts";

// The thresholds for what this model answers, without any other stage: of the default policy as it is
// shipped, and of one that asks no language model and blocks less.

/** @typedef {import("../../src/tier0/heads.ts").Scores} Scores */
/** @typedef {Partial<Record<keyof Scores, { flag?: number, block?: number }>>} Policy */

const rules = defaultCategories();

const ruleOf = (/** @type {keyof typeof CATEGORY_OF} */ head) => {
  const { flag, block } = rules[/** @type {keyof typeof rules} */ (CATEGORY_OF[head])];
  return { ...(flag !== null && { flag }), ...(block !== null && { block }) };
};

/** @type {Policy} */
export const DEFAULT = {
  toxicity: ruleOf("toxicity"),
  insult: ruleOf("insult"),
  threat: ruleOf("threat"),
  hate: ruleOf("hate"),
  self_harm: ruleOf("self_harm"),
  sexual: ruleOf("sexual"),
  // What speaks to the model that reads the text is looked at by a person.
  injection: { flag: 0.5 },
};

/** @type {Policy} */
export const FREE = {
  toxicity: { flag: 0.5, block: 0.9 },
  insult: { flag: 0.5 },
  threat: { flag: 0.5, block: 0.9 },
  hate: { flag: 0.5, block: 0.9 },
  self_harm: { flag: 0.5 },
  sexual: { flag: 0.5 },
};

const reaches = (
  /** @type {Scores} */ scores,
  /** @type {Policy} */ policy,
  /** @type {"flag" | "block"} */ point,
) =>
  Object.entries(policy).some(
    ([head, rule]) => scores[/** @type {keyof Scores} */ (head)] >= (rule[point] ?? Infinity),
  );

/** @returns {"allow" | "flag" | "block"} */
export const decide = (/** @type {Scores} */ scores, /** @type {Policy} */ policy) =>
  reaches(scores, policy, "block") ? "block" : reaches(scores, policy, "flag") ? "flag" : "allow";
