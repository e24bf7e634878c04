import { HEADS } from "./heads.ts";
import {
  BEFORE_FIRST,
  eachLetterRun,
  pairBucket,
  wordBucket,
  type Token,
  type WordTable,
  piecesOf,
} from "./vocabulary.ts";
import { type Weights, ATTENTION, type Dense, HIDDEN, ROW, UNITS } from "./weights.ts";

// The quick scorer: each word, each pair of words and each run of three to five letters adds a number to
// every head. It knows no order beyond pairs, and costs a tenth of the net.

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

// The net: rows of words, a convolution over three words, a gated recurrence in both directions, pooling, and
// two layers. It reads at most WINDOW tokens. Its arrays are allocated once and reused: a scorer reads one
// text at a time and never awaits.

export const WINDOW = 64;

const HALF = UNITS / 2;
const QUARTER = UNITS / ATTENTION;
const POOLED = 2 * UNITS;

const layer = (matrix: Float64Array, bias: Float64Array) => ({ matrix, bias });

export class Net {
  readonly #dense: Dense;
  readonly #rows: Int8Array;
  readonly #pieces: Int8Array;
  readonly #widen;
  readonly #gates;
  readonly #hidden;
  readonly #output;
  /** The rows of the tokens, with an empty row before the first and after the last. */
  readonly #x = new Float64Array((WINDOW + 2) * ROW);
  readonly #mixed = new Float64Array(ROW);
  readonly #units = new Float64Array(WINDOW * UNITS);
  readonly #gate = new Float64Array(WINDOW * 2 * UNITS);
  readonly #pooled = new Float64Array(POOLED);
  readonly #highestAt = new Int32Array(UNITS);
  readonly #attention = new Float64Array(ATTENTION * WINDOW);
  readonly #hiddenUnits = new Float64Array(HIDDEN);

  constructor({ dense, rows, pieces }: Weights) {
    this.#dense = dense;
    this.#rows = rows;
    this.#pieces = pieces;
    this.#widen = layer(dense.widen, dense.widenBias);
    this.#gates = layer(dense.gates, dense.gatesBias);
    this.#hidden = layer(dense.hidden, dense.hiddenBias);
    this.#output = layer(dense.output, dense.outputBias);
  }

