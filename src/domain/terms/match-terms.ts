import { latinCapital } from "../text/lookalikes.ts";
import { normalForm } from "../text/normal-form.ts";
import { standsByApostrophe, WordEdges } from "./word-edges.ts";
import { GAP, hasCensored, type Letters, lettersOf, type Reading, STAR } from "./letters.ts";
import { EmojiText } from "./emoji-terms.ts";
import {
  ANY,
  type FormList,
  type Range,
  StepBudget,
  type Steps,
  TooMuchToCompare,
  exactForm,
  type Line,
  lineOf,
  type Place,
  wordForm,
} from "./term.ts";
import type { Entry, Terms } from "./term-match.ts";

// Finds terms in a text. A list is prepared once. The text is then followed letter by letter from each place
// where a word may begin, independent of the number of terms, and only as far as `StepBudget` allows.

/** More places would explain nothing. */
const MOST_PLACES = 5;

/** A text to search for terms. It is analysed as far as a search needs. */
export class SearchedText {
  readonly #original: string;
  readonly #line: Line;
  #edges: WordEdges | null = null;
  readonly #letters = new Map<Reading, Letters>();
  #emoji: EmojiText | null = null;

  constructor(original: string) {
    this.#original = original;
    this.#line = lineOf(original);
  }

  /**
   * Finds terms, except at places that `isTaken` excludes.
   *
   * @param most places to return for each term
   * @returns some of the places of each term that was found, by its index
   */
  find(
    terms: Terms,
    isTaken: (place: Place) => boolean,
    /** Changes the result for a text that is too long to be compared completely. */
    whenTooMuch: (found: Map<number, Place[]>) => void,
    { most = MOST_PLACES, steps }: { most?: number; steps?: Steps } = {},
  ): ReadonlyMap<number, readonly Place[]> {
    const found = new Map<number, Place[]>();
    const known = new Set<string>();
    const budget = new StepBudget(this.#original.length);
    const addPlace = (entry: Entry, place: Place): void => {
      budget.take();
      const places = found.get(entry.term) ?? [];
      if (places.length >= most) return;
      const key = `${entry.term} ${place.start} ${place.end}`;
      if (known.has(key)) return;
      known.add(key);
      if (isTaken(place) || !this.#readsAs(entry, place)) return;
      places.push(place);
      found.set(entry.term, places);
    };
    const add = (entry: Entry, start: number, end: number): void =>
      addPlace(entry, this.#line.placeOf(start, end));
    try {
      this.#findWords(terms.words, add, budget);
      this.#findParts(terms.parts, add, budget);
      this.#findEmoji(terms, addPlace, budget);
      this.#findLetters(terms.spelled, "written", add, budget);
      for (const reading of this.#readings(terms)) {
        this.#findLetters(terms.seen, reading, add, budget);
        // The letters between the stars may be of any script.
        if (reading === "censored") this.#findLetters(terms.spelled, reading, add, budget);
        else this.#findSeenParts(terms.seenParts, reading, add, budget);
      }
    } catch (error) {
      if (!(error instanceof TooMuchToCompare)) throw error;
      whenTooMuch(found);
    }
    if (steps !== undefined) steps.count += budget.count;
    return found;
  }

  #readsAs({ match, as, emoji }: Entry, place: Place): boolean {
    if (emoji?.alone === false && !this.#emojiText().has(emoji, place)) return false;
    if (as === null) return true;
    const written = this.#original.slice(place.start, place.end);
    return (match === "exact" ? exactForm(written) : wordForm(written)) === as;
  }

  /** Made only where a list of words or parts is looked for, or a text has a spelled word. */
  #wordEdges(): WordEdges {
    this.#edges ??= new WordEdges(this.#original, this.#line);
    return this.#edges;
  }

  #emojiText(): EmojiText {
    this.#emoji ??= new EmojiText(this.#original);
    return this.#emoji;
  }

  #findEmoji(
    { toneless, toned }: Terms,
    add: (entry: Entry, place: Place) => void,
    budget: StepBudget,
  ): void {
    if (toneless.isEmpty && toned.isEmpty) return;
    this.#emojiText().find(toneless, false, budget, add);
    this.#emojiText().find(toned, true, budget, add);
  }

