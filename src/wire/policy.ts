import * as v from "valibot";
import { CATEGORIES, type Category, forEach } from "../domain/category.ts";
import {
  defaultCategories,
  FLAG_ONLY,
  INPUT_KINDS,
  ON_UNAVAILABLE,
  type Policy,
  type PolicyVersion,
} from "../domain/policy.ts";
import { GUARD_MODES, UNGUARDED } from "../domain/guard.ts";
import { stated } from "../http/field-sentence.ts";
import { policyName, wholeNumber } from "./field.ts";
import { DEFAULT_ROUTING } from "../domain/routing.ts";
import { RoutingTable } from "./routing-table.ts";

// A moderation policy on the wire. The contract, section 7.

const threshold = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1)));

const Rule = v.strictObject({
  inputs: v.pipe(
    v.array(v.picklist(INPUT_KINDS)),
    v.maxLength(INPUT_KINDS.length),
    v.description("Where the category is asked for; empty: nowhere."),
  ),
  required: v.pipe(v.boolean(), v.description("Without this check there is no approval.")),
  flag: v.pipe(threshold, v.description("Flags from this score; null: never.")),
  block: v.pipe(threshold, v.description("Blocks from this score; null: never.")),
  ban: v.pipe(threshold, v.description("Advises to ban the user from this score; null: never.")),
});

type RuleOutput = v.InferOutput<typeof Rule>;

/** Sentiment and object labels are too weak a sign to block by. */
const FlagOnlyRule = v.pipe(
  Rule,
  v.check(stated("can only flag", (rule: RuleOutput) => rule.block === null && rule.ban === null)),
);

const ruleFor = (category: Category) => (FLAG_ONLY.includes(category) ? FlagOnlyRule : Rule);

const phrase = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const phrases = v.pipe(v.array(phrase), v.maxLength(1000));
const model = v.nullable(v.pipe(v.string(), v.maxLength(128)));

const guardMode = v.picklist(GUARD_MODES);

const DEFAULTS = defaultCategories();

const categoryEntries = forEach(CATEGORIES, (category) => v.optional(ruleFor(category)));

/** A whole policy: a category that is not named has its default rule. */
export const PolicyInput = v.strictObject({
  categories: v.optional(v.strictObject(categoryEntries), {}),
  spam_phrases: v.optional(phrases, ["buy now", "click here", "limited offer", "act now"]),
  terms: v.optional(
    v.strictObject({ block: v.optional(phrases, []), allow: v.optional(phrases, []) }),
    {},
  ),
  on_unavailable: v.optional(
    v.pipe(
      v.picklist(ON_UNAVAILABLE),
      v.description("What a required check that could not be made does. Never an approval."),
    ),
    "flag",
  ),
  evaluate_all: v.optional(
    v.pipe(v.boolean(), v.description("Run paid stages also where a term has blocked already.")),
    false,
  ),
  guard: v.optional(
    v.strictObject({
      input: v.optional(
        v.pipe(guardMode, v.description("Of prompts, before they are sent.")),
        "off",
      ),
      output: v.optional(
        v.pipe(guardMode, v.description("Of answers, before they are given.")),
        "off",
      ),
    }),
    {},
  ),
  models: v.optional(
    v.strictObject({
      judge: v.optional(v.pipe(model, v.description("The language model that judges text."))),
      judge_fallback: v.optional(v.pipe(model, v.description("Asked when the judge is refused."))),
      vision: v.optional(v.pipe(model, v.description("The model that judges pictures."))),
    }),
    {},
  ),
  routing: v.optional(RoutingTable),
});

export const PolicyOutput = v.object({
  object: v.literal("policy"),
  name: policyName,
  version: wholeNumber(1, Number.MAX_SAFE_INTEGER, "Grows with each PUT."),
  categories: v.object(forEach(CATEGORIES, () => Rule)),
  spam_phrases: phrases,
  terms: v.object({ block: phrases, allow: phrases }),
  on_unavailable: v.picklist(ON_UNAVAILABLE),
  evaluate_all: v.boolean(),
  guard: v.object({ input: guardMode, output: guardMode }),
  models: v.object({ judge: model, judge_fallback: model, vision: model }),
  routing: RoutingTable,
});

/** What a PUT means, over the default models of this deployment. */
export const policyOf = (
  input: v.InferOutput<typeof PolicyInput>,
  models: Policy["models"],
): Policy => ({
  categories: forEach(CATEGORIES, (category) => input.categories[category] ?? DEFAULTS[category]),
  spam_phrases: input.spam_phrases,
  terms: input.terms,
  on_unavailable: input.on_unavailable,
  evaluate_all: input.evaluate_all,
  guard: input.guard,
  models: {
    judge: input.models.judge === undefined ? models.judge : input.models.judge,
    judge_fallback: input.models.judge_fallback ?? null,
    vision: input.models.vision === undefined ? models.vision : input.models.vision,
  },
  routing: input.routing ?? DEFAULT_ROUTING,
});

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

export const toPolicy = ({
  name,
  version,
  policy,
}: PolicyVersion): v.InferOutput<typeof PolicyOutput> => ({
  object: "policy",
  name,
  version,
  ...(policy as Mutable<Policy>),
  guard: policy.guard ?? { ...UNGUARDED },
});
