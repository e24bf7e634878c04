import { LATIN_DIGITS, LATIN_SIGNS, latinLetter, LEET } from "../text/lookalikes.ts";

// The letters of a line, with the gaps between them. With them a word is found that was taken apart, or is
// written with signs and with letters that only look like its own.

/** The kind of gap before a letter. */
export const GAP = {
  /** No gap. */
  none: 0,
  /** White space. */
  space: 1,
  /** A few signs that may join the parts of a word. */
  sign: 2,
  /** Both. */
  spread: 3,
  /** Anything else: no word continues after it. */
  end: 4,
} as const;

export interface Letters {
  readonly length: number;
  readonly units: Uint16Array;
  /** Where each letter begins and ends in the line. */
  readonly at: Int32Array;
  readonly ends: Int32Array;
  readonly gaps: Uint8Array;
  readonly gapLengths: Uint8Array;
  /** How many letters before each are disguised: written as another letter or a sign. */
  readonly disguised: Int32Array;
  /** How many of them are digits, and how many are signs, in a letter's place. */
  readonly digits: Int32Array;
  readonly signs: Int32Array;
  /** How many of them are stars in a letter's place. */
  readonly censored: Int32Array;
}

/**
 * How the line is read: as written, or with each lookalike as the Latin letter that it resembles; `censored`
 * also reads stars within a word as unknown letters.
 */
export type Reading = "written" | "one is i" | "one is l" | "censored";

/** The capital of the letter at a unit of the line, if it has one. */
export type CapitalAt = (at: number) => string | undefined;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const JOINING = new Set("-_.*~/\\|+=^:·•&");
const MOST_SIGNS = 3;
const LONGEST_GAP = 6;

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;
const isLatin = (unit: number): boolean => unit >= 97 && unit <= 122;

/** Signs that may stand for a letter within a word. */
const SIGNS: ReadonlySet<string> = new Set(["@", "$", "!", "|", "+", ...LATIN_SIGNS.keys()]);

/**
 * Emoji and arrows; also surrogates, the halves of characters beyond the first plane, when they are no
 * letters.
 */
const isPicture = (unit: number): boolean =>
  (unit >= 0x2190 && unit < 0x2c00) || (unit >= 0xd800 && unit <= 0xdfff);

export function lettersOf(line: string, reading: Reading, capitalAt?: CapitalAt): Letters {
  const isLetter = new Uint8Array(line.length + 1);
  const units = new Uint16Array(line.length);
  for (const { index, 0: word } of line.matchAll(WORD)) {
    isLetter.fill(1, index, index + word.length);
  }
  const seen = reading === "written" ? null : disguises(line, isLetter, reading, capitalAt);
  const made = {
    at: new Int32Array(line.length),
    ends: new Int32Array(line.length),
    gaps: new Uint8Array(line.length),
    gapLengths: new Uint8Array(line.length),
    disguised: new Int32Array(line.length + 1),
    digits: new Int32Array(line.length + 1),
    signs: new Int32Array(line.length + 1),
    censored: new Int32Array(line.length + 1),
  };
  let length = 0;
  let end = 0;
  for (let at = 0; at < line.length; at += 1) {
    const disguise = seen?.[at] ?? 0;
    if (isLetter[at] !== 1 && disguise === 0) continue;
    if (disguise === SECOND_HALF) {
      made.ends[length - 1] = end = at + 1;
      continue;
    }
    units[length] = disguise === 0 ? line.charCodeAt(at) : disguise & 0xffff;
    made.at[length] = at;
    made.gaps[length] = gapOf(line, end, at);
    made.gapLengths[length] = Math.min(at - end, 255);
    made.disguised[length + 1] = (made.disguised[length] ?? 0) + (disguise === 0 ? 0 : 1);
    made.digits[length + 1] = (made.digits[length] ?? 0) + ((disguise & DIGIT) === 0 ? 0 : 1);
    made.signs[length + 1] = (made.signs[length] ?? 0) + ((disguise & SIGN) === 0 ? 0 : 1);
    made.censored[length + 1] =
      (made.censored[length] ?? 0) + ((disguise & CENSORED) === 0 ? 0 : 1);
    made.ends[length] = end = at + 1;
    length += 1;
  }
  return { length, units, ...made };
}

