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
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

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
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      strings++;
      if (strings > MAX_STRINGS) return { depth: deepest, values: MAX_VALUES + 1 };
    } else if (byte === COMMA) {
      values++;
    } else if (byte === 0x5b || byte === 0x7b) {
      values++;
      depth++;
      deepest = Math.max(deepest, depth);
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
    }
    if (deepest > MAX_DEPTH || values > MAX_VALUES) break;
  }
  return { depth: deepest, values };
}

/**
 * Whether any object in a parsed value has an own key `__proto__`, which a later copy may follow. It
 * recurses once a level: the value nests no deeper than `MAX_DEPTH`.
 */
export function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasProtoKey);
}
