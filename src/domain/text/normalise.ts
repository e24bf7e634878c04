import { LONGEST_RUN } from "./normal-form.ts";
import { latinCapital, latinLetter } from "./lookalikes.ts";

// The normal form of a text, for everything that compares it with words: as a reader sees it, without
// differences that only a machine sees. White space becomes spaces; invisible characters are dropped;
// full-width, mathematical, enclosed and other compatibility forms become plain letters; letters become
// lower case; accents of Latin, Greek and Cyrillic letters are folded, while marks of other scripts
// (vowels of Thai, voicing of Japanese) stay, since there they make another word. Half a surrogate pair
// is U+FFFD. Letters of other scripts that look Latin are a question of whole words: `lookalikes.ts`.
//
// `shown` is the same without the folding of case and accents, for the detection of languages and names.
//
// Each piece of the result knows its place in the original, so that a span can be shown there. The time
// is linear: each character is visited once, together with its marks.

/**
 * Invisible characters, as the inside of a class of an expression: controls, soft hyphens, joiners,
 * zero-width and bidirectional marks, fillers, variation selectors, and tags, in which a text can be hidden.
 * White space among the controls must be excluded by the user of the class, since a reader sees it.
 */
export const UNSEEN = "\\p{Default_Ignorable_Code_Point}\\p{Cc}\\u{FFF9}-\\u{FFFB}";

const UNSEEN_CHARACTER = new RegExp(`(?![\\t\\n])[${UNSEEN}]`, "gu");

// A reader sees each of these as white space. Without them, "Buy\rnow" would become one word.
const LINE_BREAK = /\r\n?|[\v\f\u{85}\u{2028}\u{2029}]/gu;

/**
 * The text with one kind of line break and without characters that a reader cannot see but a matcher or a
 * tokenizer can. Never longer.
 */
export const withoutUnseen = (text: string): string =>
  text.replace(LINE_BREAK, "\n").replace(UNSEEN_CHARACTER, "");

export function normalise(original: string): Normalised {
  if (plainUntil(original, 0) === original.length) {
    return { text: original.toLowerCase(), pieces: null };
  }
  const out = new Output();
  write(original, out, FOLDED);
  return out.finish();
}

/** The text as a reader sees it, with its case and accents. Line breaks become spaces, or stay. */
export function shown(original: string, lines: "joined" | "kept" = "joined"): string {
  if (plainUntil(original, 0) === original.length) return original;
  const out = new Output();
  write(original.replaceAll("\r\n", "\n"), out, lines === "kept" ? SHOWN_IN_LINES : SHOWN);
  return out.finish().text;
}

/** The output for a run of printable ASCII, for white space, and for a character with its marks. */
interface Form {
  readonly plain: (run: string) => string;
  readonly space: (code: number) => string;
  readonly fold: (code: number, marks: string) => string;
  /** Remembered outputs of characters alone and with one mark. */
  readonly known: Map<number, string>;
}

const FOLDED: Form = {
  plain: (run) => run.toLowerCase(),
  space: () => " ",
  fold: folded,
  known: new Map(),
};
const SHOWN: Form = { ...FOLDED, plain: (run) => run, fold: composed, known: new Map() };
const SHOWN_IN_LINES: Form = { ...SHOWN, space: (code) => (isLineBreak(code) ? "\n" : " ") };

function write(original: string, out: Output, form: Form): void {
  let at = 0;
  while (at < original.length) {
    const end = plainUntil(original, at);
    // The last character before something else may have marks on it.
    const plain = end < original.length ? end - 1 : end;
    if (plain > at) {
      out.write(form.plain(original.slice(at, plain)), at, plain);
      at = plain;
    } else at = writeCharacter(original, at, out, form);
  }
}

/** The place in the original of the units from `from` to `to`; the range must not be empty. */
export function placeOf(
  { text, pieces }: Normalised,
  from: number,
  to: number,
): { start: number; end: number } {
  if (pieces === null) return { start: from, end: to };
  const first = pieceAt(pieces, from);
  const last = pieceAt(pieces, to - 1);
  return {
    start:
      (pieces.start[first] ?? 0) +
      (isLinear(pieces, first, text) ? from - beginOf(pieces, first) : 0),
    end: isLinear(pieces, last, text)
      ? (pieces.start[last] ?? 0) + to - beginOf(pieces, last)
      : (pieces.end[last] ?? 0),
  };
}

