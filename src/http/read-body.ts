import type { RequestFailure } from "../domain/failure.ts";
import { readAtMost } from "../io/read-at-most.ts";
import { MAX_DEPTH, MAX_VALUES, hasProtoKey, jsonShape } from "./json-shape.ts";

// A JSON body from somebody who may mean harm: its bytes are counted as they arrive, whatever
// Content-Length says, and its shape is bounded before it is parsed.

/** RFC 8259 knows no charset; many clients send `utf-8` all the same. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*(?:utf-8|"utf-8")\s*)?;?$/i;

export type BodyFailure = Extract<
  RequestFailure,
  { kind: "invalid_request" | "body_too_large" | "unsupported_media_type" }
>;

export interface JsonBody {
  readonly kind: "json";
  /** As sent, for fingerprints. */
  readonly bytes: Uint8Array;
  readonly value: unknown;
  /** About how many values it holds: many make it costly to explain what is wrong with them. */
  readonly values: number;
}

const refuse = (detail: string): BodyFailure => ({
  kind: "invalid_request",
  errors: [{ path: [], detail }],
});

/** Compressed or the like: what is inside could be of any size. */
export const isEncoded = (headers: Headers): boolean =>
  (headers.get("content-encoding")?.trim().toLowerCase() ?? "identity") !== "identity";

function mediaTypeFailure(headers: Headers): BodyFailure | null {
  const type = headers.get("content-type")?.trim() ?? "";
  return JSON_TYPE.test(type) && !isEncoded(headers)
    ? null
    : { kind: "unsupported_media_type", expected: "application/json" };
}

/** The bytes of a body of at most `limitBytes`; of a longer one no more than that is read. */
export async function readBytes(
  request: Request,
  limitBytes: number,
): Promise<Uint8Array | BodyFailure> {
  const tooLarge = { kind: "body_too_large", limitBytes } as const;
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) return tooLarge;
  if (request.body === null) return new Uint8Array();
  try {
    // The announced length is not passed on: memory is given for bytes that came.
    return (await readAtMost(request.body, limitBytes)) ?? tooLarge;
  } catch {
    // Only the sender can make its own stream fail, by going away.
    return refuse("must be sent to its end");
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return null;
  }
}

function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

export function parseJson(bytes: Uint8Array): JsonBody | BodyFailure {
  const { depth, values } = jsonShape(bytes);
  if (depth > MAX_DEPTH) return refuse(`must not nest deeper than ${MAX_DEPTH} levels`);
  if (values > MAX_VALUES) return refuse(`must not hold more than ${MAX_VALUES} values`);
  const text = decode(bytes);
  if (text === null) return refuse("must be valid UTF-8");
  const parsed = parse(text);
  if (parsed === null) return refuse("must be JSON");
  // Looking through every object is left out where no spelling of the key can be in the text.
  const suspicious = text.includes("__proto__") || text.includes("\\u00");
  if (suspicious && hasProtoKey(parsed.value)) return refuse("must not have a key __proto__");
  return { kind: "json", bytes, value: parsed.value, values };
}

export async function readJson(
  request: Request,
  limitBytes: number,
): Promise<JsonBody | BodyFailure> {
  const mediaType = mediaTypeFailure(request.headers);
  if (mediaType !== null) return mediaType;
  const bytes = await readBytes(request, limitBytes);
  return bytes instanceof Uint8Array ? parseJson(bytes) : bytes;
}
