import type { VectorCode } from "./vector-code.ts";

// The codes of many vectors side by side, and the search over them: which vectors may be among the nearest.

/** A vector of a set, by its place in the set. */
export interface VectorRef {
  readonly set: string;
  readonly ordinal: number;
}

/** A vector that may be among the nearest. */
export interface Candidate extends VectorRef {
  /** The highest cosine that it can have. */
  readonly reach: number;
}

const FIRST_CAPACITY = 256;

/** Codes of vectors of one length. A set's vectors come and go together. */
export class CodeTable {
  readonly dimensions: number;
  readonly #sets: string[] = [];
  readonly #ordinals: number[] = [];
  #codes: Int8Array;
  #scales: Float64Array;
  #residuals: Float64Array;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#codes = new Int8Array(FIRST_CAPACITY * dimensions);
    this.#scales = new Float64Array(FIRST_CAPACITY);
    this.#residuals = new Float64Array(FIRST_CAPACITY);
  }

  get size(): number {
    return this.#sets.length;
  }

  /** @throws RangeError for a code of another length */
  add(ref: VectorRef, { code, scale, residual }: VectorCode): void {
    if (code.length !== this.dimensions) throw new RangeError("a vector of another length");
    const at = this.size;
    if (at === this.#scales.length) this.#grow();
    this.#codes.set(code, at * this.dimensions);
    this.#scales[at] = scale;
    this.#residuals[at] = residual;
    this.#sets.push(ref.set);
    this.#ordinals.push(ref.ordinal);
  }

  /** Removes all vectors of a set, if there are any. */
  removeSet(set: string): void {
    for (let at = this.size - 1; at >= 0; at -= 1) {
      if (this.#sets[at] === set) this.#removeAt(at);
    }
  }

  /**
   * The vectors that may be among the nearest `most`: every one whose cosine could reach the `most`-th
   * best. The nearest are all among them, whatever the codes leave out. Those that can be the nearest come
   * first, so that a reader may stop at the first one that cannot reach what it has.
   *
   * @param query of unit length
   * @param takes whether a set is searched; asked once for each set in a row
   */
  nearest(query: Float32Array, most: number, takes: (set: string) => boolean): Candidate[] {
    const taken = this.#taken(takes);
    const scores = this.#scores(query, taken);
    const floor = nthLargest(
      scores.map((score, at) => score - (this.#residuals[taken[at] ?? 0] ?? 0)),
      most,
    );
    return taken
      .flatMap((slot, at) => {
        const reach = (scores[at] ?? 0) + (this.#residuals[slot] ?? 0);
        return reach < floor ? [] : [{ ...this.#refAt(slot), reach }];
      })
      .toSorted((a, b) => b.reach - a.reach);
  }

  #refAt(slot: number): VectorRef {
    return { set: this.#sets[slot] ?? "", ordinal: this.#ordinals[slot] ?? 0 };
  }

  #taken(takes: (set: string) => boolean): number[] {
    const taken: number[] = [];
    let last: string | null = null;
    let isTaken = false;
    for (const [slot, set] of this.#sets.entries()) {
      if (set !== last) isTaken = takes(set);
      last = set;
      if (isTaken) taken.push(slot);
    }
    return taken;
  }

  /** The cosine of each code. Four sums side by side: one alone would wait for itself. */
  #scores(query: Float32Array, slots: readonly number[]): Float64Array {
    const codes = this.#codes;
    const length = this.dimensions;
    const scores = new Float64Array(slots.length);
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index] ?? 0;
      const from = slot * length;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let at = 0;
      for (; at + 3 < length; at += 4) {
        a += (query[at] ?? 0) * (codes[from + at] ?? 0);
        b += (query[at + 1] ?? 0) * (codes[from + at + 1] ?? 0);
        c += (query[at + 2] ?? 0) * (codes[from + at + 2] ?? 0);
        d += (query[at + 3] ?? 0) * (codes[from + at + 3] ?? 0);
      }
      for (; at < length; at += 1) a += (query[at] ?? 0) * (codes[from + at] ?? 0);
      scores[index] = (a + b + c + d) * (this.#scales[slot] ?? 0);
    }
    return scores;
  }

  #removeAt(at: number): void {
    const last = this.size - 1;
    const length = this.dimensions;
    this.#codes.copyWithin(at * length, last * length, (last + 1) * length);
    this.#scales[at] = this.#scales[last] ?? 0;
    this.#residuals[at] = this.#residuals[last] ?? 0;
    const ref = this.#refAt(last);
    this.#sets[at] = ref.set;
    this.#ordinals[at] = ref.ordinal;
    this.#sets.pop();
    this.#ordinals.pop();
  }

  #grow(): void {
    const capacity = this.#scales.length * 2;
    this.#codes = grown(this.#codes, new Int8Array(capacity * this.dimensions));
    this.#scales = grown(this.#scales, new Float64Array(capacity));
    this.#residuals = grown(this.#residuals, new Float64Array(capacity));
  }
}

function grown<List extends Int8Array | Float64Array>(from: List, to: List): List {
  to.set(from);
  return to;
}

/** -Infinity where there are fewer. */
function nthLargest(values: Float64Array, nth: number): number {
  if (values.length < nth) return -Infinity;
  return values.toSorted()[values.length - nth] ?? -Infinity;
}
