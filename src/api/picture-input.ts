import * as v from "valibot";
import { bytesOfText } from "../domain/text/base64.ts";
import {
  MAX_PICTURE_BYTES,
  MAX_PICTURE_PIXELS,
  type Picture,
  type PictureRefusal,
  readPicture,
} from "../engines/picture.ts";
import { invalid, type InvalidRequest } from "../http/field-errors.ts";
import { type RunFailure, wrong } from "./workers-ai/envelope.ts";

// A picture as the drop-ins take it, and what is wrong with one.

const REFUSED: Readonly<Record<PictureRefusal["kind"], string>> = {
  not_a_picture: "must be a PNG, JPEG or WebP picture",
  too_large: `must be at most ${MAX_PICTURE_BYTES / 1_048_576} MB`,
  too_many_pixels: `must have at most ${MAX_PICTURE_PIXELS / 1_000_000} megapixels`,
  malformed: "is a damaged picture: its header cannot be read",
};

export const BYTES = "must be an array of bytes, or base64";

export type ReadPicture = { readonly kind: "picture"; readonly picture: Picture } | RunFailure;

export const refusedPicture = (
  { kind }: PictureRefusal,
  path: readonly (string | number)[],
): InvalidRequest => invalid(path, REFUSED[kind]);

export function pictureIn(bytes: Uint8Array, path: readonly string[]): ReadPicture {
  const picture: Picture | PictureRefusal = readPicture(bytes);
  return "kind" in picture ? refusedPicture(picture, path) : { kind: "picture", picture };
}

export function base64Picture(text: string): ReadPicture {
  const bytes = bytesOfText(text);
  return bytes === null ? wrong(["image"], BYTES) : pictureIn(bytes, ["image"]);
}

/** In JSON: bytes that were numbers, or base64. */
export const image = v.union([v.instance(Uint8Array), v.string()]);

export const readImage = (value: v.InferOutput<typeof image>): ReadPicture =>
  typeof value === "string" ? base64Picture(value) : pictureIn(value, ["image"]);

/** What may be written at most. */
export const tokens = (max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
