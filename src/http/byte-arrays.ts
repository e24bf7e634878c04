import { asciiAt } from "../io/byte-view.ts";
import { endOfString, MAX_STRINGS } from "./read-body.ts";

// Workers AI takes pictures and sounds as JSON arrays of numbers from 0 to 255, one for each byte, or
// as base64. Parsed as JSON, such an array takes thirty times its bytes in heap and a string twice; here
// they are read from the body and taken out before the rest is parsed.
//
// One forward scan: an array is read as far as it has bytes, and any other value is scanned once more.

export interface WithoutByteArrays {
  /** The body with an empty array or string in place of each that was taken out. */
  readonly json: Uint8Array;
  readonly arrays: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** A field that came twice, so that it is unknown which one is meant; else null. */
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

/** Digits of a byte. */
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
 * @param names the fields of the outermost object that may hold bytes; any other value stays where it is,
 *   and the schema refuses it
 * @param base64Names those of them whose long strings are read as base64
 * @param most bytes of the rest; if the rest is longer, nothing is taken out and the scan ends
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
    // Such a body is refused for its number of strings in any case.
    if (strings > MAX_STRINGS) break;
    const end = endOfString(bytes, at);
    const name = depth === 1 ? nameIn(bytes, at + 1, end, names) : null;
    at = end;
    if (name === null) continue;
    const colon = afterSpace(bytes, end + 1);
    const start = bytes[colon] === COLON ? afterSpace(bytes, colon + 1) : colon;
    const read = bytesAt(bytes, start, base64Names.includes(name));
    // Nothing is scanned twice.
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

/** The bytes of a value, and the place of its last character. */
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
 * twice, first to count: so an array takes no more memory than it needs, and other values take none.
 */
function byteArray(bytes: Uint8Array, from: number): ReadBytes | null {
  const counted = readNumbers(bytes, from, null);
  if (counted === null) return null;
  const value = new Uint8Array(counted.count);
  readNumbers(bytes, from, value);
  return { value, end: counted.end };
}

/** The count of numbers and the place of the closing bracket; null where something else comes. */
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
      // `007` is no number of JSON either.
      if (number > 255 || at - start >= MAX_DIGITS) return null;
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (at === start) return null;
    if (into !== null) into[count] = number;
    // Most encoders put no spaces, or one after the comma.
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

/** Characters that are decoded at once. */
const BASE64_PIECE = 65_536;

/** The longest beginning of a data URI that is read: `data:audio/…;base64,`. */
const MAX_PREFIX = 300;
const DATA_URI = /^data:[^,"\\]{0,280}?;base64,/i;

/** The most escapes and spaces in a piece: lines of 76 have one in 38 characters, slashes one in 64. */
const MAX_ESCAPES = BASE64_PIECE / 16;

/** Null for a short string, or one that is no base64: it is parsed with the rest. */
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
    // Neither an escape nor the four characters of three bytes are cut in two.
    const whole = !isLast && read.endsWith("\\") ? read.length - 1 : read.length;
    const text = withoutEscapes(read.slice(0, whole));
    if (text === null) return null;
    const fours = isLast ? text.length : text.length - (text.length % 4);
    const done = decodeInto(value.subarray(written), text.slice(0, fours));
    // Padding in the middle: the pieces do not fit together.
    if (done === null || (!isLast && done !== (fours / 4) * 3)) return null;
    written += done;
    rest = text.slice(fours) + read.slice(whole);
  }
  return { value: resized(value, written), end };
}

/**
 * Removes the characters that writers of JSON put into base64: escapes of slashes, line ends, spaces. Null
 * where there are more than any writer makes.
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

/** Frees the old memory at once. */
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
