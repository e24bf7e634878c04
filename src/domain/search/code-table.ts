import { encodeQuery, type VectorCode } from "./vector-code.ts";

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

/**
 * Writes to `out` the sum of `query[i] * codes[n][i]` for each row n. A row is as long as the query,
 * a multiple of 16. The query's numbers are such that no sum leaves 32 bits (`encodeQuery`).
 */
export type Products = (query: Int16Array, codes: Int8Array, out: Int32Array) => void;

const FIRST_CAPACITY = 256;

/** What SIMD reads at once. */
const LANE = 16;

/** Codes of vectors of one length. A set's vectors come and go together. */
export class CodeTable {
  readonly dimensions: number;
  /** Bytes of a row: the rest of its last lane is zeros. */
  readonly #row: number;
  readonly #products: Products;
  readonly #sets: string[] = [];
  readonly #ordinals: number[] = [];
  #codes: Int8Array;
  #scales: Float64Array;
  #residuals: Float64Array;

  readonly #most: number;

  /** @param most vectors that it ever has */
  constructor(dimensions: number, products: Products, most: number) {
    this.dimensions = dimensions;
    this.#row = Math.ceil(dimensions / LANE) * LANE;
    this.#products = products;
    this.#most = most;
    const capacity = Math.min(FIRST_CAPACITY, most);
    this.#codes = new Int8Array(capacity * this.#row);
    this.#scales = new Float64Array(capacity);
    this.#residuals = new Float64Array(capacity);
  }

  /** Of its numbers, with the room to grow. */
  get bytes(): number {
    return this.#codes.byteLength + this.#scales.byteLength + this.#residuals.byteLength;
  }

  get size(): number {
    return this.#sets.length;
  }

  /** @throws RangeError for a code of another length, and for one too many */
  add(ref: VectorRef, { code, scale, residual }: VectorCode): void {
    if (code.length !== this.dimensions) throw new RangeError("a vector of another length");
    if (this.size === this.#most) throw new RangeError("a vector too many");
    const at = this.size;
    if (at === this.#scales.length) this.#grow();
    this.#codes.set(code, at * this.#row);
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
    const reaches = new Float64Array(this.size).fill(-Infinity);
    const coded = encodeQuery(query, this.#row);
    const floors = new Largest(most);
    for (const { from, to } of this.#runs(takes)) {
      const sums = new Int32Array(to - from);
      this.#products(coded.code, this.#codes.subarray(from * this.#row, to * this.#row), sums);
      for (let slot = from; slot < to; slot += 1) {
        const scale = coded.scale * (this.#scales[slot] ?? 0);
        const score = (sums[slot - from] ?? 0) * scale;
        const residual = this.#residuals[slot] ?? 0;
        // What the vector's code leaves out, and what the query's leaves out of the vector's code.
        const slack = residual + coded.residual * (1 + residual);
        floors.add(score - slack);
        reaches[slot] = score + slack;
      }
    }
    const floor = floors.least;
    const candidates: Candidate[] = [];
    for (const [slot, reach] of reaches.entries()) {
      if (reach >= floor && reach !== -Infinity) {
        candidates.push({ ...this.#refAt(slot), reach });
      }
    }
    return candidates.toSorted((a, b) => b.reach - a.reach);
  }

  #refAt(slot: number): VectorRef {
    return { set: this.#sets[slot] ?? "", ordinal: this.#ordinals[slot] ?? 0 };
  }

  /** The slots that are searched, as runs. */
  #runs(takes: (set: string) => boolean): { readonly from: number; readonly to: number }[] {
    const runs: { from: number; to: number }[] = [];
    let last: string | null = null;
    let isTaken = false;
    for (const [slot, set] of this.#sets.entries()) {
      if (set !== last) isTaken = takes(set);
      last = set;
      if (!isTaken) continue;
      const run = runs.at(-1);
      if (run?.to === slot) run.to += 1;
      else runs.push({ from: slot, to: slot + 1 });
    }
    return runs;
  }

  #removeAt(at: number): void {
    const last = this.size - 1;
    const length = this.#row;
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
    const capacity = Math.min(this.#scales.length * 2, this.#most);
    this.#codes = grown(this.#codes, new Int8Array(capacity * this.#row));
    this.#scales = grown(this.#scales, new Float64Array(capacity));
    this.#residuals = grown(this.#residuals, new Float64Array(capacity));
  }
}

function grown<List extends Int8Array | Float64Array>(from: List, to: List): List {
  to.set(from);
  return to;
}

/** The largest few of many numbers. */
class Largest {
  /** Descending. */
  readonly #kept: Float64Array;

  constructor(most: number) {
    this.#kept = new Float64Array(most).fill(-Infinity);
  }

  /** The last of them; -Infinity where there are fewer. */
  get least(): number {
    return this.#kept.at(-1) ?? -Infinity;
  }

  add(value: number): void {
    const kept = this.#kept;
    if (value <= this.least) return;
    let at = kept.length - 1;
    for (; at > 0 && value > (kept[at - 1] ?? 0); at -= 1) kept[at] = kept[at - 1] ?? 0;
    kept[at] = value;
  }
}
