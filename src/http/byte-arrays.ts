import { asciiAt } from "../io/byte-view.ts";
import { endOfString, MAX_STRINGS } from "./json-shape.ts";

// Workers AI takes pictures and sounds as JSON arrays of numbers from 0 to 255, one for each byte, or
// as base64. Parsed as JSON, such an array costs thirty times its bytes in heap and a string twice;
// here they are read from the body and taken out before the rest is parsed.
//
// One forward scan: an array is read as far as it is one, and what is none is walked over once more.

export interface WithoutByteArrays {
  /** The body with an empty array or string in the place of each that was taken out. */
  readonly json: Uint8Array;
  readonly arrays: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** A field that came a second time, so that it is not known which one is meant; else null. */
  readonly repeated: string | null;
}

interface ByteArrayOptions {
  readonly base64Names?: readonly string[];
  readonly most?: number;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Of a byte. */
const MAX_DIGITS = 3;

/** Shorter strings are parsed with the rest: their copies are small. */
const LEAST_BASE64_BYTES = 65_536;

const isSpace = (byte: number | undefined): boolean =>
  byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/**
 * @param names the fields of the outermost object that may hold bytes; what is not an array of bytes
 *   is left where it is, for the schema to say so
 * @param base64Names those of them whose long strings are read as base64
 * @param most bytes of what is left; where it is more, nothing is taken out, and no more is read
 */
export function takeByteArrays(
  bytes: Uint8Array,
  names: readonly string[],
  { base64Names = [], most = Infinity }: ByteArrayOptions = {},
): WithoutByteArrays {
  const arrays = new Map<string, Uint8Array<ArrayBuffer>>();
  const kept: Uint8Array[] = [];
  let keptTo = 0;
  let keptBytes = 0;
  let depth = 0;
  let strings = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (keptBytes + at - keptTo > most) return { json: bytes, arrays: new Map(), repeated: null };
    const byte = bytes[at];
    if (byte === 0x7b || byte === OPEN) depth += 1;
    else if (byte === 0x7d || byte === CLOSE) depth -= 1;
    if (byte !== QUOTE) continue;
    strings += 1;
    // Such a body is refused for its strings, whatever else it holds.
    if (strings > MAX_STRINGS) break;
    const end = endOfString(bytes, at);
    const name = depth === 1 ? nameIn(bytes, at + 1, end, names) : null;
    at = end;
    if (name === null) continue;
    const colon = afterSpace(bytes, end + 1);
    const start = bytes[colon] === COLON ? afterSpace(bytes, colon + 1) : colon;
    const read = bytesAt(bytes, start, base64Names.includes(name));
    // What was walked over is not walked over again.
    at = Math.max(at, start - 1);
    if (read === null) continue;
    if (arrays.has(name)) return { json: bytes, arrays, repeated: name };
    arrays.set(name, read.value);
    kept.push(bytes.subarray(keptTo, start + 1));
    keptBytes += start + 1 - keptTo;
    keptTo = read.end;
    at = read.end; // the closing bracket or quote, whose opening one was not counted
  }
  kept.push(bytes.subarray(keptTo));
  return { json: arrays.size === 0 ? bytes : joined(kept), arrays, repeated: null };
}

function nameIn(
  bytes: Uint8Array,
  from: number,
  to: number,
  names: readonly string[],
): string | null {
  for (const name of names) {
    if (name.length === to - from && asciiAt(bytes, from, name)) return name;
  }
  return null;
}

/** What a value holds, and where its last character stands. */
interface ReadBytes {
  readonly value: Uint8Array<ArrayBuffer>;
  readonly end: number;
}

function bytesAt(bytes: Uint8Array, start: number, isBase64: boolean): ReadBytes | null {
  if (bytes[start] === OPEN) return byteArray(bytes, start + 1);
  return isBase64 && bytes[start] === QUOTE ? base64(bytes, start) : null;
}

/**
 * Numbers from 0 to 255 between commas, up to the closing bracket; null for anything else. It is read
 * twice, first to count: what is no array takes no memory, and what is one no more than it needs.
 */
