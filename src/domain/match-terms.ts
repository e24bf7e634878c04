import { standsByApostrophe } from "./apostrophes.ts";
import { ANY, type Form, FormList, type Range } from "./form-list.ts";
import { GAP, type Letters, lettersOf, likeness, type Reading, spelled } from "./letters.ts";
import {
  exactForm,
  type Line,
  lineOf,
  matchOf,
  type Term,
  type TermMatch,
  wordForm,
  writtenOf,
} from "./term.ts";
import { WordEdges } from "./word-edges.ts";

// Where terms stand in a text. A list is prepared once; a text is then followed letter by letter from
// each place where a word begins, whatever the number of terms, and no further than `StepBudget` lets.

/** A place in the text, in UTF-16 units. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

interface Entry {
  readonly term: number;
  readonly match: TermMatch;
  /** What the place must read like, letter for letter; null: it need not. */
  readonly as: string | null;
  readonly gaps: Uint8Array | null;
}

/** Terms, prepared. */
export interface Terms {
  readonly words: FormList<Entry>;
  readonly parts: FormList<Entry>;
  /** Of letters alone, as they are written and as they are seen. */
  readonly spelled: FormList<Entry>;
  readonly seen: FormList<Entry>;
}

export function prepared(terms: readonly Term[]): Terms {
  const words: Form<Entry>[] = [];
  const parts: Form<Entry>[] = [];
  const written: Form<Entry>[] = [];
  const seen: Form<Entry>[] = [];
  for (const [term, rule] of terms.entries()) {
    const text = writtenOf(rule);
    const match = matchOf(rule);
    const form = lineOf(text).text.trim();
    const as = match === "exact" ? exactForm(text) : match === "word" ? wordForm(text) : null;
    const entry = { term, match, as, gaps: null };
    (match === "substring" ? parts : words).push({ form, entry });
    const letters = match === "folded" ? spelled(form) : null;
    if (letters === null) continue;
    written.push({ form: letters.letters, entry: { ...entry, gaps: letters.gaps } });
    const like = likeness(letters.letters);
    if (like !== null) seen.push({ form: like, entry: { ...entry, gaps: letters.gaps } });
  }
  return {
    words: new FormList(words),
    parts: new FormList(parts),
    spelled: new FormList(written),
    seen: new FormList(seen),
  };
}

/** More would explain nothing. */
const MOST_PLACES = 5;

/**
 * Ordinary texts take fewer than six steps a character, whatever the number of terms. A list made of
 * beginnings of itself would take hundreds, of a text that is made for it.
 */
const MOST_STEPS_A_CHARACTER = 12;
const LEAST_STEPS = 300_000;

class TooMuchToCompare extends Error {}

/** What one list may look at of a text. */
class StepBudget {
  count = 0;
  readonly #most: number;

  constructor(characters: number) {
    this.#most = Math.max(LEAST_STEPS, MOST_STEPS_A_CHARACTER * characters);
  }

  /** Throws `TooMuchToCompare`. */
  take(): void {
    this.count += 1;
    if (this.count > this.#most) throw new TooMuchToCompare();
  }
}

/** What of a text is looked at, so that a test can count it. */
export interface Steps {
  count: number;
}

/** A text that terms are looked for in, read as far as was needed. */
export class SearchedText {
  readonly #original: string;
  readonly #line: Line;
  readonly #edges: WordEdges;
  readonly #letters = new Map<Reading, Letters>();

  constructor(original: string) {
    this.#original = original;
    this.#line = lineOf(original);
    this.#edges = new WordEdges(original, this.#line);
  }

  /**
   * The terms by their index with some of their places, those left out that `isTaken` says.
   *
   * @param most places of a term that are wanted
   */
  find(
    terms: Terms,
    isTaken: (place: Place) => boolean,
    /** Says what of a text is to be held that is not compared to its end. */
    whenTooMuch: (found: Map<number, Place[]>) => void,
    { most = MOST_PLACES, steps }: { most?: number; steps?: Steps } = {},
  ): ReadonlyMap<number, readonly Place[]> {
    const found = new Map<number, Place[]>();
    const known = new Set<string>();
    const budget = new StepBudget(this.#original.length);
    const add = (entry: Entry, start: number, end: number): void => {
      budget.take();
      const places = found.get(entry.term) ?? [];
      if (places.length >= most) return;
      const place = this.#line.placeOf(start, end);
      const key = `${entry.term} ${place.start} ${place.end}`;
      if (known.has(key)) return;
      known.add(key);
      if (isTaken(place) || !this.#readsAs(entry, place)) return;
      places.push(place);
      found.set(entry.term, places);
    };
    try {
      this.#findWords(terms.words, add, budget);
      this.#findParts(terms.parts, add, budget);
      this.#findLetters(terms.spelled, "written", add, budget);
      for (const reading of this.#readings(terms.seen)) {
        this.#findLetters(terms.seen, reading, add, budget);
      }
    } catch (error) {
      if (!(error instanceof TooMuchToCompare)) throw error;
      whenTooMuch(found);
    }
    if (steps !== undefined) steps.count += budget.count;
    return found;
  }

  #readsAs({ match, as }: Entry, { start, end }: Place): boolean {
    if (as === null) return true;
    const written = this.#original.slice(start, end);
    return (match === "exact" ? exactForm(written) : wordForm(written)) === as;
  }

  #findWords(list: FormList<Entry>, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const { text } = this.#line;
    for (let start = 0; start < text.length; start += 1) {
      if (!this.#edges.may(start)) continue;
      let range: Range | null = ANY;
      for (let end = start; range !== null; end += 1) {
        const entries = end === start ? [] : list.ending(end - start, range);
        if (entries.length > 0 && this.#isWord(start, end)) {
          for (const entry of entries) add(entry, start, end);
        }
        budget.take();
        range = end < text.length ? list.next(text.charCodeAt(end), end - start, range) : null;
      }
    }
  }

  #isWord(start: number, end: number): boolean {
    return this.#edges.isWord(start, end) && standsByApostrophe(this.#line.text, start, end);
  }

