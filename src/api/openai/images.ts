import * as v from "valibot";
import type { RequestFailure } from "../../domain/ledger/failure.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import type { Picture, PictureFormat } from "../../engines/picture.ts";
import { stated } from "../../http/field-errors.ts";
import { wholeNumber } from "../field.ts";
import { MAX_PICTURES, MAX_PROMPT_CHARS } from "../native/image.ts";
import { known, modelName, Neurogate, personFields, toNeurogate } from "./drop-in.ts";
import { object } from "../object-input.ts";

// OpenAI's image generations. Unknown fields are ignored, as the original does; what is known and
// cannot be had is refused, never dropped without a word.

/** What other pictures than those of the models here would need. */
export const otherPictures = {
  complexity: known,
  frame_count: known,
  frame_duration_ms: known,
  svg: known,
};

const SIZE = /^(?:auto|[1-9]\d{1,4}x[1-9]\d{1,4})$/;

export const OpenAiImagesInput = object({
  prompt: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PROMPT_CHARS)),
  model: v.nullish(modelName),
  n: v.nullish(wholeNumber(1, MAX_PICTURES, "How many pictures: 1 to 8.")),
  size: v.nullish(
    v.pipe(
      v.string(),
      v.check(stated("must be such as 1024x1024, or auto", (text: string) => SIZE.test(text))),
      v.description("`WIDTHxHEIGHT`, or `auto`: the model's own."),
    ),
  ),
  response_format: v.nullish(
    v.pipe(
      v.picklist(["url", "b64_json"]),
      v.description("`url` is the default; with `b64_json` nothing is stored."),
    ),
  ),
  quality: v.nullish(
    v.pipe(
      v.picklist(["standard", "hd", "low", "medium", "high", "auto"]),
      v.description("The steps: half of the model's own, its own, or the most it takes."),
    ),
  ),
  style: v.nullish(
    v.pipe(v.picklist(["vivid", "natural"]), v.description("Added to the prompt in words.")),
  ),
  background: v.nullish(v.picklist(["transparent", "opaque", "auto"])),
  moderation: v.nullish(v.picklist(["low", "auto"])),
  output_format: v.nullish(v.picklist(["png", "jpeg", "webp"])),
  output_compression: v.nullish(v.number()),
  partial_images: v.nullish(v.number()),
  stream: v.nullish(v.boolean()),
  ...otherPictures,
  ...personFields,
});

export type OpenAiImagesBody = v.InferOutput<typeof OpenAiImagesInput>;

/** What calls for pictures have in common, with a prompt and without. */
export type ImagesWish = Omit<OpenAiImagesBody, "prompt">;

/**
 * What no model here can do, named; null where all can be had.
 *
 * @param comes the format that the model makes, where that is known
 */
