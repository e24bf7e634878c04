import { endOfString } from "../text/json-text.ts";
import { tokensAtMost } from "./token-bound.ts";

// How many tokens a value has at most as JSON: on one line or on several, and in the forms of Jinja and
// Python, which may write ASCII only (`\u00e9` for one letter) and escape the signs of HTML.
//
// It is added up in one pass over the JSON on one line. The form on several lines is never written:
// indented by its depth, 200 KB of brackets become gigabytes. Depth is a number here and no recursion, so
// any JSON of a caller can be read.

/** Spaces by which templates that write JSON on several lines indent a level: Llama 3.1 and 3.2. */
const INDENT = 4;

/** `\u00e9` is six bytes in place of one unit. */
const ESCAPE_BYTES = 5;

/** The longest number that is written out of a shorter one: `1e20`. */
const NUMBER_CHARS = 25;

/** For a value that nests no deeper than a body may. */
export function jsonTokens(value: unknown): number {
  const json = JSON.stringify(value);
  return textTokens(json) + (addedByLines(json, 0) ?? 0);
}

/**
 * The same for a value as the text that its writer sent, which may or may not be JSON.
 *
 * @param depth how many values it is nested in
 * @returns null where its brackets or quotes have no partners, so that it is no JSON
 */
export function jsonTextTokens(text: string, depth: number): number | null {
  const added = addedByLines(text, depth);
  return added === null ? null : Math.max(0, textTokens(unescaped(text)) + added);
}

function textTokens(json: string): number {
  let escaped = 0;
  for (let at = 0; at < json.length; at += 1) if (isEscaped(json.charCodeAt(at))) escaped += 1;
  return Math.max(tokensAtMost(json), json.length + ESCAPE_BYTES * escaped);
}

/** All characters outside ASCII, and `<`, `>`, `&`, `'`. */
const isEscaped = (unit: number): boolean =>
  unit >= 0x7f || unit === 0x3c || unit === 0x3e || unit === 0x26 || unit === 0x27;

const QUOTE = 0x22;

const isSpace = (unit: number): boolean => unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
const isOpen = (unit: number): boolean => unit === 0x5b || unit === 0x7b;
const isClose = (unit: number): boolean => unit === 0x5d || unit === 0x7d;
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;
const isExponent = (unit: number): boolean => unit === 0x45 || unit === 0x65;

/**
 * How many characters the form on several lines has more than this text: line ends, indents, a space
 * after each colon; less the white space of the text. Null: brackets or quotes do not match.
 */
function addedByLines(json: string, outside: number): number | null {
  let depth = outside;
  let added = 0;
  /** The last character that is no space. */
  let before = 0;
  const line = (): number => 1 + INDENT * depth;
  for (let at = 0; at < json.length; at += 1) {
    const unit = json.charCodeAt(at);
    if (isSpace(unit)) {
      added -= 1;
      continue;
    }
    if (isClose(unit)) {
      depth -= 1;
      if (depth < outside) return null;
      // An empty array or object has no line of its own between its brackets.
      if (!isOpen(before)) added += line();
    } else if (isOpen(before)) {
      added += line();
    }
    if (isOpen(unit)) depth += 1;
    else if (unit === 0x2c) added += line();
    else if (unit === 0x3a) added += 1;
    else if (isExponent(unit) && isDigit(before)) added += NUMBER_CHARS;
    else if (unit === QUOTE) {
      at = endOfString(json, at);
      if (at === -1) return null;
    }
    before = unit;
  }
  return depth === outside ? added : null;
}

/**
 * Replaces escaped letters by the letters, which take more bytes: `\ufdfa` is six bytes, and as a letter
 * up to 33. Those that would be escaped again (ASCII, halves of pairs) stay.
 */
function unescaped(text: string): string {
  let written = "";
  let from = 0;
  for (let at = text.indexOf("\\"); at !== -1; at = text.indexOf("\\", at)) {
    const letter = text[at + 1] === "u" ? letterOf(text.slice(at + 2, at + 6)) : null;
    if (letter === null) {
      at += 2; // whatever is escaped, a backslash too
      continue;
    }
    written += text.slice(from, at) + letter;
    at += 6;
    from = at;
  }
  return from === 0 ? text : written + text.slice(from);
}

const HEX = /^[0-9a-fA-F]{4}$/;

/** Null for anything but four hexadecimal digits, and for escapes that stay: ASCII, and halves of pairs. */
function letterOf(hex: string): string | null {
  if (!HEX.test(hex)) return null;
  const unit = Number.parseInt(hex, 16);
  return unit < 0x80 || (unit >= 0xd800 && unit <= 0xdfff) ? null : String.fromCharCode(unit);
}