  #findWords(list: FormList<Entry>, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const { text } = this.#line;
    for (let start = 0; start < text.length; start += 1) {
      if (!this.#wordEdges().may(start)) continue;
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
    return this.#wordEdges().isWord(start, end) && standsByApostrophe(this.#line.text, start, end);
  }

  #findParts(list: FormList<Entry>, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const { text } = this.#line;
    for (let start = 0; start < text.length; start += 1) {
      if (!this.#wordEdges().startsCharacter(start)) continue;
      let range: Range | null = ANY;
      for (let end = start; range !== null; end += 1) {
        const entries = end === start ? [] : list.ending(end - start, range);
        if (entries.length > 0 && this.#wordEdges().startsCharacter(end)) {
          for (const entry of entries) add(entry, start, end);
        }
        budget.take();
        range = end < text.length ? list.next(text.charCodeAt(end), end - start, range) : null;
      }
    }
  }

  #readings({ seen, seenParts }: Terms): readonly Reading[] {
    const { text } = this.#line;
    if (seen.isEmpty && seenParts.isEmpty) return [];
    const readings: Reading[] = [];
    if (DISGUISE.test(text)) readings.push("one is i");
    if (ONE.test(text)) readings.push("one is l");
    if (hasCensored(text)) readings.push("censored");
    return readings;
  }

  #lettersOf(reading: Reading): Letters {
    const known =
      this.#letters.get(reading) ??
      lettersOf(this.#line.text, reading, (at) => this.#capitalAt(at));
    this.#letters.set(reading, known);
    return known;
  }

  /** The Latin letter that the capital at a unit of the line resembles. */
  #capitalAt(at: number): string | undefined {
    const { start, end } = this.#line.placeOf(at, at + 1);
    return latinCapital(normalForm(this.#original.slice(start, end), "NFKC"));
  }

  #findLetters(list: FormList<Entry>, reading: Reading, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const letters = this.#lettersOf(reading);
    const walk = { list, letters, reading, add, budget };
    for (let first = 0; first < letters.length; first += 1) {
      if (letters.gaps[first] === GAP.none && first > 0) continue;
      if (mayBegin(letters, first, list.longest, reading)) this.#follow(walk, first, first, ANY);
    }
  }

  /**
   * Continues from the letter `from` of a match that begins at `first`. A star continues with every letter.
   */
  #follow(walk: Walk, first: number, from: number, beginning: Range): void {
    const { list, letters, budget } = walk;
    const { gaps, units, length } = letters;
    let range: Range | null = beginning;
    for (let next = from; range !== null; next += 1) {
      const entries = next === first ? [] : list.ending(next - first, range);
      if (entries.length > 0) this.#addSpelled(walk, first, next, entries);
      budget.take();
      if (next === length || (next > first && gaps[next] === GAP.end)) return;
      if (units[next] === STAR) {
        for (const way of list.branches(next - first, range)) {
          this.#follow(walk, first, next + 1, way);
        }
        return;
      }
      range = list.next(units[next] ?? 0, next - first, range);
    }
  }

  #addSpelled(
    { letters, reading, add }: Walk,
    first: number,
    next: number,
    entries: readonly Entry[],
  ): void {
    if (next !== letters.length && letters.gaps[next] === GAP.none) return;
    const start = letters.at[first] ?? 0;
    const end = letters.ends[next - 1] ?? 0;
    if (!this.#wordEdges().isWord(start, end) || !mayStand(letters, first, next, reading)) return;
    for (const entry of entries) {
      if (isSpelled(letters, first, next, entry.gaps)) add(entry, start, end);
    }
  }

  /** Finds parts of words that are written with lookalikes. */
  #findSeenParts(list: FormList<Entry>, reading: Reading, add: Add, budget: StepBudget): void {
    if (list.isEmpty) return;
    const letters = this.#lettersOf(reading);
    const { at, ends, gaps, units, length } = letters;
    for (let first = 0; first < length; first += 1) {
      if (!mayBegin(letters, first, list.longest, reading)) continue;
      let range: Range | null = ANY;
      for (let next = first; range !== null; next += 1) {
        const entries = next === first ? [] : list.ending(next - first, range);
        if (entries.length > 0) {
          const start = at[first] ?? 0;
          const end = ends[next - 1] ?? 0;
          const stands =
            this.#wordEdges().startsCharacter(start) &&
            this.#wordEdges().startsCharacter(end) &&
            mayStand(letters, first, next, reading) &&
            isWithinWord(letters, first, next);
          if (stands) for (const entry of entries) add(entry, start, end);
        }
        budget.take();
        if (next === length || (next > first && gaps[next] !== GAP.none)) break;
        range = list.next(units[next] ?? 0, next - first, range);
      }
    }
  }
}

