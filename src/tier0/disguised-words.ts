import { latinReading, LEET } from "../domain/text/lookalikes.ts";
import type { Token, Vocabulary } from "./vocabulary.ts";

// How a written word is read: as it is if the vocabulary has it, else with the first disguise undone that
// gives a known word.

export interface Reading {
  readonly word: string;
  readonly row: number;
}

/** A longer run is no word: it is cut, so that it stays cheap to read. */
const LONGEST_WORD = 64;

export function readWord(written: string, vocabulary: Vocabulary): Reading {
  let word = written.length > LONGEST_WORD ? written.slice(0, LONGEST_WORD) : written;
  const found = (candidate: string): Reading | null => {
    const row = vocabulary.rowOf(candidate);
    if (row < 0) return null;
    // A word with stars is read as the word that they hide.
    const hidden = candidate.includes("*") ? vocabulary.wordOf(row) : null;
    return { word: hidden ?? candidate, row };
  };
  const known = found(word);
  if (known !== null) return known;

  const latin = latinReading(word);
  if (latin !== null) {
    const reading = found(latin);
    if (reading !== null) return reading;
    word = latin;
  }
  if (isLeet(word)) {
    // A 1 may be an i or an l.
    for (const one of ["i", "l"]) {
      const spelled = withoutLeet(word, one);
      const reading = found(spelled) ?? found(withoutRepeats(spelled, 1));
      if (reading !== null) return reading;
    }
    if (!word.includes("*")) word = withoutLeet(word, "i");
  }
  const doubled = withoutRepeats(word, 2);
  const single = withoutRepeats(doubled, 1);
  const reading = found(doubled) ?? found(single);
  if (reading !== null) return reading;
  if (doubled.length > 4 && doubled.endsWith("s")) {
    const singular = found(doubled.slice(0, -1)) ?? found(single.slice(0, -1));
    if (singular !== null) return singular;
  }
  return { word: doubled, row: -1 };
}

/** Whether a word has letters, and digits or signs among them. */
function isLeet(word: string): boolean {
  let letters = false;
  let others = false;
  for (let at = 0; at < word.length; at += 1) {
    const unit = word.charCodeAt(at);
    if (isLatinLetter(unit)) letters = true;
    else if (isDigit(unit) || unit < 0x80) others = true;
  }
  return letters && others;
}

function withoutLeet(word: string, one: string): string {
  let spelled = "";
  for (const character of word) {
    spelled += character === "1" ? one : (LEET[character] ?? character);
  }
  return spelled;
}

/** Shortens each run of one letter to at most `most`. */
function withoutRepeats(word: string, most: number): string {
  let kept = "";
  let run = 0;
  for (let at = 0; at < word.length; at += 1) {
    run = at > 0 && word[at] === word[at - 1] ? run + 1 : 1;
    if (run <= most) kept += word[at];
  }
  return kept;
}

// Joins words that were taken apart to hide them: "i d i o t", "i.d.i.o.t", "idi-ot", "idi 🙂 ot". Single
// letters are joined to any known word. Longer pieces are joined only if the whole is a word of abuse, since
// honest texts are full of short words.

export function joinPieces(tokens: readonly Token[], vocabulary: Vocabulary): readonly Token[] {
  if (!tokens.some((token, at) => mayBePiece(token, tokens[at + 1], vocabulary))) return tokens;
  const joined: Token[] = [];
  let at = 0;
  while (at < tokens.length) {
    const made = joinLetters(tokens, at, vocabulary) ?? joinSplit(tokens, at, vocabulary);
    const token = tokens[at];
    if (made === null) {
      if (token !== undefined) joined.push(token);
      at += 1;
    } else {
      joined.push(...made.tokens);
      at = made.next;
    }
  }
  return joined;
}

interface Joined {
  readonly tokens: readonly Token[];
  readonly next: number;
}

const isSingleLetter = (word: string): boolean =>
  word.length === 1 && isLatinLetter(word.charCodeAt(0));

const isPiece = (word: string): boolean =>
  isLatinLetter(word.charCodeAt(0)) && word.charCodeAt(1) !== 58 && !word.includes("'");

/** A token between pieces that has no meaning there: a mark, an emoji, a star. */
const isBetween = (word: string): boolean =>
  word.startsWith("e:") || (word.length <= 2 && ".-_*/,:;'=&%()<>[]!".includes(word[0] ?? " "));

const mayBePiece = (token: Token, next: Token | undefined, vocabulary: Vocabulary): boolean =>
  isSingleLetter(token.word) ||
  (next !== undefined && isPiece(token.word) && (isBetween(next.word) || isOdd(token, vocabulary)));

/** Letters of one run; a longer run is joined in several parts. */
const MOST_LETTERS = 40;
const FEWEST_LETTERS = 3;
/** This many single letters in a row were separated on purpose, even if they form no known word. */
const SPELLED_OUT = 4;

