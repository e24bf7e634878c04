// Splits a text into tokens, in one pass over its normal form. The time is linear: signs that may stand for
// letters look only a few units ahead.
import {
  isDigit,
  isEmoji,
  isLetter,
  joinPieces,
  type Reading,
  readWord,
} from "./disguised-words.ts";
import { normalise, placeOf } from "../domain/text/normalise.ts";
import type { Token, Vocabulary } from "./vocabulary.ts";

export interface Tokens {
  readonly tokens: readonly Token[];
  /** False when the text continues after the last token. */
  readonly complete: boolean;
}

/** About as many as a text of 100 KB can have; the rest is not read. */
const MAX_TOKENS = 65_536;

export function tokenise(text: string, vocabulary: Vocabulary, most = MAX_TOKENS): Tokens {
  const normalised = normalise(text);
  const scanner = new Scanner(normalised.text, vocabulary);
  const complete = scanner.scan(most);
  // The places are in the normal form until here, since pieces are joined by the characters between them.
  const tokens = joinPieces(scanner.tokens, vocabulary).map((token) => ({
    word: token.word,
    row: token.row,
    ...placeOf(normalised, token.start, token.end),
  }));
  return { tokens, complete };
}

/** Signs that stand for letters inside a word: @ $ ! + |. */
const isLetterSign = (unit: number): boolean =>
  unit === 64 || unit === 36 || unit === 33 || unit === 43 || unit === 124;

const APOSTROPHE = 39;
const STAR = 42;
const AT = 64;
const DOLLAR = 36;

/** The longest disguised word. */
const LONGEST_DISGUISE = 24;

/** The most signs among the letters of a disguised word. */
const MOST_SIGNS = 5;

/** The most stars in a row. */
const CENSORED = 6;

/** Signs that turned out not to be letters. A text with more is made to be slow, and is read in part. */
const MOST_FAILURES = 4_000;

class Scanner {
  readonly tokens: Token[] = [];
  readonly #text: string;
  readonly #vocabulary: Vocabulary;
  /** Readings by word: most words of a long text repeat. */
  readonly #readings = new Map<string, Reading>();
  #failures = 0;

  constructor(text: string, vocabulary: Vocabulary) {
    this.#text = text;
    this.#vocabulary = vocabulary;
  }

  /** Scans at most `most` tokens; returns whether it reached the end. */
  scan(most: number): boolean {
    let at = 0;
    while (at < this.#text.length) {
      if (this.#unit(at) <= 32) {
        at += 1;
        continue;
      }
      if (this.tokens.length >= most || this.#failures > MOST_FAILURES) return false;
      at = this.#scanToken(at);
    }
    return true;
  }

  #unit(at: number): number {
    return at < this.#text.length ? this.#text.charCodeAt(at) : 0;
  }