interface Walk {
  readonly list: FormList<Entry>;
  readonly letters: Letters;
  readonly reading: Reading;
  readonly add: Add;
  readonly budget: StepBudget;
}

type Add = (entry: Entry, start: number, end: number) => void;

const DISGUISE = /[0-9@$!|+]|[^\x20-\x7e]/;
/** Characters that may be an i or an l. */
const ONE = /[1|∣⏽￨│]/;

// Whether matched letters are a word, by the gaps between them and by how they are written.

/** A number is no word, and neither is a name such as "A55": at least two characters must not be digits. */
const FEWEST_NO_DIGITS = 2;

/**
 * Whether a reading differs from the written text in the letters from `first` on, within the longest term.
 */
function mayBegin(letters: Letters, first: number, longest: number, reading: Reading): boolean {
  if (reading === "written") return true;
  const counts = reading === "censored" ? letters.censored : letters.disguised;
  const end = Math.min(letters.length, first + longest);
  return (counts[end] ?? 0) > (counts[first] ?? 0);
}

/** At least a third of a word with stars must be readable. */
const MOST_STARS = 2 / 3;

function mayStand(letters: Letters, first: number, next: number, reading: Reading): boolean {
  if (reading === "written") return true;
  const between = (counts: Int32Array): number => (counts[next] ?? 0) - (counts[first] ?? 0);
  const stars = between(letters.censored);
  if ((reading === "censored") !== stars > 0 || stars > MOST_STARS * (next - first)) return false;
  const withoutDigits = next - first - stars - between(letters.digits);
  return (
    between(letters.disguised) > 0 &&
    withoutDigits >= FEWEST_NO_DIGITS &&
    withoutDigits > between(letters.signs)
  );
}

/** Letters of the word around a part; a longer run is not a word. */
const LONGEST_WORD = 40;

/**
 * Whether the letters around a part are a word: a word has more letters than digits and signs, unlike a key
 * or a price.
 */
function isWithinWord(letters: Letters, first: number, next: number): boolean {
  let from = first;
  while (from > 0 && letters.gaps[from] === GAP.none && first - from < LONGEST_WORD) from -= 1;
  let to = next;
  while (to < letters.length && letters.gaps[to] === GAP.none && to - next < LONGEST_WORD) to += 1;
  const between = (counts: Int32Array): number => (counts[to] ?? 0) - (counts[from] ?? 0);
  return to - from > 2 * (between(letters.digits) + between(letters.signs));
}

/** A shorter word is found in many longer ones that are spelled out: "c l a s s". */
const LONG = 5;

/**
 * Whether the gaps leave the letters one word: all letters apart, or parts joined by signs, with spaces where
 * the term has some.
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
