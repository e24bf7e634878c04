import { numbersIn, partsOf, plainNumber } from "./plain-number.ts";
import type { Span } from "./results.ts";

// Finds in a text what an answer says of it: quotations, names, numbers. A model writes them with other
// spaces, quotation marks, dashes and capitals than the text, so both are compared in one plain form. Each
// unit of the plain form knows its place in the text.

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

interface PlainForm {
  readonly text: string;
  /** The place of each unit in the original. */
  readonly places: Uint32Array;
}

function plainForm(original: string): PlainForm {
  const places = new Uint32Array(original.length);
  const chunks: string[] = [];
  let chunk: string[] = [];
  let length = 0;
  let afterSpace = true;
  for (let at = 0; at < original.length; at += 1) {
    const unit = original.charAt(at);
    if (SPACE.test(unit)) {
      if (afterSpace) continue;
      afterSpace = true;
      chunk.push(" ");
    } else {
      if (UNSEEN.test(unit)) continue;
      afterSpace = false;
      const lower = unit.toLowerCase();
      chunk.push(SAME[unit] ?? (lower.length === 1 ? lower : unit));
    }
    places[length] = at;
    length += 1;
    if (chunk.length === CHUNK) {
      chunks.push(chunk.join(""));
      chunk = [];
    }
  }
  chunks.push(chunk.join(""));
  return { text: chunks.join(""), places: places.subarray(0, length) };
}

/** A quotation is at least so long: shorter ones are found in any text. */
const LEAST_QUOTE = 8;

/** Places of a word that are looked at. */
const MOST_PLACES = 50;

const NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split(
  " ",
);

/** A text in which quotations, names and numbers are looked up. It takes six bytes a unit beside the text. */
export class TextIndex {
  readonly #original: string;
  readonly #form: PlainForm;
  #numbers: ReadonlySet<string> | null = null;

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
    if (numbers.has(plainNumber(written))) return true;
    // The space may stand between two numbers.
    const parts = partsOf(written);
    return / /.test(written) && parts.every((part) => numbers.has(plainNumber(part)));
  }

  #readNumbers(): ReadonlySet<string> {
    const numbers = new Set<string>();
    for (const written of numbersIn(this.#original)) {
      numbers.add(plainNumber(written));
      for (const part of partsOf(written)) numbers.add(plainNumber(part));
    }
    NUMBER_WORDS.forEach((word, number) => {
      if (this.hasName(word)) numbers.add(String(number));
    });
    return numbers;
  }

  #spanAt(at: number, length: number): Span {
    const { places } = this.#form;
    return { start: places[at] ?? 0, end: (places[at + length - 1] ?? 0) + 1 };
  }
}

/** Whether a word goes on over a place in a text. */
const joins = (text: string, at: number): boolean => {
  const before = text.charAt(at - 1);
  const after = text.charAt(at);
  return WORD.test(before) && WORD.test(after) && !UNSPACED.test(before) && !UNSPACED.test(after);
};
