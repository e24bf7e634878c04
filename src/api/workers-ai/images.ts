import * as v from "valibot";
import { MAX_SEED } from "../../domain/generation/picture-traits.ts";
import type { Picture } from "../../engines/picture.ts";
import { wholeNumber } from "../field.ts";
import { image, readImage, type ReadPicture } from "../picture-input.ts";
import { parseInputs, type RunBody, type RunFailure } from "./envelope.ts";
import { object } from "../object-input.ts";

// Text to image in the Workers AI drop-in. The catalogue says which fields a model has, and their bounds:
// here are their types, and the bounds that hold for every model.

const count = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)));
const amount = v.optional(v.pipe(v.number(), v.finite()));
const words = v.pipe(v.string(), v.maxLength(16_384));

export const ImageInput = object({
  prompt: v.pipe(words, v.minLength(1)),
  negative_prompt: v.optional(words),
  width: count,
  height: count,
  num_steps: count,
  steps: count,
  seed: v.optional(wholeNumber(0, MAX_SEED, "Every model that takes a seed can hold it.")),
  guidance: amount,
  strength: amount,
  image: v.optional(image),
  image_b64: v.optional(v.string()),
  mask: v.optional(v.unknown()),
});

export interface ImageRun {
  readonly kind: "task";
  readonly prompt: string;
  readonly negativePrompt: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly steps: number | undefined;
  /** As the caller called them. */
  readonly stepsName: "num_steps" | "steps";
  readonly seed: number | undefined;
  readonly guidance: number | undefined;
  readonly strength: number | undefined;
  readonly inputs: readonly Picture[];
}

export function readImageOrder(body: RunBody): ImageRun | RunFailure {
  const parsed = parseInputs(ImageInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const {
    negative_prompt,
    num_steps,
    steps,
    image: given,
    image_b64,
    mask,
    ...rest
  } = parsed.inputs;
  if (mask !== undefined) {
    const detail = "mask: no model here fills a part of a picture.";
    return { kind: "unsupported_parameter", parameter: "mask", detail };
  }
  const source = given ?? image_b64;
  const read: ReadPicture | null = source === undefined ? null : readImage(source);
  if (read !== null && read.kind !== "picture") return read;
  return {
    kind: "task",
    prompt: rest.prompt,
    negativePrompt: negative_prompt,
    width: rest.width,
    height: rest.height,
    steps: num_steps ?? steps,
    stepsName: num_steps === undefined ? "steps" : "num_steps",
    seed: rest.seed,
    guidance: rest.guidance,
    strength: rest.strength,
    inputs: read === null ? [] : [read.picture],
  };
}

/**
 * Whether the model answers `{ image }` in base64, where the others answer with the picture itself.
 * Source: the outputs in @cloudflare/workers-types.
 */
export const answersInJson = (model: string): boolean => /\/(?:flux-|lucid-origin)/.test(model);
