import * as v from "valibot";
import { CATEGORIES, type Category, forEach } from "../../domain/moderation/category.ts";
import { changedPolicy, type PolicyChange } from "../../domain/moderation/policy-change.ts";
import { type PolicyEngine, PRESETS, presetPolicy } from "../../domain/moderation/presets.ts";
import {
  FLAG_ONLY,
  INPUT_KINDS,
  ON_UNAVAILABLE,
  type Policy,
  type PolicyVersion,
} from "../../domain/moderation/policy.ts";
import { baseLanguage } from "../../domain/text/languages.ts";
import { TERM_CATEGORIES, TERM_MATCHES } from "../../domain/terms/term.ts";
import { GUARD_MODES, UNGUARDED } from "../../domain/moderation/guard.ts";
import { stated } from "../../http/field-errors.ts";
import { SAMPLE_DECIDED } from "../../domain/moderation/cascade.ts";
import { CASCADE_WARNINGS, cascadeWarnings } from "../../domain/moderation/cascade-warnings.ts";
import { MAX_REUSE_TTL_S } from "../../domain/moderation/reuse.ts";
import { language } from "./content.ts";
import { CascadeRules } from "./cascade-rules.ts";
import { policyName, threshold, wholeNumber } from "../field.ts";
import { RoutingTable } from "./routing-table.ts";
import { strictObject } from "../object-input.ts";

// A moderation policy on the wire.

const RULE = {
  inputs: v.pipe(
    v.array(v.picklist(INPUT_KINDS)),
    v.maxLength(INPUT_KINDS.length),
    v.description("Where the category is asked for; empty: nowhere."),
  ),
  required: v.pipe(v.boolean(), v.description("Without this check there is no approval.")),
  flag: v.pipe(threshold, v.description("Flags from this score; null: never.")),
  block: v.pipe(threshold, v.description("Blocks from this score; null: never.")),
  ban: v.pipe(threshold, v.description("Advises to ban the user from this score; null: never.")),
};

const Rule = strictObject(RULE);

/** What is not named stays as it is in the default rule, or in the policy that is changed. */
const RulePart = v.partial(Rule);

type RulePartOutput = v.InferOutput<typeof RulePart>;

/** Sentiment and object labels are too weak a sign to block by. */
const FlagOnlyRule = v.pipe(
  RulePart,
  v.check(
    stated(
      "can only flag",
      ({ block = null, ban = null }: RulePartOutput) => block === null && ban === null,
    ),
  ),
);

const ruleFor = (category: Category) => (FLAG_ONLY.includes(category) ? FlagOnlyRule : RulePart);

const phrase = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const phrases = v.pipe(v.array(phrase), v.maxLength(1000));

const Term = v.union([
  phrase,
  strictObject({
    term: phrase,
    match: v.optional(
      v.pipe(
        v.picklist(TERM_MATCHES),
        v.description(
          "`folded` (also of a string): whole words without case, accents, lookalikes, leet, stars and what takes a word apart; `word`: whole words without case; `exact`: whole words, letter for letter; `substring`: without case and accents, also within words.",
        ),
      ),
    ),
    category: v.optional(
      v.pipe(v.picklist(TERM_CATEGORIES), v.description("What a match of a block term is called.")),
    ),
  }),
]);
const Terms = v.pipe(v.array(Term), v.maxLength(2000));
const model = v.nullable(v.pipe(v.string(), v.maxLength(128)));

const guardMode = v.picklist(GUARD_MODES);

const categoryEntries = forEach(CATEGORIES, (category) => v.optional(ruleFor(category)));

const unavailable = v.picklist(ON_UNAVAILABLE);

/** Of a person's verdicts the newest are counted: blocks beyond what is looked at are out of reach. */
const BanAfter = strictObject({
  blocks: wholeNumber(1, 100, "Verdicts that block, this one with them."),
  days: wholeNumber(1, 365, "Within so many days, as far back as verdicts are kept."),
});

/** What can be said of a policy, all of it optional. */
const CHANGE = {
  categories: v.optional(strictObject(categoryEntries)),
  spam_phrases: v.optional(phrases),
  terms: v.optional(strictObject({ block: v.optional(Terms), allow: v.optional(Terms) })),
  on_unavailable: v.optional(
    v.pipe(
      unavailable,
      v.description(
        "What a required check does that failed or took too long: `flag` (also by `allow`) or `block`. Never an approval.",
      ),
    ),
  ),
  unevaluated: v.optional(
    v.nullable(
      v.pipe(
        unavailable,
        v.description(
          "The same of a required check that nothing here can make, such as of a text in another language; null or absent: as `on_unavailable`. Never an approval.",
        ),
      ),
    ),
  ),
  language: v.optional(
    v.nullable(
      v.pipe(
        language,
        v.description(
          "The language of texts that are too short to detect it; null or absent: none.",
        ),
      ),
    ),
  ),
  ban_after: v.optional(
    v.nullable(
      v.pipe(
        BanAfter,
        v.description(
          "`ban_user` is advised only once so much of the same `user_id` was blocked, else `warn_user`; null or absent: at once.",
        ),
      ),
    ),
  ),
  tier0: v.optional(
    v.nullable(
      v.pipe(
        CascadeRules,
        v.description(
          "Where the text model inside the Worker decides without a judge, by thresholds that `POST /v1/policies/calibrate` found on texts of your own; null or absent: nowhere.",
        ),
      ),
    ),
  ),
  sample_allowed: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description("The share of what is approved that goes to review, drawn by lot; 0: none."),
    ),
  ),
  sample_decided: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description(
        "The share of texts, drawn by lot, that the judge reads although `tier0` decided them; it may raise the decision, never lower it. 0: none. Absent: 0.02, and 0 in the preset `free`.",
      ),
    ),
  ),
  evaluate_all: v.optional(
    v.pipe(v.boolean(), v.description("Run paid stages also where a term has blocked already.")),
  ),
  reuse_ttl_s: v.optional(
    wholeNumber(
      0,
      MAX_REUSE_TTL_S,
      "Seconds for which an equal content is answered with the scores of an earlier verdict, at no cost; 0: never.",
    ),
  ),
  guard: v.optional(
    strictObject({
      input: v.optional(v.pipe(guardMode, v.description("Of prompts, before they are sent."))),
      output: v.optional(v.pipe(guardMode, v.description("Of answers, before they are given."))),
    }),
  ),
  models: v.optional(
    strictObject({
      judge: v.optional(v.pipe(model, v.description("The language model that judges text."))),
      judge_fallback: v.optional(v.pipe(model, v.description("Asked when the judge is refused."))),
      vision: v.optional(v.pipe(model, v.description("The model that judges pictures."))),
    }),
  ),
  routing: v.optional(RoutingTable),
};

