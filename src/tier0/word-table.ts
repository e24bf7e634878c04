import { hashOf } from "../domain/text/hash.ts";
import type { Vocabulary } from "./token.ts";
import type { Weights } from "./weights.ts";

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
