import { Buffer, isUtf8 } from "node:buffer";
import type { Failure, FieldError, RequestFailure } from "../domain/ledger/failure.ts";
import { isExactNumber, parseExactly } from "../io/exact-json.ts";
import { readAtMost } from "../io/read-at-most.ts";
import { fieldsOf, type FormFields } from "./form.ts";
import { type Encoding, ENCODINGS, unpacked } from "./packed-body.ts";
import {
  announcedLength,
  type BodyGuard,
  bodyGuard,
  type Intake,
  NO_ROOM,
  throwAway,
} from "./intake.ts";
import { boundaryIn, parseMultipart, type Part } from "./multipart.ts";
import { wellFormed } from "./well-formed.ts";

// Reads a JSON body from a caller who may be hostile: its bytes are counted as they arrive, without trust
// in Content-Length, and its shape is limited before it is parsed.

/** RFC 8259 knows no charset; many clients send one all the same, in their own spelling. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*("?)(?:utf-?8|us-ascii)\1\s*)?;?$/i;

export type BodyFailure = Extract<
  RequestFailure,
  { kind: "invalid_request" | "body_too_large" | "unsupported_media_type" }
>;

/** `none`: the body is sent as it is; null: it is in an encoding that is not taken. */
function encodingOf(headers: Headers): Encoding | "none" | null {
  const named = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (named === "" || named === "identity") return "none";
  // https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.3: the same.
  const name = named === "x-gzip" ? "gzip" : named;
  return ENCODINGS.find((encoding) => encoding === name) ?? null;
}

/** In an encoding that is not taken. */
export const isEncoded = (headers: Headers): boolean => encodingOf(headers) === null;

export interface JsonBody {
  readonly kind: "json";
  /** As sent, for fingerprints. */
  readonly bytes: Uint8Array;
  readonly value: unknown;
  /** About how many values it holds: many make it costly to explain what is wrong with them. */
  readonly values: number;
  /** Names of members in the text: more than the value has if an object has one twice. */
  readonly names: number;
}

const refuse = (detail: string): BodyFailure => ({
  kind: "invalid_request",
  errors: [{ path: [], detail }],
});

function mediaTypeFailure(headers: Headers): BodyFailure | null {
  const type = headers.get("content-type")?.trim() ?? "";
  return JSON_TYPE.test(type) && !isEncoded(headers)
    ? null
    : { kind: "unsupported_media_type", expected: "application/json" };
}

/** The bytes of a body of at most `limitBytes`; no more than that is kept of a longer one. */
export async function readBytes(
  request: Request,
  limitBytes: number,
  intake: Intake,
): Promise<Uint8Array<ArrayBuffer> | Failure> {
  const bytes = await readSent(request, limitBytes, intake);
  const encoding = encodingOf(request.headers);
  if (encoding === null || encoding === "none" || !(bytes instanceof Uint8Array)) return bytes;
  return unpacked(bytes, { encoding, limitBytes }, intake);
}

/** As they were sent. */
async function readSent(
  request: Request,
  limitBytes: number,
  intake: Intake,
): Promise<Uint8Array<ArrayBuffer> | Failure> {
  const tooLarge = { kind: "body_too_large", limitBytes } as const;
  const length = announcedLength(request);
  if (length > limitBytes) return throwAway(request, limitBytes, { intake, because: tooLarge });
  const guard = bodyGuard(intake, length);
  if (!(await guard.mayBegin())) return refused(request, limitBytes, { intake, guard });
  if (request.body === null) return new Uint8Array();
  try {
    // Memory is reserved only for bytes that arrived, not for the announced length. But HTTP ends a body
    // at that length, so there is no need to wait for the end of the stream too.
    const reading = { endsAt: length, signal: guard.signal };
    const bytes = await readAtMost(request.body, limitBytes, reading, guard.mayTake);
    if (bytes === null) {
      if (guard.refusal === null) return tooLarge;
      return await refused(request, limitBytes, { intake, guard });
    }
    intake.claim.ended(bytes.byteLength);
    return bytes;
  } catch {
    // Only the sender can make its own stream fail, by leaving.
    return guard.refusal ?? refuse("must be sent completely");
  } finally {
    guard.stop();
  }
}

/** A body that its guard has given up. */
const refused = (
  request: Request,
  limitBytes: number,
  { intake, guard }: { readonly intake: Intake; readonly guard: BodyGuard },
): Promise<Failure> =>
  throwAway(request, limitBytes, { intake, because: guard.refusal ?? NO_ROOM });

const BOM = [0xef, 0xbb, 0xbf];

/**
 * The text of valid UTF-8, without its byte order mark; null for other bytes. `TextDecoder` would take
 * five times the bytes' memory where a letter is not ASCII: 10 MB of Chinese alone would fill an isolate.
 */
function decode(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  const start = BOM.every((byte, at) => bytes[at] === byte) ? BOM.length : 0;
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset + start, byteLength - start).toString("utf8");
}

function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: parseExactly(text) };
  } catch {
    return null;
  }
}