  #findParts(list: FormList<Entry>, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const { text } = this.#line;
    for (let start = 0; start < text.length; start += 1) {
      if (!this.#edges.startsCharacter(start)) continue;
      let range: Range | null = ANY;
      for (let end = start; range !== null; end += 1) {
        const entries = end === start ? [] : list.ending(end - start, range);
        if (entries.length > 0 && this.#edges.startsCharacter(end)) {
          for (const entry of entries) add(entry, start, end);
        }
        budget.take();
        range = end < text.length ? list.next(text.charCodeAt(end), end - start, range) : null;
      }
    }
  }

  #readings(list: FormList<Entry>): readonly Reading[] {
    const { text } = this.#line;
    if (list.isEmpty || !DISGUISE.test(text)) return [];
    return /[1|]/.test(text) ? ["one is i", "one is l"] : ["one is i"];
  }

  #lettersOf(reading: Reading): Letters {
    const known = this.#letters.get(reading) ?? lettersOf(this.#line.text, reading);
    this.#letters.set(reading, known);
    return known;
  }

  #findLetters(list: FormList<Entry>, reading: Reading, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const letters = this.#lettersOf(reading);
    const { at, gaps, units, length } = letters;
    for (let first = 0; first < length; first += 1) {
      if (gaps[first] === GAP.none && first > 0) continue;
      let range: Range | null = ANY;
      for (let next = first; range !== null; next += 1) {
        const entries = next === first ? [] : list.ending(next - first, range);
        if (entries.length > 0 && (next === length || gaps[next] !== GAP.none)) {
          const start = at[first] ?? 0;
          const end = (at[next - 1] ?? 0) + 1;
          if (this.#edges.isWord(start, end) && mayStand(letters, first, next, reading)) {
            for (const entry of entries) {
              if (isSpelled(letters, first, next, entry.gaps)) add(entry, start, end);
            }
          }
        }
        budget.take();
        if (next === length || (next > first && gaps[next] === GAP.end)) break;
        range = list.next(units[next] ?? 0, next - first, range);
      }
    }
  }
}

type Add = (entry: Entry, start: number, end: number) => void;

const DISGUISE = /[0-9@$!|+]|[^\x20-\x7e]/;

/** A number is no word, nor is a name of a thing such as "A55": two characters are no digits. */
const FEWEST_NO_DIGITS = 2;

function mayStand(letters: Letters, first: number, next: number, reading: Reading): boolean {
  if (reading === "written") return true;
  const between = (counts: Int32Array): number => (counts[next] ?? 0) - (counts[first] ?? 0);
  const withoutDigits = next - first - between(letters.digits);
  return (
    between(letters.disguised) > 0 &&
    withoutDigits >= FEWEST_NO_DIGITS &&
    withoutDigits > between(letters.signs)
  );
}

/** A shorter word is found in many others that are spelled out: "c l a s s". */
const LONG = 5;

/**
 * Whether what stands between the letters leaves them one word: every one apart, or pieces that signs
 * join; and spaces where the term has some.
 */
function isSpelled(
  { gaps, gapLengths, length }: Letters,
  first: number,
  next: number,
  wanted: Uint8Array | null,
): boolean {
  let apart = true;
  let joined = true;
  let widest = 0;
  for (let at = first + 1; at < next; at += 1) {
    const gap = gaps[at];
    if (gap === GAP.none) apart = false;
    if (!fits(gap, wanted?.[at - first] ?? GAP.none)) joined = false;
    widest = Math.max(widest, gapLengths[at] ?? 0);
  }
  if (joined) return true;
  if (!apart) return false;
  if (next - first >= LONG) return true;
  const isLoose = (at: number, beyond: number): boolean =>
    gaps[at] === GAP.end ||
    (gapLengths[at] ?? 0) > widest ||
    (beyond < length && gaps[beyond] === GAP.none);
  const opens = first === 0 || isLoose(first, first === 1 ? first : first - 1);
  const closes = next >= length || isLoose(next, next + 1);
  return opens && closes;
}

function fits(gap: number | undefined, wanted: number): boolean {
  if (gap === GAP.none) return wanted !== GAP.space;
  if (gap === GAP.sign) return true;
  return gap === GAP.space && wanted !== GAP.none;
}
