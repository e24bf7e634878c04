import * as v from "valibot";
import { PRICE_UNITS } from "../../domain/catalogue/catalogue.ts";
import { MODEL_TASKS } from "../../domain/catalogue/model-task.ts";
import type { ModelCard } from "../../domain/catalogue/model-card.ts";

// OpenAI's model object. What it costs and may do here sits under `neurogate`.

/** The catalogue gives no dates of release, so every model has its price list's: 2026-09-01. */
const CREATED_S = 1_788_220_800;

export const ModelOutput = v.object({
  id: v.string(),
  object: v.literal("model"),
  created: v.pipe(v.number(), v.description("The date of the price list, in seconds.")),
  owned_by: v.pipe(v.string(), v.description("Its maker, by its id; an alias is the tenant's.")),
  neurogate: v.object({
    task: v.picklist(MODEL_TASKS),
    prices: v.pipe(
      v.partial(v.object(Object.fromEntries(PRICE_UNITS.map((unit) => [unit, v.number()])))),
      v.description("Micro-neurons per unit; audio per minute. `auto` has its pick's."),
    ),
    limits: v.object({
      rate_class: v.pipe(v.string(), v.description("Calls are counted under this name.")),
      rpm: v.pipe(v.number(), v.description("Calls in any rolling minute.")),
      context_tokens: v.nullable(v.number()),
      max_output_tokens: v.pipe(
        v.nullable(v.number()),
        v.description("The context window; null where it is not published or nothing is written."),
      ),
    }),
    usable: v.pipe(v.boolean(), v.description("Whether this tenant may call it now.")),
    refused_as: v.pipe(
      v.nullable(v.picklist(["model_not_allowed", "model_retired", "unpriced_model"])),
      v.description("The refusal of a call that names it; null where it is usable."),
    ),
    requires_workers_paid: v.boolean(),
    retired_on: v.pipe(v.nullable(v.string()), v.description("YYYY-MM-DD.")),
    replacement: v.nullable(v.string()),
    alias_of: v.pipe(
      v.nullable(v.string()),
      v.description("What the tenant's alias stands for; null for a model's own id."),
    ),
  }),
});

/** `@cf/meta/llama-3.1-8b-instruct-fp8` is `meta`'s; `auto` is ours. */
const makerOf = (id: string): string => id.split("/")[1] ?? "neurogate";

export function toModel(card: ModelCard, tenant: string): v.InferOutput<typeof ModelOutput> {
  const { model } = card;
  const writes = card.prices.output_token !== undefined;
  return {
    id: card.id,
    object: "model",
    created: CREATED_S,
    owned_by: card.aliasOf === null ? makerOf(model.id) : tenant,
    neurogate: {
      task: model.task,
      prices: card.prices,
      limits: {
        rate_class: card.rateClass,
        rpm: card.rpm,
        context_tokens: model.contextTokens,
        max_output_tokens: writes ? model.contextTokens : null,
      },
      usable: card.unusable === null,
      refused_as: card.unusable,
      requires_workers_paid: model.requiresWorkersPaid,
      retired_on: model.retiredOn,
      replacement: model.replacement,
      alias_of: card.aliasOf,
    },
  };
}

export const ModelListOutput = v.object({ object: v.literal("list"), data: v.array(ModelOutput) });
