import * as v from "valibot";
import { BASES, type Hold, type Item } from "../../domain/ledger/ledger.ts";
import { toNeurons } from "../../domain/ledger/micro-neurons.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import type { Outputs } from "../../engines/inference.ts";
import { microNeuronsOut, name } from "../field.ts";
import { modelName } from "../openai/drop-in.ts";
import { strictObject } from "../object-input.ts";

// A translation, on the native surface.

export const M2M100 = "@cf/meta/m2m100-1.2b";

/**
 * M2M100 reads 1,024 tokens at a time, which is about 4 KB of English, IndicTrans2 a quarter of that.
 * What is longer would come back cut without a word.
 */
const MAX_TEXT_BYTES = 4096;

const language = (description: string) =>
  v.pipe(v.string(), v.minLength(2), v.maxLength(16), v.description(description));

export const TranslationInput = strictObject({
  text: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxBytes(MAX_TEXT_BYTES),
    v.description("At most 4 KB; IndicTrans2 reads about 1 KB of it."),
  ),
  source_language: v.optional(language("As the model names it: `en`, `zh`."), "en"),
  target_language: language("As the model names it: `de`, `zu`; for IndicTrans2 also `hin_Deva`."),
  model: v.optional(modelName, M2M100),
  user_id: v.optional(name("The caller's id of the person; kept with the journal line.")),
});

export type TranslationBody = v.InferOutput<typeof TranslationInput>;

export const TranslationOutput = v.object({
  id: v.pipe(v.string(), v.description("The journal line's.")),
  object: v.literal("translation"),
  translation: v.string(),
  source_language: v.string(),
  target_language: v.string(),
  user_id: v.nullable(v.string()),
  model: v.nullable(v.pipe(v.string(), v.description("What really ran."))),
  engine: v.nullable(v.string()),
  priced_as: v.pipe(v.string(), v.description("The catalogue model whose price was taken.")),
  micro_neurons: microNeuronsOut("What this call cost."),
  neurons: v.number(),
  basis: v.pipe(v.picklist(BASES), v.description("How its units are known.")),
  created_at: v.string(),
});

export function toTranslation(
  { translations: [translation = ""] }: Outputs["translation"],
  {
    body,
    item,
    hold,
  }: { readonly body: TranslationBody; readonly item: Item; readonly hold: Hold },
): v.InferOutput<typeof TranslationOutput> {
  return {
    id: hold.callId,
    object: "translation",
    translation,
    source_language: body.source_language,
    target_language: body.target_language,
    user_id: body.user_id ?? null,
    model: item.model,
    engine: item.engine,
    priced_as: item.pricedAs,
    micro_neurons: item.microNeurons,
    neurons: toNeurons(item.microNeurons),
    basis: item.basis,
    created_at: isoTime(hold.admittedAtMs),
  };
}