function gapOf(line: string, from: number, to: number): number {
  if (from === to) return GAP.none;
  if (to - from > LONGEST_GAP) return GAP.end;
  let spaces = 0;
  for (let at = from; at < to; at += 1) {
    const character = line[at] ?? "";
    if (character === " ") spaces += 1;
    else if (!JOINING.has(character) && !isPicture(line.charCodeAt(at))) return GAP.end;
  }
  if (spaces === to - from) return GAP.space;
  if (spaces > 0) return GAP.spread;
  return to - from <= MOST_SIGNS ? GAP.sign : GAP.spread;
}

const DIGIT = 0x10000;
const SIGN = 0x20000;
/** The second surrogate of a letter. */
const SECOND_HALF = 0x80000;

/**
 * The letter to read at each unit that shows another character, with a bit for a digit, a sign or a star; 0:
 * as written.
 */
function disguises(
  line: string,
  isLetter: Uint8Array,
  reading: Reading,
  capitalAt: CapitalAt | undefined,
): Int32Array {
  const seen = reading === "censored" ? censoredIn(line) : new Int32Array(line.length);
  const one = reading === "one is l" ? "l" : "i";
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (isLatin(line.charCodeAt(at))) continue;
    const isSign = SIGNS.has(character) && isWithin(line, isLetter, at);
    if (!isSign && !isDigit(line.charCodeAt(at)) && !LATIN_DIGITS.has(character)) continue;
    const letter = letterOf(character, one);
    if (letter !== undefined) seen[at] = letter.charCodeAt(0) + (isSign ? SIGN : DIGIT);
  }
  const hasLatin = /[a-z]/.test(line);
  const words = [...line.matchAll(WORD)].filter(({ 0: word }) => !/^[\x20-\x7e]+$/.test(word));
  // Genuine Russian has letters with no Latin lookalike: if every foreign word has only lookalikes, the text
  // is English.
  const allAlike = hasLatin && words.every(({ 0: word }) => isDisguised(word));
  for (const { index, 0: word } of words) {
    const isMixed = /[a-z]/.test(word);
    if (!isMixed && !allAlike && !LATIN_SCRIPT.test(word)) continue;
    let at = index;
    for (const letter of word) {
      const latin = letter < "\u{80}" ? undefined : readingOf(letter, at, capitalAt);
      if (latin !== undefined) {
        seen[at] = latin.charCodeAt(0);
        if (letter.length === 2) seen[at + 1] = SECOND_HALF;
      }
      at += letter.length;
    }
  }
  return seen;
}

/** Greek letters whose capital resembles another Latin letter: Η is an h, η an n. */
const OTHER_CAPITALS = new Set("ηνμυσ");

const readingOf = (letter: string, at: number, capitalAt: CapitalAt | undefined) =>
  (OTHER_CAPITALS.has(letter) ? capitalAt?.(at) : undefined) ?? latinLetter(letter);

/** The letter that a digit or a sign stands for. */
const letterOf = (character: string, one: string): string | undefined =>
  character === "1" || character === "|" || LATIN_SIGNS.get(character) === "l"
    ? one
    : (LEET[character] ?? LATIN_SIGNS.get(character) ?? LATIN_DIGITS.get(character));

const LATIN_SCRIPT = /^\p{N}*\p{Script=Latin}[\p{Script=Latin}\p{N}]*$/u;

const isDisguised = (word: string): boolean => Array.from(word).every(isLatinLike);

const isLatinLike = (letter: string): boolean =>
  letter.charCodeAt(0) < 0x80 || latinLetter(letter) !== undefined;

