import type { Line } from "./term.ts";

// Where words begin and end in a line. For scripts without spaces a dictionary decides; it is used only for a
// stretch in which a term was found.

const SPACELESS =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";

const WORD = new RegExp(`[[\\p{L}\\p{N}\\p{M}]--[${SPACELESS}\\u{30FC}]]+`, "gv");
const STRETCH = new RegExp(`[[${SPACELESS}\\u{30FC}]&&[\\p{L}\\p{M}]]+`, "gv");
const HAN = /^[\p{Script=Han}々]+$/u;
const MARK = /\p{M}/gu;

/** A longer stretch lacks spaces for another reason; then each of its characters is a word. */
const LONGEST_STRETCH = 2_000;

export class WordEdges {
  readonly #original: string;
  readonly #line: Line;
  /** 1 where a word may begin or end, judged by the characters alone. */
  readonly #edges: Uint8Array;
  readonly #marks = new Set<number>();
  /** For each unit in a stretch, the stretch's beginning plus one; 0 elsewhere. */
  #stretches: Int32Array | null = null;
  readonly #boundaries = new Map<number, ReadonlySet<number> | null>();

  constructor(original: string, line: Line) {
    this.#original = original;
    this.#line = line;
    this.#edges = new Uint8Array(line.text.length + 1).fill(1);
    for (const { index, 0: word } of line.text.matchAll(WORD)) {
      this.#edges.fill(0, index + 1, index + word.length);
    }
    for (const at of apostrophesWithinWords(line.text)) this.#edges.fill(0, at, at + 2);
    // No edge between a letter and its marks.
    for (const { index } of line.text.matchAll(MARK)) {
      this.#edges[index] = 0;
      this.#marks.add(index);
    }
  }

  /** Whether a word may begin or end here; `isWord` decides. */
  may(at: number): boolean {
    return this.#edges[at] === 1;
  }

  /** False between a letter and its marks, and within a surrogate pair. */
  startsCharacter(at: number): boolean {
    const { text } = this.#line;
    const unit = at < text.length ? text.charCodeAt(at) : 0;
    return !this.#marks.has(at) && !(unit >= 0xdc00 && unit <= 0xdfff);
  }

  isWord(start: number, end: number): boolean {
    return this.may(start) && this.may(end) && this.#isOfWords(start, end);
  }

  #isOfWords(start: number, end: number): boolean {
    const stretches = this.#stretchesOf();
    const first = stretches[start] ?? 0;
    const last = stretches[end - 1] ?? 0;
    const opens = first > 0 && stretches[start - 1] === first;
    const closes = last > 0 && stretches[end] === last;
    if (!opens && !closes) return true;
    const place = this.#line.placeOf(start, end);
    const isAt = (stretch: number, at: number): boolean => {
      const boundaries = this.#boundariesOf(stretch);
      return boundaries === null || boundaries.has(at);
    };
    const begins = !opens || isAt(first, place.start);
    const ends = !closes || isAt(last, place.end);
    if (begins && ends) return true;
    // Chinese words consist of words: a match within a longer word counts, one across two words does not.
    if (!HAN.test(this.#line.text.slice(start, end))) return false;
    const boundaries = this.#boundariesOf(first);
    if (boundaries === null) return true;
    for (let at = place.start + 1; at < place.end; at += 1) {
      if (boundaries.has(at)) return false;
    }
    return true;
  }

  #stretchesOf(): Int32Array {
    if (this.#stretches !== null) return this.#stretches;
    const stretches = new Int32Array(this.#line.text.length + 1);
    for (const { index, 0: stretch } of this.#line.text.matchAll(STRETCH)) {
      stretches.fill(index + 1, index, index + stretch.length);
    }
    this.#stretches = stretches;
    return stretches;
  }

  /**
   * Places in the original, since dictionaries contain words as they are written; null: the stretch is too
   * long.
   */
  #boundariesOf(stretch: number): ReadonlySet<number> | null {
    const known = this.#boundaries.get(stretch);
    if (known !== undefined) return known;
    const from = stretch - 1;
    let to = from;
    while (this.#stretches?.[to] === stretch) to += 1;
    const boundaries = to - from > LONGEST_STRETCH ? null : this.#segmented(from, to);
    this.#boundaries.set(stretch, boundaries);
    return boundaries;
  }

  #segmented(from: number, to: number): ReadonlySet<number> {
    const { start, end } = this.#line.placeOf(from, to);
    const written = this.#original.slice(start, end);
    const boundaries = new Set([start, end]);
    for (const { index } of SEGMENTER.segment(written)) boundaries.add(start + index);
    return boundaries;
  }
}

const SEGMENTER = new Intl.Segmenter("und", { granularity: "word" });

// What an apostrophe between letters does to words. It may
//
// - separate a word from its ending: "AI's", "AI'nin", "we'll";
// - separate a word that lost its end from the next one: "j'ai", "l'idiot", "dell'idiota";
// - be a letter of a word: "don't", Ukrainian "сім'я".
//
// The characters do not tell which of the first two it is. So a term of three letters or more is found
// on both sides of it. A shorter term is found before it, but never after it, where endings and the
// rests of words are ("j'ai" is not "AI", "we're" is not "RE"). A short word of those that lose their
// end is found before it only with an English ending: "UN's", not "un'altra".
//
// All this is about Latin, Greek and Cyrillic letters: elsewhere the apostrophe is a quotation mark.

const APOSTROPHE = "'";

/**
 * Where an apostrophe is a letter of a word, in a line in its normal form: before the "t" of a negation, and
 * before the vowels of Ukrainian and Belarusian that it separates ("сім'я", "аб'ект").
 */
const WITHIN_WORD = /(?<=n)'(?=t(?![\p{L}\p{N}]))|(?<=\p{Script=Cyrillic})'(?=[яюєіе])/gu;

function* apostrophesWithinWords(line: string): Generator<number> {
  if (!line.includes(APOSTROPHE)) return;
  for (const { index } of line.matchAll(WITHIN_WORD)) yield index;
}

const LONGEST_SHORT_TERM = 2;

/**
 * Words that lose their end: French, Catalan, Italian, Irish, Greek; then English beginnings: "o'clock",
 * "y'all", "ma'am".
 */
const LOSES_ITS_END: ReadonlySet<string> = new Set(
  "c ch d gl j l m n qu s t un v b δ θ κ κι μ ν σ τ απ γι e ma ne o po y".split(" "),
);

/** The English ending that every word can have. */
const POSSESSIVE = /^'s(?![\p{L}\p{N}])/u;

const LETTER = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]$/u;

const isLetter = (character: string | undefined): boolean =>
  character !== undefined && LETTER.test(character);

/** Whether a term from `start` to `end` of the line is a word, by the apostrophes beside it. */
export function standsByApostrophe(line: string, start: number, end: number): boolean {
  if (end - start > LONGEST_SHORT_TERM) return true;
  const follows =
    line[start - 1] === APOSTROPHE && isLetter(line[start - 2]) && isLetter(line[start]);
  if (follows) return false;
  const precedes = line[end] === APOSTROPHE && isLetter(line[end - 1]) && isLetter(line[end + 1]);
  if (!precedes || !LOSES_ITS_END.has(line.slice(start, end))) return true;
  return POSSESSIVE.test(line.slice(end, end + 3));
}
