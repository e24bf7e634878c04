import * as v from "valibot";
import type { Model } from "../../domain/catalogue/catalogue.ts";
import { BASES, type Item } from "../../domain/ledger/ledger.ts";
import { MICRO_PER_NEURON } from "../../domain/ledger/micro-neurons.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { negativeBy, PICTURE_STYLES } from "../../domain/generation/picture-prompt.ts";
import { MAX_SEED, type Range } from "../../domain/generation/picture-traits.ts";
import {
  type PictureRecord,
  type StoredPicture,
  VARIED_BY,
} from "../../domain/generation/stored-picture.ts";
import { metadata } from "./content.ts";
import { microNeuronsOut, name, time, wholeNumber } from "../field.ts";
import { modelName } from "../openai/drop-in.ts";
import { strictObject } from "../object-input.ts";

// Pictures on the native surface.

/** As many as a call makes at most. */
export const MAX_PICTURES = 8;

/** OpenAI's longest. What a model reads of it is in the catalogue, where it is published. */
export const MAX_PROMPT_CHARS = 32_000;

/** Prompt and negative prompt with every character escaped, and the rest. */
export const MAX_IMAGES_BODY_BYTES = 524_288;

/** Wider than any model's, which tells its own: these only keep numbers from being absurd. */
const MAX_SIDE = 16_384;
const MAX_STEPS = 1000;

const words = (description: string) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(MAX_PROMPT_CHARS),
    v.description(`${description} At most ${MAX_PROMPT_CHARS} characters.`),
  );

const howMany = v.optional(wholeNumber(1, MAX_PICTURES, "How many pictures."), 1);

export const ImagesInput = strictObject({
  prompt: words("What the picture shows."),
  model: v.optional(modelName),
  style: v.optional(
    v.pipe(v.picklist(PICTURE_STYLES), v.description("Added to the prompt in words.")),
  ),
  negative_prompt: v.optional(
    words("What it does not show; a part of the prompt where the model has no parameter for it."),
  ),
  width: v.optional(wholeNumber(1, MAX_SIDE, "Pixels.")),
  height: v.optional(wholeNumber(1, MAX_SIDE, "Pixels.")),
  steps: v.optional(wholeNumber(1, MAX_STEPS, "Diffusion steps.")),
  seed: v.optional(wholeNumber(0, MAX_SEED, "Of the first picture; the next ones follow.")),
  n: howMany,
  user_id: v.optional(name("The person it is for: `daily_images_per_user` counts them.")),
  metadata: v.optional(metadata, {}),
});

export const VariationsInput = strictObject({
  n: howMany,
  strength: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0),
      v.maxValue(1),
      v.description("How far from the picture: 0 to 1, for models that take it."),
    ),
  ),
  prompt: v.optional(words("Instead of the picture's own.")),
  user_id: v.optional(name("The person it is for; else the picture's own.")),
  metadata: v.optional(metadata, {}),
});

const Variation = v.nullable(
  v.object({
    of: v.pipe(v.string(), v.description("The picture that was varied.")),
    by: v.pipe(
      v.picklist(VARIED_BY),
      v.description(
        "`picture`: the model started from it. `seed`: its prompt with another seed. `prompt`: its prompt once more, to a model that takes no seed.",
      ),
    ),
  }),
);

export const ImageOutput = v.object({
  id: v.string(),
  object: v.literal("image"),
  url: v.pipe(v.string(), v.description("Opens the picture without a key, until it expires.")),
  url_expires_at: time("When `url` ends; a new one is in the metadata."),
  content_type: v.string(),
  bytes: v.number(),
  width: v.number(),
  height: v.number(),
  seed: v.nullable(v.pipe(v.number(), v.description("Null: the model was given none."))),
  steps: v.number(),
  prompt: v.string(),
  style: v.nullable(v.picklist(PICTURE_STYLES)),
  negative_prompt: v.nullable(v.string()),
  model: v.nullable(v.pipe(v.string(), v.description("What really ran."))),
  engine: v.nullable(v.string()),
  priced_as: v.pipe(v.string(), v.description("The catalogue model whose price was taken.")),
  variation: Variation,
  user_id: v.nullable(v.string()),
  metadata: v.record(v.string(), v.string()),
  created_at: time("When it was made."),
});

const appliedBy = (how: readonly string[], description: string) =>
  v.pipe(v.nullable(v.picklist(how)), v.description(description));

export const ImagesOutput = v.object({
  object: v.literal("images"),
  data: v.array(ImageOutput),
  requested: v.number(),
  failed: v.pipe(
    v.number(),
    v.description("Pictures that were asked for and not made: `data` has so many fewer."),
  ),
  applied: v.object({
    style: appliedBy(["prompt"], "Null: not asked for."),
    negative_prompt: appliedBy(["prompt", "parameter"], "Null: not asked for."),
    seed: appliedBy(["parameter"], "Null: the model takes none, or was given none."),
    size: appliedBy(["parameter", "fixed"], "Fixed: the model makes one size."),
    steps: appliedBy(["parameter", "fixed"], "Fixed: the model takes so many."),
  }),
  micro_neurons: microNeuronsOut("What this call cost."),
  neurons: v.number(),
  basis: v.picklist(BASES),
  request_id: v.string(),
});

export interface Links {
  /** By the picture's id. */
  readonly urls: ReadonlyMap<string, string>;
  readonly expiresAtMs: number;
}

export const toImage = (
  record: Omit<PictureRecord, "pictures">,
  picture: StoredPicture,
  { urls, expiresAtMs }: Links,
): v.InferOutput<typeof ImageOutput> => ({
  id: picture.id,
  object: "image",
  url: urls.get(picture.id) ?? "",
  url_expires_at: isoTime(expiresAtMs),
  content_type: picture.contentType,
  bytes: picture.bytes,
  width: picture.width,
  height: picture.height,
  seed: picture.seed,
  steps: record.steps,
  prompt: record.prompt,
  style: record.style,
  negative_prompt: record.negativePrompt,
  model: record.ran,
  engine: record.engine,
  priced_as: record.model,
  variation: record.variation,
  user_id: record.userId,
  metadata: { ...record.metadata },
  created_at: isoTime(record.createdAtMs),
});

export function toImages(
  record: PictureRecord,
  links: Links,
  made: { readonly item: Item; readonly model: Model; readonly requested: number },
): v.InferOutput<typeof ImagesOutput> {
  const { item, model, requested } = made;
  return {
    object: "images",
    data: record.pictures.map((picture) => toImage(record, picture, links)),
    requested,
    failed: requested - record.pictures.length,
    applied: appliedTo(model, record),
    micro_neurons: item.microNeurons,
    neurons: item.microNeurons / MICRO_PER_NEURON,
    basis: item.basis,
    request_id: record.requestId,
  };
}

const by = (...ranges: (Range | undefined)[]) =>
  ranges.every((range) => range === undefined || range.min === range.max) ? "fixed" : "parameter";

/** How each wish reached the model. */
function appliedTo(
  { picture }: Model,
  { style, negativePrompt, pictures: [first] }: PictureRecord,
): v.InferOutput<typeof ImagesOutput>["applied"] {
  return {
    style: style === null ? null : "prompt",
    negative_prompt: picture === null ? null : negativeBy(negativePrompt !== null, picture),
    seed: (first?.seed ?? null) === null ? null : "parameter",
    size: by(picture?.width, picture?.height),
    steps: by(picture?.steps),
  };
}
