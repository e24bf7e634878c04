import { CATEGORIES, type Category, forEach, LABEL_GROUPS } from "./category.ts";
import type { CategoryRule, InputKind, Policy } from "./policy.ts";
import { DEFAULT_ROUTING } from "../generation/routing.ts";

// Policies to start from, as tables of numbers. A PUT stores the numbers, so a stored policy does not change
// with a table.

export const PRESETS = ["default", "strict", "free"] as const;
export type Preset = (typeof PRESETS)[number];

/** The engine of this deployment: its presets require only the checks that it can make. */
export type PolicyEngine = "workers-ai" | "openai" | "embedded";

/** The lowest score for each effect; null: never. */
type Row = readonly [
  required: boolean,
  flag: number | null,
  block: number | null,
  ban: number | null,
];

type Table = Readonly<Partial<Record<Category, Row>>>;

/**
 * Which content a person should look at, and which is hidden at once. Content about oneself, about sex
 * between adults, or against one person does not block, except threats.
 */
const DEFAULT: Table = {
  negativity: [false, null, null, null],
  spam: [true, null, 0.7, null],
  toxicity: [true, null, 0.7, 0.9],
  harassment: [true, 0.7, null, null],
  "harassment/threatening": [true, 0.5, 0.8, null],
  hate: [true, 0.5, 0.8, null],
  "hate/threatening": [true, 0.4, 0.7, null],
  illicit: [false, 0.7, null, null],
  "illicit/violent": [false, 0.5, 0.8, null],
  "self-harm": [true, 0.5, null, null],
  "self-harm/instructions": [true, 0.5, 0.7, null],
  "self-harm/intent": [true, 0.5, null, null],
  sexual: [true, 0.7, null, null],
  "sexual/minors": [true, 0.3, 0.7, null],
  violence: [true, 0.8, null, null],
  "violence/graphic": [false, 0.7, null, null],
  weapons: [false, 0.7, null, null],
  alcohol: [false, null, null, null],
  swimwear: [false, null, null, null],
  nsfw: [true, 0.5, 0.7, 0.9],
};

/** Where `strict` flags and blocks; its required categories and its ban thresholds are the default's. */
const STRICT: Readonly<Partial<Record<Category, readonly [number | null, number | null]>>> = {
  spam: [0.35, 0.7],
  toxicity: [0.4, 0.6],
  harassment: [0.5, 0.8],
  "harassment/threatening": [0.3, 0.6],
  hate: [0.3, 0.6],
  "hate/threatening": [0.3, 0.5],
  illicit: [0.5, 0.8],
  "illicit/violent": [0.3, 0.6],
  "self-harm": [0.3, null],
  "self-harm/instructions": [0.3, 0.5],
  "self-harm/intent": [0.3, null],
  sexual: [0.4, 0.7],
  "sexual/minors": [0.2, 0.5],
  violence: [0.5, 0.8],
  "violence/graphic": [0.5, 0.8],
  weapons: [0.5, null],
  alcohol: [0.5, null],
  swimwear: [0.5, null],
  nsfw: [0.3, 0.5],
};

/**
 * Judged only by the models and rules inside the Worker, at no cost. Categories without a row are not
 * checked.
 */
const FREE: Table = {
  spam: [true, null, 0.7, null],
  toxicity: [true, 0.5, 0.9, null],
  harassment: [true, 0.5, null, null],
  "harassment/threatening": [false, 0.5, 0.9, null],
  hate: [true, 0.5, 0.9, null],
  "self-harm": [true, 0.5, null, null],
  sexual: [true, 0.5, null, null],
  // The text model can show some of it but never rule it out, so it cannot be required.
  "sexual/minors": [false, 0.3, null, null],
  nsfw: [false, 0.5, 0.7, null],
};

/** The categories that the embedded engine evaluates. The others are not evaluated: `partial`. */
const EMBEDDED_EVALUATES: readonly Category[] = [
  "spam",
  "toxicity",
  "harassment",
  "harassment/threatening",
  "hate",
  "self-harm",
  "sexual",
  "nsfw",
];

const PICTURE_CATEGORIES: readonly Category[] = [...LABEL_GROUPS, "nsfw"];

const JUDGE = "@cf/meta/llama-3.1-8b-instruct-fp8";
const VISION = "@cf/google/gemma-4-26b-a4b-it";

/**
 * The policy of a preset. `unevaluated` is absent where it equals `on_unavailable`, which is to flag.
 *
 * With the embedded engine the picture model inside the Worker replaces a vision model; other servers
 * have one only if the operator names it.
 */
export const presetPolicy = (preset: Preset, engine: PolicyEngine): Policy => ({
  categories: presetCategories(preset, engine),
  spam_phrases: ["buy now", "click here", "limited offer", "act now"],
  terms: { block: [], allow: [] },
  on_unavailable: "flag",
  // What is free stays free, also where a judge is named later.
  ...(preset === "free" && { unevaluated: "allow", sample_decided: 0 }),
  evaluate_all: false,
  guard: { input: "off", output: "off" },
  models:
    preset === "free"
      ? { judge: null, judge_fallback: null, vision: null }
      : { judge: JUDGE, judge_fallback: null, vision: engine === "workers-ai" ? VISION : null },
  routing: DEFAULT_ROUTING,
});

/** The policy of a tenant that has set none, and the base of a PUT that names no preset. */
export const defaultPolicy = (engine: PolicyEngine): Policy => presetPolicy("default", engine);

/** In the order of `CATEGORIES`. */
export function presetCategories(preset: Preset, engine: PolicyEngine): Policy["categories"] {
  const table = preset === "free" ? FREE : DEFAULT;
  return forEach(CATEGORIES, (category): CategoryRule => {
    const row = table[category];
    if (row === undefined) return NOT_ASKED;
    const [isRequired, byDefault, blockByDefault, ban] = row;
    const strict = preset === "strict" ? STRICT[category] : undefined;
    const [flag, block] = strict ?? [byDefault, blockByDefault];
    const inputs: InputKind[] = [PICTURE_CATEGORIES.includes(category) ? "image" : "text"];
    const required = isRequired && (engine !== "embedded" || isEvaluatedHere(category));
    return { inputs, required, flag, block, ban };
  });
}

const isEvaluatedHere = (category: Category): boolean => EMBEDDED_EVALUATES.includes(category);

const NOT_ASKED: CategoryRule = {
  inputs: [],
  required: false,
  flag: null,
  block: null,
  ban: null,
};
