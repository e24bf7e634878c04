import { finish, hashOf, extend, START } from "../domain/text/hash.ts";
import type { Weights } from "./weights.ts";

/** A part of a text for the models: a word, a punctuation mark, an emoji. */
export interface Token {
  /** Its reading: `idiot` for "1d10t", `<user>`, `<url>`, `<num>`, or `e:` and a code for an emoji. */
  readonly word: string;
  /** Its row in the vocabulary; -1: it has none. */
  readonly row: number;
  /** Its place in the original text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** The words with rows of their own; words of abuse come first. */
export interface Vocabulary {
  /** -1: the word has no row. */
  rowOf(word: string): number;
  isProfane(row: number): boolean;
  /** The word of a row of abuse, for the spellings that share the row. */
  wordOf(row: number): string | null;
}

/** Whether a token is a word of a language, not a mark, an emoji or a placeholder. */
const isWord = (word: string): boolean => {
  const first = word.charCodeAt(0);
  if (first < 0x80) return first >= 97 && first <= 122 && word.charCodeAt(1) !== 58;
  return true;
};

/** The model's vocabulary: it has the hashes of its words, and the words of abuse themselves. */
export class WordTable implements Vocabulary {
  readonly #table: HashTable;
  readonly #hashes: Uint32Array;
  readonly #profane: readonly string[];

  constructor({ wordHashes, spellingHashes, spellingRows, profane }: Weights) {
    this.#table = new HashTable(wordHashes.length + spellingHashes.length);
    for (const [row, hash] of wordHashes.entries()) this.#table.set(hash, row);
    for (const [at, hash] of spellingHashes.entries()) {
      this.#table.set(hash, spellingRows[at] ?? 0);
    }
    this.#hashes = wordHashes;
    this.#profane = profane;
  }

  rowOf(word: string): number {
    return this.#table.get(hashOf(word));
  }

  isProfane(row: number): boolean {
    return row >= 0 && row < this.#profane.length;
  }

  wordOf(row: number): string | null {
    return this.#profane[row] ?? null;
  }

  /** The hash for pairs of words: that of the word as which a token is read. */
  hashOf(word: string, row: number): number {
    return this.#hashes[row] ?? hashOf(word);
  }
}

/** Rows by the hash of a word, without the words: open addressing, at most half full. */
class HashTable {
  readonly #hashes: Uint32Array;
  readonly #rows: Int32Array;
  readonly #mask: number;

  constructor(entries: number) {
    let size = 1;
    while (size < entries * 2) size *= 2;
    this.#hashes = new Uint32Array(size);
    this.#rows = new Int32Array(size).fill(-1);
    this.#mask = size - 1;
  }

