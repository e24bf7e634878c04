import { finish, hashOf } from "../domain/text/hash.ts";
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
export const isWord = (word: string): boolean => {
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