function byteArray(bytes: Uint8Array, from: number): ReadBytes | null {
  const counted = readNumbers(bytes, from, null);
  if (counted === null) return null;
  const value = new Uint8Array(counted.count);
  readNumbers(bytes, from, value);
  return { value, end: counted.end };
}

/** How many there are, and where the closing bracket stands; null where something else does. */
function readNumbers(
  bytes: Uint8Array,
  from: number,
  into: Uint8Array | null,
): { readonly count: number; readonly end: number } | null {
  let at = afterSpace(bytes, from);
  for (let count = 0; ; count += 1) {
    let number = 0;
    const start = at;
    let byte = bytes[at] ?? 0;
    while (byte >= ZERO && byte <= NINE) {
      number = number * 10 + byte - ZERO;
      // Nor is `007` a number of JSON.
      if (number > 255 || at - start >= MAX_DIGITS) return null;
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (at === start) return null;
    if (into !== null) into[count] = number;
    // Most encoders put no spaces, or one behind the comma.
    if (byte !== COMMA && byte !== CLOSE) {
      at = afterSpace(bytes, at);
      byte = bytes[at] ?? 0;
    }
    if (byte === CLOSE) return { count: count + 1, end: at };
    if (byte !== COMMA) return null;
    at += 1;
    if ((bytes[at] ?? 0) <= SPACE) at = afterSpace(bytes, at);
  }
}

/** Characters that are read at once. */
const BASE64_PIECE = 65_536;

/** The longest beginning of a data URI that is looked at: `data:audio/…;base64,`. */
const MAX_PREFIX = 300;
const DATA_URI = /^data:[^,"\\]{0,280}?;base64,/i;

/** Escapes and spaces in a piece at most: lines of 76 have one in 38 characters, slashes one in 64. */
const MAX_ESCAPES = BASE64_PIECE / 16;

/** Null for what is short, or no base64: it is parsed with the rest. */
function base64(bytes: Uint8Array, quote: number): ReadBytes | null {
  const end = endOfString(bytes, quote);
  const from = quote + 1;
  if (end - from < LEAST_BASE64_BYTES || end >= bytes.length) return null;
  const prefix = DATA_URI.exec(latin1(bytes, from, Math.min(end, from + MAX_PREFIX)))?.[0] ?? "";
  const value = new Uint8Array(Math.ceil(((end - from) * 3) / 4));
  let written = 0;
  let rest = "";
  for (let at = from + prefix.length; at < end; at += BASE64_PIECE) {
    const isLast = at + BASE64_PIECE >= end;
    const read = rest + latin1(bytes, at, Math.min(end, at + BASE64_PIECE));
    // An escape is not cut in two, and neither are the four characters of three bytes.
    const whole = !isLast && read.endsWith("\\") ? read.length - 1 : read.length;
    const text = withoutEscapes(read.slice(0, whole));
    if (text === null) return null;
    const fours = isLast ? text.length : text.length - (text.length % 4);
    const done = decodeInto(value.subarray(written), text.slice(0, fours));
    // Padding in the middle: the pieces would not fit together.
    if (done === null || (!isLast && done !== (fours / 4) * 3)) return null;
    written += done;
    rest = text.slice(fours) + read.slice(whole);
  }
  return { value: resized(value, written), end };
}

/**
 * What writers of JSON put into base64, taken out: escapes of slashes, line ends, spaces. Null where
 * there are more than any of them writes.
 */
function withoutEscapes(text: string): string | null {
  let escapes = 0;
  for (const mark of ["\\", " "]) {
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) {
      escapes += 1;
      if (escapes > MAX_ESCAPES) return null;
    }
  }
  if (escapes === 0) return text;
  return text
    .replaceAll("\\/", "/")
    .replaceAll("\\n", "")
    .replaceAll("\\r", "")
    .replaceAll(" ", "");
}

/** The memory that it leaves is free at once. */
const resized = (value: Uint8Array<ArrayBuffer>, capacity: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(value.buffer.transfer(capacity));

/** Bytes written; null: it is no base64. */
function decodeInto(target: Uint8Array, text: string): number | null {
  try {
    return target.setFromBase64(text).written;
  } catch {
    return null;
  }
}

const LATIN1 = new TextDecoder("latin1");

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  LATIN1.decode(bytes.subarray(from, to));

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