const PolicyWarnings = v.pipe(
  v.array(
    strictObject({
      kind: v.picklist(CASCADE_WARNINGS),
      detail: v.pipe(v.string(), v.description("The same as a sentence, with what to do.")),
    }),
  ),
  v.maxLength(16),
  v.description("Thresholds of `tier0` that decide nothing, and why. Absent: all of them apply."),
);

const versionNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER, "Grows with each change.");

/** What stays as it is where it is not named, with what a GET gives and cannot be set. */
export const PolicyPatch = strictObject({
  ...CHANGE,
  object: v.optional(v.literal("policy")),
  name: v.optional(v.pipe(policyName, v.description("As in the path."))),
  version: v.optional(
    v.pipe(
      versionNumber,
      v.description("The version in force, which is changed only if it still is that one."),
    ),
  ),
  warnings: v.optional(
    v.pipe(PolicyWarnings, v.description("As a GET gives them: they are ignored.")),
  ),
});

/**
 * A policy as a GET gives it may be put back: what cannot be set may stand in it as it is. What is not
 * named is as in the preset.
 */
export const PolicyInput = strictObject({
  ...PolicyPatch.entries,
  preset: v.optional(
    v.pipe(
      v.picklist(PRESETS),
      v.description(
        "What is not named is as in this one, written out now: `default`, `strict`, or `free`, which asks the models and rules inside the Worker alone and costs nothing. Absent: `default`.",
      ),
    ),
  ),
});

export type PolicyInputBody = v.InferOutput<typeof PolicyInput>;
export type PolicyPatchBody = v.InferOutput<typeof PolicyPatch>;

export const PolicyOutput = v.object({
  object: v.literal("policy"),
  name: policyName,
  version: versionNumber,
  categories: v.object(forEach(CATEGORIES, () => Rule)),
  spam_phrases: phrases,
  terms: v.object({ block: Terms, allow: Terms }),
  on_unavailable: unavailable,
  unevaluated: v.nullable(unavailable),
  language: v.nullable(v.string()),
  ban_after: v.nullable(BanAfter),
  tier0: v.nullable(CascadeRules),
  sample_allowed: v.number(),
  sample_decided: v.number(),
  evaluate_all: v.boolean(),
  reuse_ttl_s: v.number(),
  guard: v.object({ input: guardMode, output: guardMode }),
  models: v.object({ judge: model, judge_fallback: model, vision: model }),
  routing: RoutingTable,
  warnings: v.exactOptional(PolicyWarnings),
});

/** What is said of a policy, without what only names it. */
export function changeOf(input: PolicyPatchBody): PolicyChange {
  const { object: _object, name: _name, version: _version, warnings: _warnings, ...change } = input;
  if (change.language === null || change.language === undefined) return change;
  return { ...change, language: baseLanguage(change.language) };
}

/** What a PUT means: laid over a preset of this deployment. */
export const policyOf = (
  { preset = "default", ...input }: PolicyInputBody,
  engine: PolicyEngine,
): Policy => changedPolicy(presetPolicy(preset, engine), changeOf(input));

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

export const toPolicy = ({
  name,
  version,
  policy: { matching: _matching, ...policy },
}: PolicyVersion): v.InferOutput<typeof PolicyOutput> => ({
  object: "policy",
  name,
  version,
  ...(policy as Mutable<Omit<Policy, "matching">>),
  guard: policy.guard ?? { ...UNGUARDED },
  unevaluated: policy.unevaluated ?? null,
  language: policy.language ?? null,
  ban_after: policy.ban_after ?? null,
  tier0: (policy.tier0 as Mutable<Policy["tier0"]>) ?? null,
  sample_allowed: policy.sample_allowed ?? 0,
  sample_decided: policy.sample_decided ?? SAMPLE_DECIDED,
  reuse_ttl_s: policy.reuse_ttl_s ?? 0,
  ...warningsOf(policy),
});

function warningsOf(policy: Policy): Pick<v.InferOutput<typeof PolicyOutput>, "warnings"> {
  const warnings = cascadeWarnings(policy);
  return warnings.length === 0 ? {} : { warnings };
}
