import { endOfString } from "./json-shape.ts";

// Workers AI takes pictures and sounds as JSON arrays of numbers from 0 to 255, one for each byte.
// Parsed as JSON, such an array costs thirty times its bytes in heap; here it is read digit by digit
// and taken out before the rest is parsed.

export interface WithoutByteArrays {
  /** The body with an empty array in the place of each that was taken out. */
  readonly json: Uint8Array;
  readonly arrays: ReadonlyMap<string, Uint8Array>;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/**
 * @param names the fields of the outermost object that may hold bytes; what is not an array of bytes
 *   is left where it is, for the schema to say so
 */
export function takeByteArrays(bytes: Uint8Array, names: readonly string[]): WithoutByteArrays {
  const arrays = new Map<string, Uint8Array>();
  const kept: Uint8Array[] = [];
  let keptTo = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x7b || byte === OPEN) depth += 1;
    else if (byte === 0x7d || byte === CLOSE) depth -= 1;
    if (byte !== QUOTE) continue;
    const end = endOfString(bytes, at);
    const name = depth === 1 ? nameIn(bytes, at + 1, end, names) : null;
    at = end;
    if (name === null) continue;
    const colon = afterSpace(bytes, end + 1);
    const start = afterSpace(bytes, colon + 1);
    if (bytes[colon] !== COLON || bytes[start] !== OPEN) continue;
    const read = byteArray(bytes, start + 1);
    if (read === null) continue;
    arrays.set(name, read.value);
    kept.push(bytes.subarray(keptTo, start + 1));
    keptTo = read.end;
    at = read.end; // the closing bracket, whose opening one was not counted
  }
  kept.push(bytes.subarray(keptTo));
  return { json: arrays.size === 0 ? bytes : joined(kept), arrays };
}

/** Long strings are not decoded: no name is as long. */
function nameIn(
  bytes: Uint8Array,
  from: number,
  to: number,
  names: readonly string[],
): string | null {
  const found = names.find((name) => name.length === to - from);
  if (found === undefined) return null;
  const text = String.fromCharCode(...bytes.subarray(from, to));
  return names.includes(text) ? text : null;
}

/** Numbers from 0 to 255 between commas, up to the closing bracket; null for anything else. */
function byteArray(bytes: Uint8Array, from: number): { value: Uint8Array; end: number } | null {
  // Filled below; every number takes two bytes of JSON at least, but the last.
  const close = bytes.indexOf(CLOSE, from);
  if (close === -1) return null;
  const value = new Uint8Array(Math.ceil((close - from + 1) / 2));
  let count = 0;
  let at = afterSpace(bytes, from);
  for (;;) {
    let number = 0;
    const start = at;
    for (let digit = (bytes[at] ?? 0) - ZERO; digit >= 0 && digit <= 9;) {
      number = number * 10 + digit;
      if (number > 255) return null;
      at += 1;
      digit = (bytes[at] ?? 0) - ZERO;
    }
    if (at === start) return null;
    value[count] = number;
    count += 1;
    at = afterSpace(bytes, at);
    if (at === close) return { value: value.subarray(0, count), end: close };
    if (bytes[at] !== COMMA) return null;
    at = afterSpace(bytes, at + 1);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
