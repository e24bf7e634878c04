import { type Category, JUDGED_CATEGORIES } from "../moderation/category.ts";
import { normalForm } from "../text/normal-form.ts";
import { normalise, placeOf, UNSEEN } from "../text/normalise.ts";

// A tenant's word or phrase, and how it is compared with a text.

export const TERM_MATCHES = ["folded", "word", "exact", "substring"] as const;

/**
 * `folded`: whole words, regardless of case, accents of Latin, Greek and Cyrillic letters, lookalikes, leet,
 * stars and separators within a word. `word`: whole words, regardless of case; accents count. `exact`: whole
 * words, letter for letter. `substring`: also within words, regardless of case, accents, lookalikes and leet
 * only.
 */
export type TermMatch = (typeof TERM_MATCHES)[number];

/** The categories that a term may have, which are those of a judge, and spam. */
export const TERM_CATEGORIES = [...JUDGED_CATEGORIES, "spam"] as const;

export interface TermRule {
  readonly term: string;
  readonly match?: TermMatch | undefined;
  /** The category that a match is reported with. */
  readonly category?: (typeof TERM_CATEGORIES)[number] | undefined;
}

/** A string is compared `folded`. */
export type Term = string | TermRule;

export const writtenOf = (term: Term): string => (typeof term === "string" ? term : term.term);

export const matchOf = (term: Term): TermMatch =>
  typeof term === "string" ? "folded" : (term.match ?? "folded");

export const categoryOf = (term: Term): Category | null =>
  typeof term === "string" ? null : (term.category ?? null);

const SPACES = /\s+/gu;
const UNSEEN_CHARACTER = new RegExp(`(?!\\s)[${UNSEEN}]`, "gu");

/** Each letter in one spelling, one kind of space, no invisible characters. */
export const exactForm = (text: string): string =>
  normalForm(text, "NFC").replace(UNSEEN_CHARACTER, "").replace(SPACES, " ").trim();

export const wordForm = (text: string): string => exactForm(text).toLowerCase();

/** A place in a text, in UTF-16 units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A text in its normal form, with each run of white space as one space. */
export interface Line {
  readonly text: string;
  /** The place in the original of the units from `start` to `end`; the range must not be empty. */
  placeOf(start: number, end: number): Place;
}

export function lineOf(original: string): Line {
  const normal = normalise(original);
  if (!normal.text.includes("  ")) {
    return { text: normal.text, placeOf: (start, end) => placeOf(normal, start, end) };
  }
  const at = new Int32Array(normal.text.length);
  let length = 0;
  for (let from = 0; from < normal.text.length; from += 1) {
    if (normal.text[from] === " " && normal.text[from - 1] === " ") continue;
    at[length] = from;
    length += 1;
  }
  return {
    text: normal.text.replaceAll(/ +/g, " "),
    placeOf: (start, end) => placeOf(normal, at[start] ?? 0, (at[end - 1] ?? 0) + 1),
  };
}