/** An escape of half a surrogate pair. It matches whole pairs too, which only costs another pass. */
const HALF_PAIR = /\\u[dD][89a-fA-F]/;

export function parseJson(bytes: Uint8Array): JsonBody | BodyFailure {
  const { depth, values, names } = jsonShape(bytes);
  if (depth > MAX_DEPTH) return refuse(`must not nest deeper than ${MAX_DEPTH} levels`);
  if (values > MAX_VALUES) return refuse(`must not hold more than ${MAX_VALUES} values`);
  const text = decode(bytes);
  if (text === null) return refuse("must be valid UTF-8");
  const parsed = parse(text);
  if (parsed === null) return refuse("must be JSON");
  // The search through every object is skipped where no spelling of the key can be in the text.
  const suspicious = text.includes("__proto__") || text.includes("\\u00");
  if (suspicious && hasProtoKey(parsed.value)) return refuse("must not have a key __proto__");
  const value = HALF_PAIR.test(text) ? wellFormed(parsed.value) : parsed.value;
  return { kind: "json", bytes, value, values, names };
}

export async function readJson(
  request: Request,
  limitBytes: number,
  intake: Intake,
): Promise<JsonBody | Failure> {
  const because = mediaTypeFailure(request.headers);
  if (because !== null) return throwAway(request, limitBytes, { intake, because });
  const bytes = await readBytes(request, limitBytes, intake);
  return bytes instanceof Uint8Array ? parseJson(bytes) : bytes;
}

export interface FormBody {
  readonly kind: "form";
  readonly parts: readonly Part[];
  readonly fields: FormFields;
}

export async function readForm(
  request: Request,
  limitBytes: number,
  intake: Intake,
  lists: readonly string[] = [],
): Promise<FormBody | Failure> {
  const boundary = boundaryIn(request.headers.get("content-type") ?? "");
  if (boundary === undefined || isEncoded(request.headers)) {
    const because = { kind: "unsupported_media_type", expected: "multipart/form-data" } as const;
    return throwAway(request, limitBytes, { intake, because });
  }
  if (boundary === null) {
    const because = refuse("must name its boundary in Content-Type");
    return throwAway(request, limitBytes, { intake, because });
  }
  const bytes = await readBytes(request, limitBytes, intake);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const form = parseMultipart(bytes, boundary);
  if (form.kind !== "form") return form;
  const fields = fieldsOf(form.parts, lists);
  return isFieldError(fields) ? { kind: "invalid_request", errors: [fields] } : { ...form, fields };
}

const isFieldError = (fields: FormFields | FieldError): fields is FieldError =>
  Array.isArray(fields["path"]);

// A scan of JSON bytes before they are parsed: how deep they nest and how many values they hold. An
// isolate has 128 MB, and 10 MB of `[],[],[]…` would take most of that. It checks nothing else: bytes that
// are not JSON fail to parse afterwards.

/** Far deeper than any valid body. */
export const MAX_DEPTH = 32;
/** A batch of 1,000 items has some tens of thousands. */
export const MAX_VALUES = 200_000;

/** A value has one name at most, and may be a string itself: more strings mean too many values. */
export const MAX_STRINGS = 2 * MAX_VALUES;

export interface JsonShape {
  readonly depth: number;
  readonly values: number;
  /** Names of members: each is followed by a colon. */
  readonly names: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** In a string with more escaped quotes than this, a loop is faster than calls. */
const FEW_ESCAPED = 16;

/** The closing quote of the string that opens at `start`. Long strings are skipped natively. */
export function endOfString(bytes: Uint8Array, start: number): number {
  let end = bytes.indexOf(QUOTE, start + 1);
  for (let escaped = 0; end !== -1; escaped += 1) {
    let backslashes = 0;
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    if (escaped === FEW_ESCAPED) return endByByte(bytes, end + 1);
    end = bytes.indexOf(QUOTE, end + 1);
  }
  return bytes.length;
}

function endByByte(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, bytes.length);
}

/** Stops counting when either limit is passed. */
export function jsonShape(bytes: Uint8Array): JsonShape {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let strings = 0;
  let names = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      strings++;
      if (strings > MAX_STRINGS) return { depth: deepest, values: MAX_VALUES + 1, names };
    } else if (byte === COMMA) {
      values++;
    } else if (byte === COLON) {
      names++;
    } else if (byte === 0x5b || byte === 0x7b) {
      values++;
      depth++;
      deepest = Math.max(deepest, depth);
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
    }
    if (deepest > MAX_DEPTH || values > MAX_VALUES) break;
  }
  return { depth: deepest, values, names };
}

/** Names of members in a parsed value. It recurses as `hasProtoKey` does. */
export function countNames(value: unknown): number {
  if (typeof value !== "object" || value === null || isExactNumber(value)) return 0;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let names = Array.isArray(value) ? 0 : members.length;
  for (const member of members) names += countNames(member);
  return names;
}

/**
 * Whether any object in a parsed value has an own key `__proto__`, which a later copy may follow. It
 * recurses once a level: the value nests no deeper than `MAX_DEPTH`.
 */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey);
}
