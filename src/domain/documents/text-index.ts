import { eachNumberIn, partsOf, plainNumber } from "./plain-number.ts";
import type { Span } from "./results.ts";

// Finds in a text what an answer says of it: quotations, names, numbers. A model writes them with other
// spaces, quotation marks, dashes and capitals than the text, so both are compared in one plain form.

const SAME: Readonly<Record<string, string>> = {
  "\u201c": '"',
  "\u201d": '"',
  "\u201e": '"',
  "\u00ab": '"',
  "\u00bb": '"',
  "\u2018": "'",
  "\u2019": "'",
  "\u201a": "'",
  "\u2010": "-",
  "\u2011": "-",
  "\u2012": "-",
  "\u2013": "-",
  "\u2014": "-",
  "\u2212": "-",
};

const SPACE = /\s/u;
const UNSEEN = /[\u00ad\u200b-\u200f\u2060\ufeff]/u;

/** Scripts that put no spaces between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const WORD = /[\p{L}\p{N}]/u;

/** Units that are joined at a time: one string of a million pieces takes too much memory. */
const CHUNK = 8192;

/** The place of one unit in so many is kept; those between are counted again from there. */
const MARK_EVERY = 256;

interface PlainForm {
  readonly text: string;
  /** The places in the original of the units 0, `MARK_EVERY`, twice that, … */
  readonly marks: Uint32Array;
}

/** A unit in the plain form; "": it is left out. A space after a space is. */
function plainUnit(unit: string, afterSpace: boolean): string {
  if (SPACE.test(unit)) return afterSpace ? "" : " ";
  if (UNSEEN.test(unit)) return "";
  const lower = unit.toLowerCase();
  return SAME[unit] ?? (lower.length === 1 ? lower : unit);
}

function plainForm(original: string): PlainForm {
  const marks = new Uint32Array(Math.ceil(original.length / MARK_EVERY));
  const plain = new JoinedText();
  let afterSpace = true;
  for (let at = 0; at < original.length; at += 1) {
    const unit = plainUnit(original.charAt(at), afterSpace);
    if (unit === "") continue;
    afterSpace = unit === " ";
    if (plain.pieces % MARK_EVERY === 0) marks[plain.pieces / MARK_EVERY] = at;
    plain.add(unit);
  }
  return { text: plain.toString(), marks: marks.subarray(0, Math.ceil(plain.pieces / MARK_EVERY)) };
}

/** A long text of many short pieces. */
class JoinedText {
  pieces = 0;
  #chunks: string[] = [];
  #chunk: string[] = [];

  add(piece: string): void {
    this.pieces += 1;
    this.#chunk.push(piece);
    if (this.#chunk.length < CHUNK) return;
    this.#chunks.push(this.#chunk.join(""));
    this.#chunk = [];
  }

  toString(): string {
    return [...this.#chunks, this.#chunk.join("")].join("");
  }
}

/** A quotation is at least so long: shorter ones are found in any text. */
const LEAST_QUOTE = 8;

/** Places of a word that are looked at. */
const MOST_PLACES = 50;

const NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split(
  " ",
);

/**
 * A text in which quotations, names and numbers are looked up. It takes as much memory as the text once more,
 * and up to three times as much for a text of numbers alone.
 */
export class TextIndex {
  readonly #original: string;
  readonly #form: PlainForm;
  /** In their plain form, each between two line breaks: a set of them would take ten times as much. */
  #numbers: string | null = null;

  constructor(text: string) {
    this.#original = text;
    this.#form = plainForm(text);
  }

  /** The place of a quotation; null: the text does not have it, or it is too short to show anything. */
  findQuote(quote: string): Span | null {
    const wanted = plainForm(quote)
      .text.trim()
      .replace(/^["'\u2026.]+|["'\u2026]+$/g, "")
      .trim();
    const isShort = wanted.length < LEAST_QUOTE && !UNSPACED.test(wanted);
    if (wanted.length < 2 || isShort) return null;
    const at = this.#form.text.indexOf(wanted);
    return at < 0 ? null : this.#spanAt(at, wanted.length);
  }

  /** The first places of a name, as whole words. */
  findName(name: string, most: number): readonly Span[] {
    const wanted = plainForm(name).text.trim();
    const found: Span[] = [];
    if (!WORD.test(wanted)) return found;
    const { text } = this.#form;
    let at = text.indexOf(wanted);
    while (at >= 0 && found.length < most) {
      const isWhole = !joins(text, at) && !joins(text, at + wanted.length);
      if (isWhole) found.push(this.#spanAt(at, wanted.length));
      at = text.indexOf(wanted, at + wanted.length);
    }
    return found;
  }

  hasName(name: string): boolean {
    return this.findName(name, 1).length > 0;
  }

  /** Whether the text has digits with signs between, with no other digit at either end. */
  hasDigits(written: string): boolean {
    const { text } = this.#form;
    let at = text.indexOf(written);
    while (at >= 0) {
      const around = text.charAt(at - 1) + text.charAt(at + written.length);
      if (!/\d/.test(around)) return true;
      at = text.indexOf(written, at + 1);
    }
    return false;
  }

  /** Whether the text has a word in lower case: then it is no name, or not only one. */
  hasInLowerCase(word: string): boolean {
    return this.findName(word, MOST_PLACES).some(({ start, end }) => {
      const written = this.#original.slice(start, end);
      return written === written.toLowerCase();
    });
  }

  /** @param written as it was found by `numbersIn` */
  hasNumber(written: string): boolean {
    this.#numbers ??= this.#readNumbers();
    const numbers = this.#numbers;
    const has = (number: string) => numbers.includes(`\n${plainNumber(number)}\n`);
    if (has(written)) return true;
    // The space may stand between two numbers.
    return / /.test(written) && partsOf(written).every(has);
  }

  #readNumbers(): string {
    const numbers = new JoinedText();
    numbers.add("\n");
    const add = (number: string) => numbers.add(`${number}\n`);
    for (const written of eachNumberIn(this.#original)) {
      add(plainNumber(written));
      for (const part of partsOf(written)) add(plainNumber(part));
    }
    NUMBER_WORDS.forEach((word, number) => {
      if (this.hasName(word)) add(String(number));
    });
    return numbers.toString();
  }

  #spanAt(at: number, length: number): Span {
    return { start: this.#placeOf(at), end: this.#placeOf(at + length - 1) + 1 };
  }

  /** The place in the original of a unit of the plain form. */
  #placeOf(index: number): number {
    const { text, marks } = this.#form;
    const from = Math.floor(index / MARK_EVERY);
    let place = marks[from] ?? 0;
    for (let left = index - from * MARK_EVERY; left > 0; left -= 1) {
      const afterSpace = text.charAt(index - left) === " ";
      do place += 1;
      while (plainUnit(this.#original.charAt(place), afterSpace) === "");
    }
    return place;
  }
}

/** Whether a word goes on over a place in a text. */
const joins = (text: string, at: number): boolean => {
  const before = text.charAt(at - 1);
  const after = text.charAt(at);
  return WORD.test(before) && WORD.test(after) && !UNSPACED.test(before) && !UNSPACED.test(after);
};
