import * as v from "valibot";
import type { Quoted } from "../../../durable-objects/tenant/protocol.ts";
import { plus, toNeurons } from "../../domain/ledger/micro-neurons.ts";
import { usable } from "../../domain/ledger/quota.ts";
import { isGeneration } from "../../domain/generation/plan-generation.ts";
import { microNeuronsOut } from "../field.ts";
import { strictObject } from "../object-input.ts";

// What a call would cost, before it is made.

export const QuoteInput = strictObject({
  path: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(256),
    v.description("The path that the call would be sent to: `/v1/embeddings`."),
  ),
  body: v.pipe(v.unknown(), v.description("The body that it would have.")),
});

export const QuoteOutput = v.object({
  object: v.literal("quote"),
  path: v.string(),
  model: v.pipe(
    v.nullable(v.string()),
    v.description("The model that would be asked; null for a moderation, which asks several."),
  ),
  min_micro_neurons: microNeuronsOut("The least that an answered call is charged."),
  max_micro_neurons: microNeuronsOut("What would be held; no call is charged more."),
  min_neurons: v.number(),
  max_neurons: v.number(),
  fits_today: v.pipe(
    v.boolean(),
    v.description("Whether it is within what is left of the day, once calls in progress end."),
  ),
  refused_as: v.pipe(
    v.nullable(v.string()),
    v.description("The refusal that it would get at this moment; null: it would be admitted."),
  ),
  available_micro_neurons: v.nullable(microNeuronsOut("What is free now; null: no limit.")),
  max_tokens: v.pipe(
    v.nullable(v.number()),
    v.description(
      "The `max_tokens` that the model would get; null if it does not write token by token.",
    ),
  ),
  stages: v.array(
    v.object({
      stage: v.string(),
      input: v.string(),
      model: v.string(),
      fallbacks: v.array(v.string()),
      units: v.pipe(v.record(v.string(), v.number()), v.description("At most.")),
      max_micro_neurons: microNeuronsOut("The dearest of its models at these units."),
    }),
  ),
});

export function toQuote(quoted: Quoted, path: string): v.InferOutput<typeof QuoteOutput> {
  const { stages, least, neurons, refusal } = quoted;
  const made = stages.find(isGeneration);
  return {
    object: "quote",
    path,
    model: made?.model ?? null,
    min_micro_neurons: least,
    max_micro_neurons: neurons.required,
    min_neurons: toNeurons(least),
    max_neurons: toNeurons(neurons.required),
    fits_today: fitsToday(quoted),
    refused_as: refusal,
    available_micro_neurons: usable(neurons),
    max_tokens: made?.maxTokens ?? null,
    stages: stages.map((stage) => ({
      stage: stage.name,
      input: stage.input,
      model: stage.model,
      fallbacks: [...stage.fallbacks],
      units: { ...stage.units },
      max_micro_neurons: stage.bound,
    })),
  };
}

/** Holds of calls in progress are not in the way for the day: they end within minutes. */
function fitsToday({ neurons, refusal }: Quoted): boolean {
  if (refusal === "account_quota_exceeded" || refusal === "over_limit") return false;
  const { limit, posted, required, month } = neurons;
  if (month !== undefined && plus(month.posted, required) > month.limit) return false;
  return limit === null || plus(posted, required) <= limit;
}
