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

// Many words, searched for at once. They are sorted, and each letter that is followed narrows the range of
// words that continue with it. So the cost of a text does not grow with their number, and they take little
// more memory than their letters (a tree takes fifty times as much).

export interface Form<T> {
  readonly form: string;
  readonly entry: T;
}

export class FormList<T> {
  readonly #forms: readonly string[];
  readonly #entries: readonly (readonly T[])[];
  /** The range of the words that begin with each unit. */
  readonly #begins = new Map<number, readonly [from: number, to: number]>();

  constructor(forms: readonly Form<T>[]) {
    const byForm = new Map<string, T[]>();
    for (const { form, entry } of forms) {
      if (form === "") continue;
      const entries = byForm.get(form);
      if (entries === undefined) byForm.set(form, [entry]);
      else entries.push(entry);
    }
    // Sorted by their units, as `<` compares.
    this.#forms = [...byForm.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    this.#entries = this.#forms.map((form) => byForm.get(form) ?? []);
    this.longest = this.#forms.reduce((most, { length }) => Math.max(most, length), 0);
    for (const [at, form] of this.#forms.entries()) {
      const unit = form.charCodeAt(0);
      this.#begins.set(unit, [this.#begins.get(unit)?.[0] ?? at, at + 1]);
    }
  }

  /** The units of the longest word. */
  readonly longest: number;

  get isEmpty(): boolean {
    return this.#forms.length === 0;
  }

  /** The words of a range that continue with `unit` after `depth` units; null: none. */
  next(unit: number, depth: number, [from, to]: readonly [number, number]): Range | null {
    if (depth === 0) return this.#begins.get(unit) ?? null;
    const first = this.#firstWith(unit, depth, from, to);
    if (this.#unitAt(first, depth) !== unit || first >= to) return null;
    return [first, this.#firstWith(unit + 1, depth, first, to)];
  }

  /** The words of a range, divided by the unit with which they continue. */
  *branches(depth: number, [from, to]: Range): Generator<Range> {
    let first = this.#firstWith(0, depth, from, to);
    while (first < to) {
      const unit = this.#unitAt(first, depth);
      const end = this.#firstWith(unit + 1, depth, first, to);
      yield [first, end];
      first = end;
    }
  }

  /** The entries of the word that ends after `depth` units: the shortest of a range is first. */
  ending(depth: number, [from]: Range): readonly T[] {
    return this.#forms[from]?.length === depth ? (this.#entries[from] ?? []) : [];
  }

  #unitAt(at: number, depth: number): number {
    const form = this.#forms[at] ?? "";
    return depth < form.length ? form.charCodeAt(depth) : -1;
  }

  #firstWith(unit: number, depth: number, from: number, to: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#unitAt(middle, depth) < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export type Range = readonly [from: number, to: number];

export const ANY: Range = [0, 0];

// The limit of the work of comparing a text with terms.

/**
 * Ordinary texts take fewer than six steps a character, for any number of terms. A list of terms that begin
 * with each other would take hundreds, with a text that is made for it.
 */
const MOST_STEPS_A_CHARACTER = 12;
const LEAST_STEPS = 300_000;

export class TooMuchToCompare extends Error {}

/** The steps that one list may take for a text. */
export class StepBudget {
  count = 0;
  readonly #most: number;

  constructor(characters: number) {
    this.#most = Math.max(LEAST_STEPS, MOST_STEPS_A_CHARACTER * characters);
  }

  /** @throws TooMuchToCompare */
  take(): void {
    this.count += 1;
    if (this.count > this.#most) throw new TooMuchToCompare();
  }
}

/** Counts the steps taken, for tests. */
export interface Steps {
  count: number;
}