const beginOf = (pieces: Pieces, piece: number): number => pieces.at[piece] ?? 0;

/** Whether a piece is as long in the normal form as in the original. */
const isLinear = (pieces: Pieces, piece: number, text: string): boolean =>
  (pieces.at[piece + 1] ?? text.length) - beginOf(pieces, piece) ===
  (pieces.end[piece] ?? 0) - (pieces.start[piece] ?? 0);

/** The last piece that begins at or before `unit`. */
function pieceAt(pieces: Pieces, unit: number): number {
  let low = 0;
  let high = pieces.at.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (beginOf(pieces, middle) <= unit) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The end of the run of printable ASCII that begins at `from`. */
function plainUntil(text: string, from: number): number {
  let end = from;
  while (end < text.length) {
    const unit = text.charCodeAt(end);
    if (unit < 0x20 || unit > 0x7e) break;
    end += 1;
  }
  return end;
}

/** Writes the character at `at` with its marks, and returns where the next one begins. */
function writeCharacter(original: string, at: number, out: Output, form: Form): number {
  const code = codeAt(original, at);
  let end = at + (code > 0xffff ? 2 : 1);
  if (isInvisible(code)) return end;
  if (isSpace(code)) {
    out.write(form.space(code), at, end);
    return end;
  }
  let marks = "";
  let mark = 0;
  let count = 0;
  while (end < original.length) {
    const next = codeAt(original, end);
    const width = next > 0xffff ? 2 : 1;
    if (isMark(next)) {
      count += 1;
      if (count <= LONGEST_RUN) marks += String.fromCodePoint(next);
      mark = next;
    } else if (next < 0x80 || !isInvisible(next)) break;
    end += width;
  }
  out.write(count > 1 ? form.fold(code, marks) : foldKnown(form, code, mark, marks), at, end);
  return end;
}

const REPLACEMENT = 0xfffd;

function codeAt(text: string, at: number): number {
  const code = text.codePointAt(at) ?? REPLACEMENT;
  return code >= 0xd800 && code <= 0xdfff ? REPLACEMENT : code;
}

/** Unicode's White_Space, and the Braille blank. */
const isSpace = (code: number): boolean =>
  code === 0x20 ||
  (code >= 0x9 && code <= 0xd) ||
  code === 0x85 ||
  code === 0xa0 ||
  code === 0x1680 ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x2028 ||
  code === 0x2029 ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x2800 ||
  code === 0x3000;

const isLineBreak = (code: number): boolean =>
  (code >= 0xa && code <= 0xd) || code === 0x85 || code === 0x2028 || code === 0x2029;

const INVISIBLE = new RegExp(`^[${UNSEEN}]$`, "u");

function isInvisible(code: number): boolean {
  if (isSpace(code)) return false;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  if (code < 0x300) return code === 0xad;
  return traitsOf(code).invisible;
}

const MARK = /^\p{M}$/u;
/** Half-width voicing marks, and the vowels and final consonants of decomposed Hangul. */
const isLateMark = (code: number): boolean =>
  code === 0xff9e || code === 0xff9f || (code >= 0x1161 && code <= 0x11ff);

const isMark = (code: number): boolean => code >= 0x300 && traitsOf(code).mark;

interface Traits {
  readonly invisible: boolean;
  readonly mark: boolean;
}

/** The most distinct characters that are remembered: more than a language uses, but bounded. */
const REMEMBERED = 8_192;

const traits = new Map<number, Traits>();

function traitsOf(code: number): Traits {
  const known = traits.get(code);
  if (known !== undefined) return known;
  const character = String.fromCodePoint(code);
  const invisible = INVISIBLE.test(character);
  const found = { invisible, mark: !invisible && (isLateMark(code) || MARK.test(character)) };
  if (traits.size < REMEMBERED) traits.set(code, found);
  return found;
}

/** Folds a character alone (`mark` is 0) or with one mark, and remembers the result. */
function foldKnown({ fold, known }: Form, code: number, mark: number, marks: string): string {
  const key = code + mark * 0x110000;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = fold(code, marks);
  if (known.size < REMEMBERED) known.set(key, made);
  return made;
}

function folded(code: number, marks: string): string {
  const plain = plainOf(code);
  if (plain !== undefined) return plain;
  const small = composed(code, marks).toLowerCase();
  return withoutAccents(small).replaceAll("ß", "ss").replaceAll("ς", "σ");
}

function composed(code: number, marks: string): string {
  return plainOf(code) ?? (String.fromCodePoint(code) + marks).normalize("NFKC");
}

const plainOf = (code: number): string | undefined =>
  PUNCTUATION.get(code) ?? enclosedLetter(code) ?? undefined;

const ACCENTED = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;
const LETTER = /[\p{L}\p{M}]/u;

/** Keeps a mark only on a letter of a script in which it is no accent. */
function withoutAccents(text: string): string {
  let kept = "";
  let carriesMarks = false;
  for (const character of text.normalize("NFD")) {
    if (MARK.test(character)) {
      if (carriesMarks) kept += character;
      continue;
    }
    carriesMarks = LETTER.test(character) && !ACCENTED.test(character);
    kept += character;
  }
  return kept.normalize("NFC");
}

const PUNCTUATION: ReadonlyMap<number, string> = new Map(
  [
    ["‘’‛´ʼʻ′＇", "'"],
    ["“”„‟«»″＂", '"'],
    ["‐‑‒–—―−﹣－", "-"],
  ].flatMap(([characters = "", plain = ""]) =>
    Array.from(characters, (character) => [character.codePointAt(0) ?? 0, plain] as const),
  ),
);

/** The letter in a dark circle or square, which has no compatibility form; null: another character. */
function enclosedLetter(code: number): string | null {
  for (const first of [0x1f150, 0x1f170]) {
    if (code >= first && code < first + 26) return String.fromCharCode(97 + code - first);
  }
  return null;
}

// A text as a reader is meant to read it: without invisible characters, in plain forms of its characters, and
// with the letters of one script in each word.

const WORD = /\p{L}[\p{L}\p{M}\p{N}]*/gu;
const LATIN = /[A-Za-z]/;
const NOT_LATIN = /(?!\p{Script=Latin})\p{L}/gu;

/** Its case and accents stay. A word of Latin letters and lookalikes of another script becomes Latin. */
export const plainText = (text: string, lines: "joined" | "kept" = "joined"): string =>
  shown(text, lines).replaceAll(WORD, (word) =>
    LATIN.test(word) ? word.replaceAll(NOT_LATIN, inLatin) : word,
  );

function inLatin(letter: string): string {
  const small = letter.toLowerCase();
  const latin = latinCapital(letter) ?? latinLetter(small);
  if (latin === undefined) return letter;
  return small === letter ? latin : latin.toUpperCase();
}

const FOREIGN_LETTER = /[\p{L}--\p{ASCII}]/gv;

/** A text in its normal form for a reader of English only: every letter that can be Latin is Latin. */
export const readAsLatin = (normal: string): string =>
  normal.replaceAll(FOREIGN_LETTER, (letter) => latinLetter(letter) ?? letter);

// A normal form while it is built, piece by piece.

interface Normalised {
  readonly text: string;
  /** Where the pieces of `text` come from; null: each unit is at the same place in the original. */
  readonly pieces: Pieces | null;
}

/** Runs of plain characters, and each other character with its marks. */
interface Pieces {
  /** Where each piece begins in the normal form, and where it begins and ends in the original. */
  readonly at: Int32Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
}

const twice = (from: Int32Array): Int32Array<ArrayBuffer> => {
  const made = new Int32Array(from.length * 2);
  made.set(from);
  return made;
};

class Output {
  #text = "";
  #pieces = 0;
  #at = new Int32Array(64);
  #start = new Int32Array(64);
  #end = new Int32Array(64);

  write(text: string, start: number, end: number): void {
    if (text === "") return;
    if (this.#pieces === this.#at.length) this.#grow();
    this.#at[this.#pieces] = this.#text.length;
    this.#start[this.#pieces] = start;
    this.#end[this.#pieces] = end;
    this.#pieces += 1;
    this.#text += text;
  }

  #grow(): void {
    this.#at = twice(this.#at);
    this.#start = twice(this.#start);
    this.#end = twice(this.#end);
  }

  finish(): Normalised {
    const cut = (from: Int32Array): Int32Array => from.subarray(0, this.#pieces);
    const pieces = { at: cut(this.#at), start: cut(this.#start), end: cut(this.#end) };
    return { text: this.#text, pieces };
  }
}