  set(hash: number, row: number): void {
    let at = hash & this.#mask;
    while ((this.#rows[at] ?? -1) >= 0) {
      if (this.#hashes[at] === hash) return;
      at = (at + 1) & this.#mask;
    }
    this.#hashes[at] = hash;
    this.#rows[at] = row;
  }

  /** -1: not found. */
  get(hash: number): number {
    let at = hash & this.#mask;
    for (;;) {
      const row = this.#rows[at] ?? -1;
      if (row < 0 || this.#hashes[at] === hash) return row;
      at = (at + 1) & this.#mask;
    }
  }
}

// How much of a text the model can read: it was trained on English and does not judge a text of unknown
// words. The set of known words is a Bloom filter (Bloom 1970): about one foreign word in forty passes.

/** Bits set for each word. */
const PROBES = 5;

export interface KnownShare {
  /** Words, without numbers, addresses, mentions, emoji and signs. */
  readonly words: number;
  /** Those that are English, English words of abuse, or look like names. */
  readonly known: number;
  /** Whether the text has letters of any script. */
  readonly letters: boolean;
}

export class KnownWords {
  readonly #bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.#bits = bits;
  }

  /** @param hash the word's hash (`hash.ts`) */
  has(hash: number): boolean {
    const step = (finish(hash ^ SECOND) | 1) >>> 0;
    const size = this.#bits.length * 8;
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = (hash + probe * step) % size;
      if ((((this.#bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 0) return false;
    }
    return true;
  }
}

/** Must equal the constant in the trainer's export. */
const SECOND = 0x9e3779b9;

const LETTER = /\p{L}/u;

export function knownShare(
  text: string,
  tokens: readonly Token[],
  { known, table }: { readonly known: KnownWords; readonly table: WordTable },
): KnownShare {
  let words = 0;
  let recognised = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || !isWord(token.word) || token.word === "n't") continue;
    words += 1;
    const hash = table.hashOf(token.word, token.row);
    if (known.has(hash) || looksLikeName(text, tokens, at)) recognised += 1;
  }
  return { words, known: recognised, letters: LETTER.test(text) };
}

const CAPITALISED = /^\p{Lu}[\p{Ll}\p{M}]{1,40}$/u;
const CAPITALS = /^\p{Lu}/u;

/**
 * A capitalised word after a word without a capital. The second condition excludes texts with capitals
 * throughout; German nouns, which all have capitals, may still pass.
 */
function looksLikeName(text: string, tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  const before = tokens[at - 1];
  if (token === undefined || before === undefined || !isWord(before.word)) return false;
  if (!CAPITALISED.test(text.slice(token.start, token.end))) return false;
  return !CAPITALS.test(text.slice(before.start, before.end));
}

// The features of tokens that the two scorers use. The trainer runs these functions too (tier0/features.ts).

/** Buckets of the n-gram scorer. */
export const NGRAM_BUCKETS = 32_768;

/** Buckets for the pieces of unknown words. */
export const PIECE_BUCKETS = 2_048;

/** The most pieces of one word. */
export const MOST_PIECES = 16;

/** The most letters of a word that are used. */
const LETTERS = 20;

const OPEN = 60;
const CLOSE = 62;

/** The buckets of a word, and of a word with the word before it. */
export const wordBucket = (word: number): number => finish(word ^ 0x5bd1e995) % NGRAM_BUCKETS;
export const pairBucket = (before: number, word: number): number =>
  finish(Math.imul(before, 0x01000193) ^ word) % NGRAM_BUCKETS;

/** The hash that takes the place of the word before the first one. */
export const BEFORE_FIRST = hashOf("^");

/** Calls `found` with the bucket of each run of three to five letters of a word with its edges marked. */
export function eachLetterRun(token: Token, found: (bucket: number) => void): void {
  const { word } = token;
  if (word.length < 3 || !isWord(word)) return;
  const length = Math.min(word.length, LETTERS) + 2;
  for (let from = 0; from + 3 <= length; from += 1) {
    let hash = START ^ 3;
    const last = Math.min(length, from + 5);
    for (let at = from; at < last; at += 1) {
      hash = extend(hash, unitOf(word, at, length));
      if (at - from >= 2) found(finish(hash) % NGRAM_BUCKETS);
    }
  }
}

const unitOf = (word: string, at: number, length: number): number =>
  at === 0 ? OPEN : at === length - 1 ? CLOSE : word.charCodeAt(at - 1);

/** The buckets of an unknown word, from its runs of three and of four letters; at least one. */
export function piecesOf(word: string): number[] {
  const length = Math.min(word.length, LETTERS) + 2;
  const pieces: number[] = [];
  for (const size of [3, 4]) {
    for (let from = 0; from + size <= length && pieces.length < MOST_PIECES; from += 1) {
      let hash = START ^ 77;
      for (let at = from; at < from + size; at += 1) {
        hash = extend(hash, unitOf(word, at, length));
      }
      pieces.push(finish(hash) % PIECE_BUCKETS);
    }
  }
  return pieces.length > 0 ? pieces : [finish(START ^ 77) % PIECE_BUCKETS];
}
