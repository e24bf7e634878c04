import { field } from "./engine-call.ts";
import { type Picture, readPicture } from "./picture.ts";

// Reads a picture from an engine's reply: bytes, or base64 in JSON. Only its bytes say what it is.

/** Base64 takes four characters for three bytes; the JSON around it is small. */
export const maxReplyBytes = (maxBytes: number): number => Math.ceil(maxBytes / 3) * 4 + 65_536;

const DATA_URI = /^data:[\w/+.-]{1,50};base64,/;

/** Null for anything but a PNG, JPEG or WebP of at most `maxBytes`. */
export function pictureIn(value: unknown, maxBytes: number): Picture | null {
  const bytes = value instanceof Uint8Array ? value : fromBase64(value, maxBytes);
  if (bytes === null) return null;
  const picture = readPicture(bytes, maxBytes);
  return "bytes" in picture ? picture : null;
}

function fromBase64(value: unknown, maxBytes: number): Uint8Array | null {
  if (typeof value !== "string" || value.length > maxReplyBytes(maxBytes)) return null;
  try {
    return Uint8Array.fromBase64(value.slice(DATA_URI.exec(value)?.[0].length ?? 0));
  } catch {
    return null;
  }
}

/** `{ image }` of Workers AI, or its bytes alone. */
export const imageOf = (value: unknown): unknown =>
  value instanceof Uint8Array ? value : field(value, "image");
