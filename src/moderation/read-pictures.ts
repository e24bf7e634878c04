import { base64OfUri, bytesOfBase64, isDataUri } from "../domain/text/base64.ts";
import type { FieldError } from "../domain/ledger/failure.ts";
import {
  MAX_PICTURE_BYTES,
  MAX_PICTURE_PIXELS,
  type Picture,
  readPicture,
} from "../engines/picture.ts";
import type { PictureSource } from "./content.ts";
import { checkPublicUrl } from "../io/public-url.ts";

// Reads pictures in requests: a wrong one is refused before anything is admitted.

export type ReadSource =
  | { readonly kind: "read"; readonly source: PictureSource }
  | { readonly kind: "wrong"; readonly error: FieldError };

const REFUSED = {
  not_a_picture: "must be a PNG, JPEG or WebP picture",
  too_large: `must be at most ${MAX_PICTURE_BYTES / 1_048_576} MB`,
  too_many_pixels: `must have at most ${MAX_PICTURE_PIXELS / 1_000_000} megapixels`,
  malformed: "is a damaged picture: its header cannot be read",
} as const;

export function readBase64Picture(base64: string, path: FieldError["path"]): ReadSource {
  const bytes = bytesOfBase64(base64);
  if (bytes === null)
    return { kind: "wrong", error: { path, detail: "must be base64, without a data: prefix" } };
  const picture: Picture | { kind: keyof typeof REFUSED } = readPicture(bytes);
  if ("kind" in picture) return { kind: "wrong", error: { path, detail: REFUSED[picture.kind] } };
  return { kind: "read", source: { kind: "picture", picture } };
}

export function readPictureUrl(text: string, path: FieldError["path"]): ReadSource {
  const checked = checkPublicUrl(text);
  return checked.kind === "allowed"
    ? { kind: "read", source: { kind: "url", url: checked.url } }
    : { kind: "wrong", error: { path, detail: checked.detail } };
}

/** OpenAI's form: an https URL, or the picture itself as a data URI. */
export function readImageUrl(text: string, path: FieldError["path"]): ReadSource {
  const base64 = base64OfUri(text);
  if (base64 !== null) return readBase64Picture(base64, path);
  if (isDataUri(text))
    return { kind: "wrong", error: { path, detail: "must be a data URI in base64" } };
  return readPictureUrl(text, path);
}