/** Whether a sign is among letters: "b@d", "$hit", "a$$"; not "stop!" or the "a@b" of an address. */
function isWithin(line: string, isLetter: Uint8Array, at: number): boolean {
  const isPart = (place: number): boolean => isLetter[place] === 1 || SIGNS.has(line[place] ?? " ");
  const opens = line[at] === "@" || line[at] === "$";
  if (opens && isLetter[at + 1] === 1) return true;
  if (at === 0 || !isPart(at - 1)) return false;
  if (line[at] === "$") return true;
  return isPart(at + 1);
}

/** The letters of a term; null for a term with other characters or with too few letters to distinguish. */
export interface Spelled {
  readonly letters: string;
  /** The gap before each letter. */
  readonly gaps: Uint8Array;
}

const FEWEST_LETTERS = 3;

export function spelled(term: string): Spelled | null {
  const letters = lettersOf(term, "written");
  const { length } = letters;
  if (length < FEWEST_LETTERS || letters.at[0] !== 0) return null;
  if (letters.at[length - 1] !== term.length - 1) return null;
  const gaps = letters.gaps.slice(0, length);
  if (gaps.includes(GAP.end) || gaps.includes(GAP.spread)) return null;
  return { letters: String.fromCharCode(...letters.units.subarray(0, length)), gaps };
}

/** The letters with each lookalike as its Latin letter; null for a term with digits. */
export function likeness(letters: string): string | null {
  if (/\p{N}/u.test(letters)) return null;
  return Array.from(letters, (letter) => latinLetter(letter) ?? letter).join("");
}

// Words with stars in place of some letters: "f**k". A star is a letter only within a word. Stars around a
// word are emphasis, and so are stars that close what equal ones before it opened ("**not**ice"). A starred
// word matches a term of the same length with the same first and last letter and the same readable letters.

/** Marks a star in the place of a letter. */
const CENSORED = 0x40000;

/** The unit that stands for the hidden letter: it is no letter itself. */
export const STAR = 0x2a;

/** More stars are a drawn line. */
const MOST_STARS = 12;

/** Asterisks, and other characters that hide a letter. */
const BLOTS = "[*∗⁎✱✳•●■█▒░]";

const LETTERS = "[\\p{L}\\p{M}\\p{N}@$!|+]";
const STARRED = new RegExp(
  `(${BLOTS}{0,${MOST_STARS}})(\\p{L}${LETTERS}{0,40}(?:${BLOTS}{1,${MOST_STARS}}${LETTERS}{1,40})+)`,
  "gu",
);
const STARS = new RegExp(`${BLOTS}+`, "g");
const WITHIN = new RegExp(`${LETTERS}${BLOTS}+${LETTERS}`, "u");

/** Whether there may be a star within a word. */
export const hasCensored = (line: string): boolean => WITHIN.test(line);

/** The marked stars, by their unit in the line; 0 elsewhere. */
function censoredIn(line: string): Int32Array {
  const stars = new Int32Array(line.length);
  for (const { index, 1: before = "", 2: word = "" } of line.matchAll(STARRED)) {
    const start = index + before.length;
    if (isProduct(line, start, word)) continue;
    const isWhole = line.startsWith(before, start + word.length);
    for (const { index: within, 0: run } of word.matchAll(STARS)) {
      if (run === before && !isWhole) break;
      stars.fill(STAR + CENSORED, start + within, start + within + run.length);
    }
  }
  return stars;
}

/** "a*b = 3", "x**y": one letter on each side, in a formula. */
const PRODUCT = new RegExp(`^\\p{L}${BLOTS}{1,2}\\p{L}$`, "u");
const SUM_BEFORE = /[\d=+/^<>][ (]{0,2}$/;
const SUM_BEHIND = /^[ )]{0,2}[\d=+/^<>]/;

const isProduct = (line: string, start: number, word: string): boolean =>
  PRODUCT.test(word) &&
  (SUM_BEFORE.test(line.slice(Math.max(0, start - 3), start)) ||
    SUM_BEHIND.test(line.slice(start + word.length, start + word.length + 3)));