function joinLetters(tokens: readonly Token[], from: number, vocabulary: Vocabulary) {
  const run: Token[] = [];
  let at = from;
  let next = from;
  while (run.length < MOST_LETTERS) {
    const token = tokens[at];
    if (token === undefined) break;
    if (isSingleLetter(token.word)) {
      run.push(token);
      next = at + 1;
    } else if (run.length === 0 || !isBetween(token.word)) break;
    else if (!isSingleLetter(tokens[at + 1]?.word ?? "")) break;
    at += 1;
  }
  if (run.length < FEWEST_LETTERS) return null;
  const letters = run.map((token) => token.word).join("");
  const whole = readWord(letters, vocabulary);
  if (whole.row < 0 && letters.length < SPELLED_OUT) return null;
  if (whole.row >= 0) return { tokens: [spanned(whole, run, 0, run.length)], next };
  return { tokens: wordsOfAbuse(letters, run, vocabulary), next };
}

const spanned = (
  reading: { word: string; row: number },
  run: readonly Token[],
  from: number,
  to: number,
): Token => ({ ...reading, start: run[from]?.start ?? 0, end: run[to - 1]?.end ?? 0 });

const LONGEST_ABUSE = 12;
const SHORTEST_ABUSE = 3;

/** Splits letters that form several words: into words of abuse and the letters between them. */
function wordsOfAbuse(letters: string, run: readonly Token[], vocabulary: Vocabulary): Token[] {
  const found: Token[] = [];
  let rest = 0;
  const pushRest = (to: number) => {
    if (to <= rest) return;
    found.push(spanned(readWord(letters.slice(rest, to), vocabulary), run, rest, to));
  };
  let at = 0;
  while (at + SHORTEST_ABUSE <= letters.length) {
    const length = abuseAt(letters, at, vocabulary);
    if (length === 0) {
      at += 1;
      continue;
    }
    pushRest(at);
    const word = letters.slice(at, at + length);
    found.push(spanned({ word, row: vocabulary.rowOf(word) }, run, at, at + length));
    at += length;
    rest = at;
  }
  pushRest(letters.length);
  return found;
}

function abuseAt(letters: string, at: number, vocabulary: Vocabulary): number {
  const most = Math.min(LONGEST_ABUSE, letters.length - at);
  for (let length = most; length >= SHORTEST_ABUSE; length -= 1) {
    if (vocabulary.isProfane(vocabulary.rowOf(letters.slice(at, at + length)))) return length;
  }
  return 0;
}

const MOST_PIECES = 5;
const LONGEST_JOIN = 16;

/** Joins pieces with a mark between them and no space, or pieces of which at least one is no word. */
function joinSplit(tokens: readonly Token[], from: number, vocabulary: Vocabulary): Joined | null {
  const first = tokens[from];
  if (first === undefined || !isPiece(first.word)) return null;
  let word = first.word;
  let last = first;
  let odd = isOdd(first, vocabulary);
  let best: Joined | null = null;
  let at = from + 1;
  for (let pieces = 1; pieces < MOST_PIECES; pieces += 1) {
    let between = 0;
    while (between < 3 && isBetween(tokens[at]?.word ?? "x")) {
      at += 1;
      between += 1;
    }
    const piece = tokens[at];
    if (piece === undefined || !isPiece(piece.word)) break;
    const glued = between > 0 && piece.start - last.end <= 8;
    odd ||= isOdd(piece, vocabulary);
    if (!glued && (!odd || between > 0 || piece.start - last.end > 1)) break;
    word += piece.word;
    if (word.length > LONGEST_JOIN) break;
    last = piece;
    at += 1;
    const row = word.length > SHORTEST_ABUSE ? vocabulary.rowOf(word) : -1;
    if (vocabulary.isProfane(row) && !vocabulary.isProfane(first.row)) {
      const token = { word, row, start: first.start, end: last.end };
      best = { tokens: [token], next: at };
    }
  }
  return best;
}

const SHORT_WORDS = new Set(
  `a i ah am an as at be by do go ha he hi if in is it me my no of oh ok on or so to uh um up us we ye
   la mr ms dr pm tv uk ur re ex`.split(/\s+/),
);

/** No word by itself: an unknown word, or one or two letters that are no word. */
const isOdd = (token: Token, vocabulary: Vocabulary): boolean =>
  token.word.length <= 2
    ? !SHORT_WORDS.has(token.word)
    : token.row < 0 && !vocabulary.isProfane(token.row);

// Classes of the units of a normalised text. They use ranges instead of Unicode tables, since every unit is
// tested, and an unassigned code point may be in any class.

const isLatinLetter = (unit: number): boolean => unit >= 97 && unit <= 122;

export const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57;

/** Letters of every script, with the marks that normalisation kept on them. Surrogates are excluded. */
export const isLetter = (unit: number): boolean =>
  isLatinLetter(unit) ||
  unit === 0xaa ||
  unit === 0xba ||
  (unit > 0xbf && unit < 0x2000 && unit !== 0xd7 && unit !== 0xf7) ||
  (unit >= 0x2c00 && unit < 0x2e00) ||
  (unit >= 0x3040 && unit < 0xd800) ||
  (unit >= 0xf900 && unit < 0xfe00);

/** Emoji, arrows, dingbats. */
export const isEmoji = (code: number): boolean =>
  (code >= 0x1f000 && code < 0x20000) ||
  (code >= 0x2190 && code < 0x2200) ||
  (code >= 0x2300 && code < 0x2c00) ||
  code === 0x3030;