export function unsupportedIn(
  body: ImagesWish,
  comes: PictureFormat | null,
): Extract<RequestFailure, { kind: "unsupported_parameter" }> | null {
  const refused = [
    ["background", body.background === "transparent", "No model here makes one transparent."],
    [
      "output_format",
      isGiven(body.output_format) && body.output_format !== comes,
      comes === null
        ? "A picture comes as its model makes it."
        : `A picture of this model comes as ${comes}.`,
    ],
    [
      "output_compression",
      (body.output_compression ?? 100) !== 100,
      "A picture is not compressed anew.",
    ],
    ["partial_images", (body.partial_images ?? 0) > 0, "A picture comes whole."],
    ["stream", body.stream === true, "Pictures are not streamed."],
    [
      "complexity",
      isGiven(body.complexity),
      "No model here plans a picture; quality sets the steps.",
    ],
    ["frame_count", isGiven(body.frame_count), "No model here makes moving pictures."],
    ["frame_duration_ms", isGiven(body.frame_duration_ms), "No model here makes moving pictures."],
    ["svg", isGiven(body.svg), "No model here makes drawings of vectors."],
  ] as const;
  const [first] = refused.filter(([, given]) => given);
  return first === undefined
    ? null
    : { kind: "unsupported_parameter", parameter: first[0], detail: first[2] };
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Empty for the model's own. */
export function sizeOf({ size }: ImagesWish): { width?: number; height?: number } {
  const [width, height] = (size ?? "auto").split("x").map(Number);
  return width === undefined || height === undefined ? {} : { width, height };
}

const EFFORTS = {
  low: "low",
  standard: "medium",
  medium: "medium",
  auto: "medium",
  hd: "high",
  high: "high",
} as const;

export const effortOf = ({ quality }: ImagesWish) => EFFORTS[quality ?? "auto"];

const STYLE_WORDS = {
  vivid: "hyper-real and dramatic",
  natural: "natural, less hyper-real looking",
} as const;

export const wordsOf = ({ style }: ImagesWish): string | null =>
  style === null || style === undefined ? null : STYLE_WORDS[style];

const OpenAiImage = v.object({
  url: v.optional(v.string()),
  b64_json: v.optional(v.string()),
  revised_prompt: v.optional(
    v.pipe(v.string(), v.description("The prompt that the model got, if it is not the caller's.")),
  ),
});

export const OpenAiImagesOutput = v.object({
  created: v.number(),
  data: v.array(OpenAiImage),
  output_format: v.optional(v.picklist(["png", "jpeg", "webp"])),
  neurogate: v.object({
    ...Neurogate.entries,
    requested: v.number(),
    failed: v.pipe(
      v.number(),
      v.description("Pictures that were asked for and not made: `data` has so many fewer."),
    ),
    ids: v.pipe(
      v.array(v.string()),
      v.description("Under which they are stored; none with `b64_json`."),
    ),
  }),
});

export interface OpenAiImagesMade {
  readonly createdAtMs: number;
  readonly item: Item;
  readonly requestId: string;
  readonly requested: number;
  /** What was sent; null: the prompt as it was written. */
  readonly revisedPrompt: string | null;
}

type Image = v.InferOutput<typeof OpenAiImage>;

export function toOpenAiImages(
  images: readonly { readonly id: string | null; readonly image: Image }[],
  format: PictureFormat | null,
  made: OpenAiImagesMade,
): v.InferOutput<typeof OpenAiImagesOutput> {
  const { createdAtMs, item, requestId, requested, revisedPrompt } = made;
  const revised = revisedPrompt === null ? {} : { revised_prompt: revisedPrompt };
  return {
    created: Math.floor(createdAtMs / 1000),
    data: images.map(({ image }) => ({ ...image, ...revised })),
    ...(format !== null && { output_format: format }),
    neurogate: {
      ...toNeurogate(item, requestId),
      requested,
      failed: requested - images.length,
      ids: images.flatMap(({ id }) => (id === null ? [] : [id])),
    },
  };
}

/**
 * The reply with its pictures inside, as bytes. They are written into it one after the other: as text,
 * and text again, 24 MB of pictures would take an isolate's whole memory.
 */
export function imagesAsJson(
  pictures: readonly Picture[],
  made: OpenAiImagesMade,
): Uint8Array<ArrayBuffer> {
  // Unlike anything that a caller can have written.
  const place = crypto.randomUUID();
  const images = pictures.map(() => ({ id: null, image: { b64_json: place } }));
  const reply = toOpenAiImages(images, pictures[0]?.format ?? null, made);
  const [head = "", ...tails] = JSON.stringify(reply).split(place);
  const encoder = new TextEncoder();
  const texts = [head, ...tails].map((text) => encoder.encode(text));
  const size = pictures.map(({ bytes }) => 4 * Math.ceil(bytes.byteLength / 3));
  const body = new Uint8Array([...size, ...texts.map((text) => text.byteLength)].reduce(add, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    body.set(text, at);
    at += text.byteLength;
    const picture = pictures[index];
    if (picture !== undefined) {
      at += encoder.encodeInto(picture.bytes.toBase64(), body.subarray(at)).written;
    }
  }
  return body;
}

const add = (total: number, count: number): number => total + count;
