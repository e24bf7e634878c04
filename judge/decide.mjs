import { JUDGED_CATEGORIES } from "../src/domain/moderation/category.ts";
import { crossing } from "../src/domain/moderation/decision.ts";
import { ruleFor } from "../src/domain/moderation/policy.ts";
import { presetPolicy } from "../src/domain/moderation/presets.ts";

// Decides a judge's scores alone with the shipped presets and the rules of production.

/** @typedef {import("../src/domain/moderation/category.ts").Scores} Scores */

/** @type {import("../src/domain/moderation/verdict.ts").StageResult} */
const JUDGE = {
  name: "judge",
  input: "text",
  model: null,
  priced_as: null,
  engine: "openai",
  status: "evaluated",
  scores: {},
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
};

/** @returns {(scores: Scores) => "allow" | "flag" | "block"} */
function decidedBy(/** @type {import("../src/domain/moderation/presets.ts").Preset} */ preset) {
  const policy = presetPolicy(preset, "workers-ai");
  return (scores) => {
    const effects = JUDGED_CATEGORIES.map((category) => {
      const score = scores[category];
      if (score === undefined) return null;
      return crossing(ruleFor(policy, category), JUDGE, score)?.effect ?? null;
    });
    if (effects.includes("block") || effects.includes("ban")) return "block";
    return effects.includes("flag") ? "flag" : "allow";
  };
}

export const POLICIES = { default: decidedBy("default"), strict: decidedBy("strict") };
