import * as v from "valibot";
import { forEach, OPENAI_CATEGORIES } from "../domain/category.ts";
import { scoresOf, type Verdict } from "../domain/verdict.ts";
import { stated } from "../http/field-sentence.ts";
import { language, MAX_PICTURES, metadata, text } from "./content.ts";
import { name, policyName } from "./field.ts";

// OpenAI's moderation request and reply. Unknown fields are ignored, as they are there; ours sit
// under one key. https://platform.openai.com/docs/api-reference/moderations

export const MODELS = [
  "omni-moderation-latest",
  "omni-moderation-2024-09-26",
  "text-moderation-latest",
  "text-moderation-stable",
] as const;

/** Strings of one call. The contract, section 5. */
const MAX_STRINGS = 100;

const TextPart = v.object({ type: v.literal("text"), text });

const ImagePart = v.object({
  type: v.literal("image_url"),
  image_url: v.object({ url: v.pipe(v.string(), v.minLength(1)) }),
});

const PartList = v.array(v.variant("type", [TextPart, ImagePart]));

const atMost = (type: "text" | "image_url", most: number, sentence: string) =>
  stated<v.InferOutput<typeof PartList>>(
    sentence,
    (parts) => parts.filter((part) => part.type === type).length <= most,
  );

const Parts = v.pipe(
  PartList,
  v.minLength(1),
  v.check(atMost("image_url", MAX_PICTURES, `must have at most ${MAX_PICTURES} pictures`)),
  v.check(atMost("text", 1, "must have at most one text")),
);

export const ModerationInput = v.object({
  model: v.optional(
    v.pipe(v.string(), v.maxLength(128), v.description(`One of ${MODELS.join(", ")}.`)),
    "omni-moderation-latest",
  ),
  input: v.pipe(
    v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_STRINGS)), Parts]),
    v.description("A text, at most 100 texts, or the parts of one multimodal item."),
  ),
  user: v.optional(name("The person.")),
  safety_identifier: v.optional(name("The person; wins over `user`.")),
  neurogate: v.optional(
    v.strictObject({
      user_id: v.optional(name("The person; wins over `safety_identifier`.")),
      content_ids: v.optional(
        v.pipe(v.array(name("One for each result.")), v.maxLength(MAX_STRINGS)),
      ),
      metadata: v.optional(metadata, {}),
      policy: v.optional(policyName),
      language: v.optional(language),
    }),
  ),
});

export type ModerationRequestBody = v.InferOutput<typeof ModerationInput>;

const each = <S extends v.GenericSchema>(schema: S) =>
  v.object(forEach(OPENAI_CATEGORIES, () => schema));

export const ModerationOutput = v.object({
  id: v.string(),
  model: v.string(),
  results: v.array(
    v.object({
      flagged: v.pipe(v.boolean(), v.description("True when the decision is not allow.")),
      categories: each(v.boolean()),
      category_scores: each(v.number()),
      category_applied_input_types: each(v.array(v.string())),
      neurogate: v.object({
        verdict_id: v.string(),
        decision: v.string(),
        approved: v.boolean(),
        test: v.boolean(),
        coverage: v.record(v.string(), v.string()),
        reasons: v.array(v.record(v.string(), v.unknown())),
      }),
    }),
  ),
  neurogate: v.object({ micro_neurons: v.number(), request_id: v.string() }),
});

/** A category that was not evaluated is false, 0 and applied to nothing. */
export function toResult(verdict: Verdict) {
  const scores = scoresOf(verdict.stages);
  const crossed = new Set(
    verdict.reasons.filter(({ score }) => score !== null).map((r) => r.category),
  );
  return {
    flagged: verdict.decision !== "allow",
    categories: forEach(OPENAI_CATEGORIES, (category) => crossed.has(category)),
    category_scores: forEach(OPENAI_CATEGORIES, (category) => scores[category] ?? 0),
    category_applied_input_types: forEach(OPENAI_CATEGORIES, (category) =>
      scores[category] === undefined ? [] : ["text"],
    ),
    neurogate: {
      verdict_id: verdict.id,
      decision: verdict.decision,
      approved: verdict.approved,
      test: verdict.test,
      coverage: verdict.coverage,
      reasons: verdict.reasons.map((reason) => ({ ...reason })),
    },
  };
}