  #push(word: string, start: number, end: number): void {
    this.tokens.push({ word, row: this.#vocabulary.rowOf(word), start, end });
  }

  #scanToken(at: number): number {
    const unit = this.#unit(at);
    if ((unit === 104 || unit === 119) && URL_START.test(this.#text.slice(at, at + 8))) {
      let end = at;
      while (this.#unit(end) > 32) end += 1;
      this.#push("<url>", at, end);
      return end;
    }
    if (unit >= 0x2190 && !isLetter(unit)) return this.#scanSymbol(at);
    const signed = (unit === AT || unit === DOLLAR) && isLetter(this.#unit(at + 1));
    if (isLetter(unit) || isDigit(unit) || signed) return this.#scanWord(at, signed);
    return this.#scanPunctuation(at);
  }

  /** An emoji, or another symbol. */
  #scanSymbol(at: number): number {
    const code = this.#text.codePointAt(at) ?? 0;
    const end = at + (code > 0xffff ? 2 : 1);
    if (isEmoji(code)) this.#push(`e:${code.toString(16)}`, at, end);
    else if (code > 0xffff) this.#push(this.#text.slice(at, end), at, end);
    return end;
  }

  #scanWord(start: number, signed: boolean): number {
    const shape = this.#shapeOfWord(start, signed);
    const { end, letters, apostrophe, signAt } = shape;
    const written = this.#text.slice(start, end);
    if (signed && this.#unit(start) === AT) return this.#pushMention(written, start, end);
    if (letters === 0 && !signed) {
      this.#push("<num>", start, end);
      return end;
    }
    if (apostrophe) return this.#pushContraction(written, start, end);
    const negated = NEGATED.get(written);
    if (negated !== undefined) {
      this.#push(negated, start, end);
      this.#push("n't", start, end);
      return end;
    }
    const { word, row } = this.#read(this.#withoutEmphasis(written));
    if (row < 0 && signAt > start) {
      // "stop!now" is two words: the sign is no letter.
      this.#failures += 1;
      const first = this.#read(this.#text.slice(start, signAt));
      this.tokens.push({ word: first.word, row: first.row, start, end: signAt });
      return signAt;
    }
    this.tokens.push({ word, row, start, end });
    return end;
  }

  #read(written: string): Reading {
    const known = this.#readings.get(written);
    if (known !== undefined) return known;
    const reading = readWord(written, this.#vocabulary);
    this.#readings.set(written, reading);
    return reading;
  }

  #shapeOfWord(start: number, signed: boolean) {
    let end = start;
    let letters = 0;
    let apostrophe = false;
    let signAt = -1;
    let signs = 0;
    for (;;) {
      const unit = this.#unit(end);
      if (isLetter(unit) || isDigit(unit)) {
        if (!isDigit(unit)) letters += 1;
        end += 1;
        continue;
      }
      const next = this.#unit(end + 1);
      if (unit === APOSTROPHE && end > start && isLetter(next)) {
        apostrophe = true;
        end += 1;
        continue;
      }
      if (end === start) {
        if (!signed) break;
        end += 1;
        continue;
      }
      if (end - start >= LONGEST_DISGUISE || signs >= MOST_SIGNS) break;
      if (isLetterSign(unit)) {
        const inside = isLetter(next) || (isDigit(next) && letters > 0);
        // "a$$" ends with signs.
        const closing = unit === DOLLAR && letters > 0;
        const chained = next === unit && isLetter(this.#unit(end + 2));
        if (!inside && !closing && !chained) break;
        if (signAt < 0) signAt = end;
        signs += 1;
        end += 1;
        continue;
      }
      if (unit === STAR) {
        let behind = end;
        while (this.#unit(behind) === STAR && behind - end <= CENSORED) behind += 1;
        const stars = behind - end;
        if (stars > CENSORED || !(isLetter(this.#unit(behind)) || letters > 0)) break;
        end = behind;
        signs += 1;
        continue;
      }
      break;
    }
    return { end, letters, apostrophe, signAt };
  }

  /** "@name" is a person, unless the name is a word of abuse. */
  #pushMention(written: string, start: number, end: number): number {
    const reading = this.#read(written);
    if (this.#vocabulary.isProfane(reading.row)) this.tokens.push({ ...reading, start, end });
    else this.#push("<user>", start, end);
    return end;
  }

  /** A star after a whole word is emphasis. */
  #withoutEmphasis(written: string): string {
    if (!written.endsWith("*")) return written;
    if (this.#vocabulary.isProfane(this.#vocabulary.rowOf(written))) return written;
    let end = written.length;
    while (end > 0 && written.charCodeAt(end - 1) === STAR) end -= 1;
    const bare = written.slice(0, end);
    return !bare.includes("*") && this.#vocabulary.rowOf(bare) >= 0 ? bare : written;
  }

  #pushContraction(written: string, start: number, end: number): number {
    const at = written.lastIndexOf("'");
    const head = written.slice(0, at);
    const tail = written.slice(at + 1);
    const read = (word: string) => this.#read(word.replaceAll("'", ""));
    if (tail === "t" && head.endsWith("n")) {
      const verb = NEGATED.get(`${head}t`) ?? head.slice(0, -1);
      this.tokens.push({ ...read(verb), start, end: start + at - 1 });
      this.#push("n't", start + at - 1, end);
    } else if (TAILS.has(tail)) {
      this.tokens.push({ ...read(head), start, end: start + at });
      this.#push(`'${tail}`, start + at, end);
    } else this.tokens.push({ ...read(written), start, end });
    return end;
  }

  #scanPunctuation(start: number): number {
    const mark = this.#text[start] ?? "";
    let end = start + 1;
    while (this.#text[end] === mark) end += 1;
    if (mark === "." || mark === "!" || mark === "?") {
      this.#push(end - start > 1 ? mark + mark : mark, start, end);
    } else if (MARKS.has(mark)) this.#push(mark, start, end);
    return end;
  }
}

const URL_START = /^(?:https?:\/\/|www\.)/;

const MARKS = new Set(",:;\"()-#/*'<>[]{}=&_%$@");

const TAILS = new Set(["s", "re", "m", "ve", "ll", "d"]);

/** The verbs of negations that are often written without an apostrophe. */
const NEGATED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    dont: "do",
    cant: "can",
    isnt: "is",
    arent: "are",
    doesnt: "does",
    didnt: "did",
    wont: "will",
    aint: "is",
    shouldnt: "should",
    wouldnt: "would",
    couldnt: "could",
    wasnt: "was",
    werent: "were",
    hasnt: "has",
    havent: "have",
    hadnt: "had",
    cannot: "can",
  }),
);
