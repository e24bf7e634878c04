// The features of tokens that the two scorers use. The trainer runs this same file (tier0/features.ts).
import { extend, finish, hashOf, START } from "../domain/text/hash.ts";
import { isWord, type Token } from "./vocabulary.ts";

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