  /** Writes the logits of the tokens from `from` to `to` (at most WINDOW of them) to `out`. */
  score(tokens: readonly Token[], from: number, to: number, out: Float64Array): void {
    const length = to - from;
    this.#readRows(tokens, from, length);
    this.#convolve(length);
    for (let at = 0; at < length; at += 1) {
      multiply(this.#gates, this.#units, at * UNITS, UNITS, this.#gate, at * 2 * UNITS);
    }
    this.#recur(length);
    this.#poolHighest(length);
    this.#poolAttended(length);
    multiply(this.#hidden, this.#pooled, 0, POOLED, this.#hiddenUnits, 0);
    rectify(this.#hiddenUnits, 0, HIDDEN);
    multiply(this.#output, this.#hiddenUnits, 0, HIDDEN, out, 0);
    const { skip } = this.#dense;
    for (let head = 0; head < HEADS.length; head += 1) {
      let sum = out[head] ?? 0;
      for (let at = 0; at < POOLED; at += 1) {
        sum += (skip[head * POOLED + at] ?? 0) * (this.#pooled[at] ?? 0);
      }
      out[head] = sum;
    }
  }

  #readRows(tokens: readonly Token[], from: number, length: number): void {
    this.#x.fill(0, 0, ROW);
    this.#x.fill(0, (length + 1) * ROW, (length + 2) * ROW);
    for (let at = 0; at < length; at += 1) {
      const token = tokens[from + at];
      if (token === undefined) break;
      const to = (at + 1) * ROW;
      if (token.row < 0) {
        this.#sumPieces(token.word, to);
        continue;
      }
      const row = token.row * ROW;
      for (let i = 0; i < ROW; i += 1) this.#x[to + i] = this.#rows[row + i] ?? 0;
    }
  }

  #sumPieces(word: string, to: number): void {
    const buckets = piecesOf(word);
    const { pieceScale } = this.#dense;
    this.#x.fill(0, to, to + ROW);
    for (const bucket of buckets) {
      // The first row is the trainer's padding.
      const piece = (bucket + 1) * ROW;
      for (let i = 0; i < ROW; i += 1) {
        this.#x[to + i] = (this.#x[to + i] ?? 0) + (this.#pieces[piece + i] ?? 0);
      }
    }
    const share = 1 / Math.sqrt(buckets.length);
    for (let i = 0; i < ROW; i += 1) {
      this.#x[to + i] = (this.#x[to + i] ?? 0) * share * (pieceScale[i] ?? 0);
    }
  }

  #convolve(length: number): void {
    const { convolution } = this.#dense;
    const x = this.#x;
    for (let at = 0; at < length; at += 1) {
      const here = (at + 1) * ROW;
      for (let i = 0; i < ROW; i += 1) {
        this.#mixed[i] =
          (x[here - ROW + i] ?? 0) * (convolution[i] ?? 0) +
          (x[here + i] ?? 0) * (convolution[ROW + i] ?? 0) +
          (x[here + ROW + i] ?? 0) * (convolution[2 * ROW + i] ?? 0);
      }
      multiply(this.#widen, this.#mixed, 0, ROW, this.#units, at * UNITS);
    }
    rectify(this.#units, 0, length * UNITS);
  }

  /** Half of the units remember the tokens before, half those after; their states are added to the input. */
  #recur(length: number): void {
    const gate = this.#gate;
    for (let unit = 0; unit < UNITS; unit += 1) {
      const forwards = unit < HALF;
      let state = 0;
      for (let step = 0; step < length; step += 1) {
        const at = forwards ? step : length - 1 - step;
        const signal = gate[at * 2 * UNITS + unit] ?? 0;
        const candidate = gate[at * 2 * UNITS + UNITS + unit] ?? 0;
        // A cheap sigmoid without an exponential.
        const update = 0.5 + (0.5 * signal) / (1 + Math.abs(signal));
        state += update * (candidate - state);
        const to = at * UNITS + unit;
        if (state > 0) this.#units[to] = (this.#units[to] ?? 0) + state;
      }
    }
  }

  #poolHighest(length: number): void {
    for (let unit = 0; unit < UNITS; unit += 1) {
      let highest = -1;
      for (let at = 0; at < length; at += 1) {
        const value = this.#units[at * UNITS + unit] ?? 0;
        if (value > highest) {
          highest = value;
          this.#highestAt[unit] = at;
        }
      }
      this.#pooled[unit] = highest;
    }
  }

  #poolAttended(length: number): void {
    const { attention, attentionBias } = this.#dense;
    const units = this.#units;
    this.#pooled.fill(0, UNITS);
    for (let head = 0; head < ATTENTION; head += 1) {
      const weights = this.#attention.subarray(head * WINDOW, head * WINDOW + length);
      let highest = -Infinity;
      for (let at = 0; at < length; at += 1) {
        let sum = attentionBias[head] ?? 0;
        for (let unit = 0; unit < UNITS; unit += 1) {
          sum += (attention[head * UNITS + unit] ?? 0) * (units[at * UNITS + unit] ?? 0);
        }
        weights[at] = sum;
        highest = Math.max(highest, sum);
      }
      let total = 0;
      for (let at = 0; at < length; at += 1) {
        const weight = Math.exp((weights[at] ?? 0) - highest);
        weights[at] = weight;
        total += weight;
      }
      for (let at = 0; at < length; at += 1) {
        const weight = (weights[at] ?? 0) / total;
        weights[at] = weight;
        const from = head * QUARTER;
        for (let unit = from; unit < from + QUARTER; unit += 1) {
          const to = UNITS + unit;
          this.#pooled[to] = (this.#pooled[to] ?? 0) + weight * (units[at * UNITS + unit] ?? 0);
        }
      }
    }
  }

  /**
   * What each token of the last scored window adds to one head: the head's slope for each pooled unit, times
   * the token's contribution to that unit.
   */
  attribute(length: number, head: number): number[] {
    const { skip, output, hidden } = this.#dense;
    const slopes = new Float64Array(POOLED);
    for (let at = 0; at < POOLED; at += 1) slopes[at] = skip[head * POOLED + at] ?? 0;
    for (let unit = 0; unit < HIDDEN; unit += 1) {
      if ((this.#hiddenUnits[unit] ?? 0) <= 0) continue;
      const through = output[head * HIDDEN + unit] ?? 0;
      for (let at = 0; at < POOLED; at += 1) {
        slopes[at] = (slopes[at] ?? 0) + through * (hidden[unit * POOLED + at] ?? 0);
      }
    }
    const shares = Array.from({ length }, () => 0);
    for (let unit = 0; unit < UNITS; unit += 1) {
      const highest = this.#highestAt[unit] ?? 0;
      const given = (slopes[unit] ?? 0) * (this.#pooled[unit] ?? 0);
      shares[highest] = (shares[highest] ?? 0) + given;
      const weights = Math.floor(unit / QUARTER) * WINDOW;
      for (let at = 0; at < length; at += 1) {
        const attended =
          (this.#attention[weights + at] ?? 0) * (this.#units[at * UNITS + unit] ?? 0);
        shares[at] = (shares[at] ?? 0) + (slopes[UNITS + unit] ?? 0) * attended;
      }
    }
    return shares;
  }
}

/**
 * `out = matrix x + bias`, with the matrix row by row. It computes four rows at a time, so that each
 * number of `x` is read once for all four, which is twice as fast. `bias.length` is a multiple of four.
 */
function multiply(
  { matrix, bias }: { readonly matrix: Float64Array; readonly bias: Float64Array },
  x: Float64Array,
  at: number,
  columns: number,
  out: Float64Array,
  outAt: number,
): void {
  for (let row = 0; row < bias.length; row += 4) {
    const first = row * columns;
    const second = first + columns;
    const third = second + columns;
    const fourth = third + columns;
    let a = bias[row] ?? 0;
    let b = bias[row + 1] ?? 0;
    let c = bias[row + 2] ?? 0;
    let d = bias[row + 3] ?? 0;
    for (let column = 0; column < columns; column += 1) {
      const value = x[at + column] ?? 0;
      a += (matrix[first + column] ?? 0) * value;
      b += (matrix[second + column] ?? 0) * value;
      c += (matrix[third + column] ?? 0) * value;
      d += (matrix[fourth + column] ?? 0) * value;
    }
    out[outAt + row] = a;
    out[outAt + row + 1] = b;
    out[outAt + row + 2] = c;
    out[outAt + row + 3] = d;
  }
}

function rectify(values: Float64Array, from: number, to: number): void {
  for (let at = from; at < to; at += 1) {
    if ((values[at] ?? 0) < 0) values[at] = 0;
  }
}
