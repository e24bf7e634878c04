import * as v from "valibot";
import { busyJudge } from "../../domain/moderation/busy-judge.ts";
import {
  CATEGORIES,
  type Category,
  forEach,
  LABEL_GROUPS,
  OPENAI_CATEGORIES,
  type Scores,
} from "../../domain/moderation/category.ts";
import type { InputName } from "../../domain/moderation/plan-moderation.ts";
import {
  isPartial,
  type Reason,
  scoresOf,
  type StageResult,
  unexplained,
  type Verdict,
} from "../../domain/moderation/verdict.ts";
import { stated } from "../../http/field-errors.ts";
import { language, MAX_PICTURES, metadata, text } from "../native/content.ts";
import { RetryAfterMs } from "../native/verdict.ts";
import { name, policyName } from "../field.ts";
import { object, orEmptyList, strictObject } from "../object-input.ts";

// OpenAI's moderation request and reply. Unknown fields are ignored, as they are there; ours sit
// under one key. https://platform.openai.com/docs/api-reference/moderations

export const MODELS = [
  "omni-moderation-latest",
  "omni-moderation-2024-09-26",
  "text-moderation-latest",
  "text-moderation-stable",
] as const;

/**
 * Strings of one call: their verdicts take about all the memory that an isolate has for bodies. Each is a
 * unit of the tenant's `requests`, which usually allows fewer.
 */
export const MAX_STRINGS = 2500;

const TextPart = object({ type: v.literal("text"), text });

const ImagePart = object({
  type: v.literal("image_url"),
  image_url: object({ url: v.pipe(v.string(), v.minLength(1)) }),
});

const PartList = v.array(v.variant("type", [TextPart, ImagePart]));

const atMost = (most: number, sentence: string) =>
  stated<v.InferOutput<typeof PartList>>(
    sentence,
    (parts) => parts.filter((part) => part.type === "image_url").length <= most,
  );

const ItemParts = v.pipe(
  PartList,
  v.minLength(1),
  v.maxLength(MAX_STRINGS),
  v.check(atMost(MAX_PICTURES, `must have at most ${MAX_PICTURES} pictures`)),
);

export const ModerationInput = object({
  model: v.optional(
    v.pipe(v.string(), v.maxLength(128), v.description(`One of ${MODELS.join(", ")}.`)),
    "omni-moderation-latest",
  ),
  input: v.pipe(
    v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_STRINGS)), ItemParts]),
    v.description(
      `A text, a list of texts (each a result and a unit of "requests", so as many as the tenant's rate allows; at most ${MAX_STRINGS}), or the parts of one item.`,
    ),
  ),
  user: v.optional(name("The person.")),
  safety_identifier: v.optional(name("The person; wins over `user`.")),
  neurogate: v.optional(
    orEmptyList(
      strictObject({
        user_id: v.optional(name("The person; wins over `safety_identifier`.")),
        content_ids: v.optional(
          v.pipe(v.array(name("One for each result.")), v.maxLength(MAX_STRINGS)),
        ),
        metadata: v.optional(orEmptyList(metadata), {}),
        policy: v.optional(policyName),
        language: v.optional(language),
      }),
    ),
  ),
});

export type ModerationRequestBody = v.InferOutput<typeof ModerationInput>;

/**
 * What is true beside OpenAI's own categories: what they have no name for. Absent unless true, so that
 * clients which count keys see OpenAI's thirteen.
 */
export const OTHER_KEYS = [
  "negativity",
  "spam",
  ...LABEL_GROUPS,
  "nsfw",
  "terms",
  "injection",
  "test",
  "unevaluated",
] as const;
type OtherKey = (typeof OTHER_KEYS)[number];
type Key = (typeof OPENAI_CATEGORIES)[number] | OtherKey;

const each = <S extends v.GenericSchema>(schema: S) =>
  v.object({
    ...forEach(OPENAI_CATEGORIES, () => schema),
    ...forEach(OTHER_KEYS, () => v.exactOptional(schema)),
  });

/** OpenAI's record of categories, and ours beside them. */
export const ResultEntries = {
  flagged: v.pipe(
    v.boolean(),
    v.description("True when the decision is not allow; then some category is true."),
  ),
  categories: v.pipe(
    each(v.boolean()),
    v.description("Beside OpenAI's thirteen, what else made the decision, present when true."),
  ),
  category_scores: each(v.number()),
  category_applied_input_types: each(v.array(v.string())),
};

