import { type Category, JUDGED_CATEGORIES } from "../moderation/category.ts";
import { normalForm } from "../text/normal-form.ts";
import { placeOf, normalise } from "../text/normalise.ts";
import { UNSEEN } from "../text/invisible-characters.ts";

// A word or phrase of a tenant's own, and how it is compared with a text.

export const TERM_MATCHES = ["folded", "word", "exact", "substring"] as const;

/**
 * `folded`: whole words, without case, accents of Latin, Greek and Cyrillic letters, lookalikes, leet,
 * stars and what takes a word apart. `word`: whole words without case; accents count. `exact`: whole
 * words, letter for letter. `substring`: also within words, where lookalikes and leet are all that is
 * seen through.
 */
export type TermMatch = (typeof TERM_MATCHES)[number];

/** What a term may be called: what a text is judged for. */
export const TERM_CATEGORIES = [...JUDGED_CATEGORIES, "spam"] as const;

export interface TermRule {
  readonly term: string;
  readonly match?: TermMatch | undefined;
  /** What a match of it is called. */
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

/** Letter for letter: one spelling of what is the same letter, one kind of space, nothing unseen. */
export const exactForm = (text: string): string =>
  normalForm(text, "NFC").replace(UNSEEN_CHARACTER, "").replace(SPACES, " ").trim();

export const wordForm = (text: string): string => exactForm(text).toLowerCase();

/** A place in a text, in UTF-16 units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A text in its normal form, with white space of any length as one space. */
export interface Line {
  readonly text: string;
  /** Where the units from `start` to `end`, which are not none, stand in the original. */
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
