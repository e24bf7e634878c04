import * as v from "valibot";
import { BASES, type Item } from "../../domain/ledger/ledger.ts";
import type { Usage } from "../../domain/catalogue/catalogue.ts";
import { stated } from "../../http/field-errors.ts";
import { MAX_NAME, microNeuronsOut, wholeNumber } from "../field.ts";
import { object, orEmptyList } from "../object-input.ts";

// What the drop-ins of OpenAI's routes share.

/** As Cloudflare's AI Gateway names models of several providers: `workers-ai/@cf/meta/llama`. */
export const plainModel = (name: string): string => name.replace(/^workers-ai\/(?=@)/, "");

export const modelName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(128),
  v.description("A model of the catalogue, or one of the tenant's aliases."),
  v.transform(plainModel),
);

/** Each answer is an engine call of its own, and reads the whole prompt. */
const MAX_CHOICES = 8;

export const choiceCount = v.nullish(
  wholeNumber(1, MAX_CHOICES, "How many answers; each is an engine call."),
  1,
);

/** No context window is longer; below it, the model's own bounds what is held and what is asked. */
const MAX_MAX_TOKENS = 1_048_576;

export const maxTokens = wholeNumber(1, MAX_MAX_TOKENS, "The most tokens of each answer.");

/** OpenAI's own limit. */
const MAX_STOPS = 4;
const stopText = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

export const stopSequences = v.nullish(
  v.union([stopText, v.pipe(v.array(stopText), v.maxLength(MAX_STOPS))]),
);

/** Known so that it can be refused; anything may stand in it. */
export const known = v.nullish(v.unknown());

export const toolName = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

export const withoutEffect = v.pipe(known, v.description("Taken, and changes nothing here."));

/** Fields of OpenAI's newer clients on which no answer depends. */
export const unusedFields = {
  service_tier: v.pipe(known, v.description("Any is taken: there is one tier here.")),
  prompt_cache_key: withoutEffect,
  prompt_cache_options: withoutEffect,
  prompt_cache_retention: withoutEffect,
};

/** Padding would hide how long the texts of events are. */
export const obfuscation = v.nullish(
  v.pipe(
    v.boolean(),
    v.check(stated("must be false or absent: events are not padded here", (asked) => !asked)),
  ),
);

export const streamOptions = v.nullish(
  orEmptyList(
    object({
      include_usage: v.nullish(v.boolean(), false),
      include_obfuscation: obfuscation,
    }),
  ),
);

const person = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME));

/** Who the call is for: `safety_identifier`, else `user`. */
export const personFields = {
  user: v.optional(v.pipe(person, v.description("The end user; kept with the journal line."))),
  safety_identifier: v.optional(v.pipe(person, v.description("Goes before `user`."))),
};

export const personOf = (body: {
  readonly user?: string | undefined;
  readonly safety_identifier?: string | undefined;
}): string | null => body.safety_identifier ?? body.user ?? null;

/** Our one extension of a reply: what it cost and how that was measured. */
export const Neurogate = v.object({
  micro_neurons: microNeuronsOut("What this call cost."),
  basis: v.pipe(v.picklist(BASES), v.description("How its units are known.")),
  engine: v.nullable(v.string()),
  model: v.nullable(v.pipe(v.string(), v.description("What really ran."))),
  priced_as: v.pipe(v.string(), v.description("The catalogue model whose price was taken.")),
  request_id: v.string(),
});

export const toNeurogate = (item: Item, requestId: string): v.InferOutput<typeof Neurogate> => ({
  micro_neurons: item.microNeurons,
  basis: item.basis,
  engine: item.engine,
  model: item.model,
  priced_as: item.pricedAs,
  request_id: requestId,
});

/** OpenAI's counts: its prompt tokens include the cached ones. */
export function usageOf(units: Usage): {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly cached_tokens: number;
  /** Undefined: the engine does not tell. */
  readonly reasoning_tokens: number | undefined;
} {
  const cached_tokens = units.cached_input_token ?? 0;
  const prompt_tokens = (units.input_token ?? 0) + cached_tokens;
  const completion_tokens = units.output_token ?? 0;
  const total_tokens = prompt_tokens + completion_tokens;
  const reasoning_tokens = units.reasoning_token;
  return { prompt_tokens, completion_tokens, total_tokens, cached_tokens, reasoning_tokens };
}