export const FoundEntries = {
  decision: v.string(),
  approved: v.boolean(),
  partial: v.boolean(),
  actions: v.array(v.string()),
  coverage: v.record(v.string(), v.string()),
  reasons: v.array(v.record(v.string(), v.unknown())),
  retry_after_ms: v.exactOptional(RetryAfterMs),
};

export const ModerationOutput = v.object({
  id: v.string(),
  model: v.string(),
  results: v.array(
    v.object({
      ...ResultEntries,
      neurogate: v.object({
        verdict_id: v.string(),
        test: v.boolean(),
        reused_from: v.nullable(v.string()),
        ...FoundEntries,
      }),
    }),
  ),
  neurogate: v.object({ micro_neurons: v.number(), request_id: v.string() }),
});

/** A category that was not evaluated is false, 0 and applied to nothing. */
export function toResult(verdict: Verdict) {
  const scores = scoresOf(verdict.stages);
  const made = verdict.decision === "allow" ? [] : verdict.reasons;
  const crossed = new Set(made.map(keyOf));
  // A person may block what no check objected to.
  if (verdict.decision !== "allow" && crossed.size === 0) crossed.add("unevaluated");
  const others = OTHER_KEYS.filter((key) => crossed.has(key));
  const scoreOf = (key: Key): number => scoreFor(key, made, scores);
  const { retryAfterMs } = busyJudge(verdict) ?? {};
  return {
    flagged: verdict.decision !== "allow",
    categories: {
      ...forEach(OPENAI_CATEGORIES, (category) => crossed.has(category)),
      ...forEach(others, () => true),
    },
    category_scores: {
      ...forEach(OPENAI_CATEGORIES, scoreOf),
      ...forEach(others, scoreOf),
    },
    category_applied_input_types: {
      ...forEach(OPENAI_CATEGORIES, (category) =>
        scores[category] === undefined && !crossed.has(category)
          ? []
          : typesOf([...scoredInputs(verdict.stages, category), ...inputsOf(category, made)]),
      ),
      ...forEach(others, (key) => typesOf(inputsOf(key, made))),
    },
    neurogate: {
      verdict_id: verdict.id,
      decision: verdict.decision,
      approved: verdict.approved,
      partial: isPartial(verdict),
      actions: [...verdict.actions],
      test: verdict.test,
      reused_from: verdict.reuse?.from?.verdictId ?? null,
      coverage: verdict.coverage,
      reasons: unexplained(verdict.reasons).map((reason) => ({ ...reason })),
      ...(retryAfterMs !== undefined && { retry_after_ms: retryAfterMs }),
    },
  };
}

const inputsOf = (key: Key, made: readonly Reason[]): InputName[] =>
  made.filter((reason) => keyOf(reason) === key).map(({ input }) => input);

/** Of whose scores those of the verdict are made. */
const scoredInputs = (stages: readonly StageResult[], category: Category): InputName[] =>
  [...new Set(stages.map(({ input }) => input))].filter(
    (of) => scoresOf(stages.filter(({ input }) => input === of))[category] !== undefined,
  );

/** Writing in a picture came in a picture. */
const typesOf = (inputs: readonly InputName[]): string[] =>
  [...new Set(inputs.map((input) => (input === "text" ? "text" : "image")))]
    .toSorted()
    .toReversed();

/** The key under which a caller reads a reason. Toxicity is what OpenAI calls harassment. */
function keyOf({ kind, category }: Reason): Key {
  switch (kind) {
    case "term":
      if (category === null) return "terms";
      return category === "toxicity" ? "harassment" : category;
    case "injection":
    case "test":
      return kind;
    case "unavailable":
      return "unevaluated";
    case "score":
    case "label":
      return category === null || category === "toxicity" ? "harassment" : category;
  }
}

/**
 * The score of the category, or of what stands for it: where toxicity alone is over its threshold, the
 * higher of the two. 1 where there is none.
 */
function scoreFor(key: Key, made: readonly Reason[], scores: Scores): number {
  const own = isCategory(key) ? (scores[key] ?? 0) : 0;
  const reasons = made.filter((reason) => keyOf(reason) === key);
  if (isCategory(key) && reasons.some(({ category }) => category === key))
    return Math.max(own, ...scoresIn(reasons, key));
  return Math.max(own, ...reasons.map(({ score }) => score ?? 1));
}

const scoresIn = (reasons: readonly Reason[], category: Category): number[] =>
  reasons.flatMap((reason) => (reason.category === category ? (reason.score ?? 1) : []));

const isCategory = (key: string): key is Category =>
  (CATEGORIES as readonly string[]).includes(key);
