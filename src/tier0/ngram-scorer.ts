// The quick scorer: each word, each pair of words and each run of three to five letters adds a number to
// every head. It knows no order beyond pairs, and costs a tenth of the net.
import { BEFORE_FIRST, eachLetterRun, pairBucket, wordBucket } from "./features.ts";
import { HEADS } from "./heads.ts";
import type { Token, WordTable } from "./vocabulary.ts";
import type { Weights } from "./weights.ts";

const COUNT = HEADS.length;

/** The weight of runs of letters, relative to words. */
const LETTERS = 0.7;

/**
 * Sums over the tokens from the first one on, so that the sum of a window is a difference. The integers may
 * wrap: the difference, over at most 64 tokens, is still right.
 */
export interface NgramSums {
  readonly words: Int32Array;
  readonly letters: Int32Array;
  readonly runs: Int32Array;
}

/**
 * The file stores signed square roots of the weights as bytes: so the few strong words keep their weights and
 * the many weak ones a fine resolution. Evenly spaced bytes would lose one or the other.
 */
const squared = (roots: Int8Array): Int16Array =>
  Int16Array.from(roots, (root) => root * Math.abs(root));

export class NgramScorer {
  readonly #weights: Int16Array;
  readonly #scale: Float64Array;
  readonly #bias: Float64Array;
  readonly #words: WordTable;

  constructor({ ngrams, dense }: Weights, words: WordTable) {
    this.#weights = squared(ngrams);
    this.#scale = dense.ngramScale;
    this.#bias = dense.ngramBias;
    this.#words = words;
  }

  sum(tokens: readonly Token[]): NgramSums {
    const words = new Int32Array((tokens.length + 1) * COUNT);
    const letters = new Int32Array((tokens.length + 1) * COUNT);
    const runs = new Int32Array(tokens.length + 1);
    /** The index of each word's first occurrence: its runs of letters add the same again. */
    const seen = new Map<string, number>();
    let before = BEFORE_FIRST;
    let to = COUNT;
    for (let at = 0; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined) break;
      for (let head = to; head < to + COUNT; head += 1) {
        words[head] = words[head - COUNT] ?? 0;
        letters[head] = letters[head - COUNT] ?? 0;
      }
      const hash = this.#words.hashOf(token.word, token.row);
      this.#add(words, to, wordBucket(hash));
      this.#add(words, to, pairBucket(before, hash));
      before = hash;
      const earlier = seen.get(token.word);
      if (earlier === undefined) {
        let found = 0;
        eachLetterRun(token, (bucket) => {
          this.#add(letters, to, bucket);
          found += 1;
        });
        runs[at + 1] = (runs[at] ?? 0) + found;
        seen.set(token.word, at);
      } else {
        const from = earlier * COUNT;
        for (let head = 0; head < COUNT; head += 1) {
          const added = (letters[from + COUNT + head] ?? 0) - (letters[from + head] ?? 0);
          letters[to + head] = (letters[to + head] ?? 0) + added;
        }
        runs[at + 1] = (runs[at] ?? 0) + (runs[earlier + 1] ?? 0) - (runs[earlier] ?? 0);
      }
      to += COUNT;
    }
    return { words, letters, runs };
  }

  /** The logits of the tokens from `from` to `to`. */
  score({ words, letters, runs }: NgramSums, from: number, to: number): Float64Array {
    const ofWords = 1 / Math.sqrt(Math.max(1, (to - from) * 2));
    const ofLetters = LETTERS / Math.sqrt(Math.max(1, (runs[to] ?? 0) - (runs[from] ?? 0)));
    const logits = new Float64Array(COUNT);
    for (let head = 0; head < COUNT; head += 1) {
      const [first, last] = [from * COUNT + head, to * COUNT + head];
      const sum =
        (((words[last] ?? 0) - (words[first] ?? 0)) | 0) * ofWords +
        (((letters[last] ?? 0) - (letters[first] ?? 0)) | 0) * ofLetters;
      logits[head] = sum * (this.#scale[head] ?? 0) + (this.#bias[head] ?? 0);
    }
    return logits;
  }

  /** What each word from `from` to `to` adds to one head; each word of a pair gets half of it. */
  attribute(tokens: readonly Token[], [from, to]: [number, number], head: number): number[] {
    const scale = (this.#scale[head] ?? 0) / Math.sqrt(Math.max(1, (to - from) * 2));
    const shares: number[] = [];
    let before = BEFORE_FIRST;
    for (const token of tokens.slice(from, to)) {
      const hash = this.#words.hashOf(token.word, token.row);
      const alone = this.#weights[wordBucket(hash) * COUNT + head] ?? 0;
      const pair = this.#weights[pairBucket(before, hash) * COUNT + head] ?? 0;
      const last = shares.length - 1;
      if (last >= 0) shares[last] = (shares[last] ?? 0) + (pair / 2) * scale;
      shares.push((alone + pair / 2) * scale);
      before = hash;
    }
    return shares;
  }

  #add(sums: Int32Array, to: number, bucket: number): void {
    const at = bucket * COUNT;
    for (let head = 0; head < COUNT; head += 1) {
      sums[to + head] = (sums[to + head] ?? 0) + (this.#weights[at + head] ?? 0);
    }
  }
}
