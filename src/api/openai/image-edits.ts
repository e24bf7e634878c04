import * as v from "valibot";
import type { InvalidRequest } from "../../http/field-errors.ts";
import { upload, type Upload } from "../../http/upload.ts";
import { MAX_PICTURE_BYTES, type Picture, readPicture } from "../../engines/picture.ts";
import { mendedForm } from "../drop-in-body.ts";
import { refusedPicture } from "../picture-input.ts";
import { known, modelName, personFields } from "./drop-in.ts";
import { OpenAiImagesInput, otherPictures } from "./images.ts";
import { object } from "../object-input.ts";

// OpenAI's forms for pictures that are made from pictures. A form has only texts: numbers and booleans
// are read from them first, and then the fields are those of a generation.

/** OpenAI's limit is 16; no model of the catalogue starts from more than four. */
const MAX_INPUTS = 4;

/** All pictures of a call: each inference sends them again, and up to eight run at once. */
const MAX_INPUT_BYTES = MAX_PICTURE_BYTES;

/** The pictures, and the fields beside them. */
export const MAX_EDIT_BYTES = MAX_INPUT_BYTES + 128 * 1024;

const picture = upload(MAX_INPUT_BYTES, "PNG, JPEG or WebP; all pictures together at most 4 MB.");

const { prompt, n, size, quality, response_format, background, moderation, ...others } =
  OpenAiImagesInput.entries;
const { output_format, output_compression, partial_images, stream } = others;

/** The fields of both forms. */
const shared = {
  model: v.nullish(
    v.pipe(
      modelName,
      v.description(
        "A model that starts from pictures, or an alias; absent: one that takes these.",
      ),
    ),
  ),
  n,
  size,
  response_format,
  ...personFields,
};

export const ImageEditInput = object({
  ...shared,
  image: v.pipe(
    v.array(picture),
    v.minLength(1),
    v.maxLength(MAX_INPUTS),
    v.description("The pictures to start from: `image` or `image[]`, once for each."),
  ),
  prompt,
  quality,
  background,
  moderation,
  output_format,
  output_compression,
  partial_images,
  stream,
  ...otherPictures,
  markup: v.pipe(known, v.description("Refused: no model here reads marks on a picture.")),
  mask: v.pipe(known, v.description("Refused: no model here changes only a part of a picture.")),
  input_fidelity: v.nullish(
    v.pipe(
      v.picklist(["low", "high"]),
      v.description("`high` is refused: no model here has a setting for it."),
    ),
  ),
});

export type ImageEditBody = v.InferOutput<typeof ImageEditInput>;

export const ImageVariationInput = object({ ...shared, image: picture });

/** The fields of a form that are no texts. */
const NUMBERS: readonly string[] = ["n", "output_compression", "partial_images"];

/** Empty fields are absent; a text that is no number or boolean stays, and its schema refuses it. */
export function mendedEdit(sent: unknown): unknown {
  const given = mendedForm(sent);
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]: [string, unknown]) => [name, valueOf(name, value)]),
  );
}

function valueOf(name: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (NUMBERS.includes(name) && /^\d{1,9}$/.test(value)) return Number(value);
  if (name === "stream" && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
  return value;
}

/** The pictures of a form, or what is wrong with the first that is none. */
export function picturesOf(
  files: readonly Upload[],
): { readonly kind: "pictures"; readonly pictures: readonly Picture[] } | InvalidRequest {
  const pictures: Picture[] = [];
  for (const [at, { bytes }] of files.entries()) {
    const read = readPicture(bytes);
    if ("kind" in read) return refusedPicture(read, files.length === 1 ? ["image"] : ["image", at]);
    pictures.push(read);
  }
  return { kind: "pictures", pictures };
}

const unable = (parameter: string, detail: string) =>
  ({ kind: "unsupported_parameter", parameter, detail }) as const;

/** What no model here can do with a picture, named; null where all can be had. */
export function unsupportedEdit({ mask, markup, input_fidelity: fidelity }: ImageEditBody) {
  if (markup !== undefined && markup !== null) {
    return unable("markup", "No model here reads marks on a picture: say it in the prompt.");
  }
  if (mask !== undefined && mask !== null) {
    return unable("mask", "No model here changes only a part of a picture: leave the mask out.");
  }
  return fidelity === "high"
    ? unable("input_fidelity", "No model here has a setting for it: leave it out.")
    : null;
}
