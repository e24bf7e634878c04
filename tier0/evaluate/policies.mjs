import { presetPolicy } from "../../src/domain/moderation/presets.ts";
import { CATEGORY_OF } from "../../src/tier0/heads.ts";

// The thresholds of the shipped presets `default` and `free` for the heads of this model, without any
// other stage.

/**
 * The scores of the heads and of the composite of `sexual/minors` (0: no sign).
 *
 * @typedef {import("../../src/tier0/heads.ts").Scores & { readonly minors: number }} Scores
 */
/** @typedef {Partial<Record<keyof Scores, { flag?: number, block?: number }>>} Policy */

/** @typedef {import("../../src/domain/moderation/presets.ts").Preset} Preset */

/**
 * Under every policy an injection, text that speaks to the model, is flagged for a person.
 *
 * @returns {Policy}
 */
const shipped = (/** @type {Preset} */ preset) => {
  const rules = presetPolicy(preset, "embedded").categories;
  const ruleOf = (/** @type {keyof typeof CATEGORY_OF} */ head) => {
    return pointsOf(rules[/** @type {keyof typeof rules} */ (CATEGORY_OF[head])]);
  };
  const heads = /** @type {const} */ ([
    "toxicity",
    "insult",
    "threat",
    "hate",
    "self_harm",
    "sexual",
  ]);
  return {
    ...Object.fromEntries(heads.map((head) => [head, ruleOf(head)])),
    minors: pointsOf(rules["sexual/minors"]),
    injection: { flag: 0.5 },
  };
};

function pointsOf(
  /** @type {import("../../src/domain/moderation/policy.ts").CategoryRule} */ rule,
) {
  const { flag, block } = rule;
  return { ...(flag !== null && { flag }), ...(block !== null && { block }) };
}

export const DEFAULT = shipped("default");

export const FREE = shipped("free");

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
