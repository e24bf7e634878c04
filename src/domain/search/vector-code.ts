// A vector in one byte a number, with how far that is from the vector itself. So much fits in memory; with
// the distance a search over codes knows which vectors it must look at to be exact.

/** A vector's numbers as `scale * code`, each to the nearest step. */
export interface VectorCode {
  readonly code: Int8Array;
  readonly scale: number;
  /**
   * The length of what the code leaves out, with room for rounding. For a query of unit length, the cosine
   * differs from that of the code by so much at most.
   */
  readonly residual: number;
}

/** What rounding of the sums may add: far more than 4,096 sums of numbers below 1 do. */
const ROUNDING = 1e-9;

/**
 * A vector of unit length, in 32-bit floats; its cosine with another such is their product.
 *
 * @returns null for a vector that has no direction
 */
export function unitVector(vector: readonly number[] | Float32Array): Float32Array | null {
  const length = Math.hypot(...vector);
  if (!Number.isFinite(length) || length === 0) return null;
  return Float32Array.from(vector, (value) => value / length);
}

/** @param vector as `unitVector` gives it */
export function encodeVector(vector: Float32Array): VectorCode {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest / 127;
  const code = Int8Array.from(vector, (value) => Math.round(value / scale));
  const lost = vector.reduce((sum, value, at) => sum + (value - scale * (code[at] ?? 0)) ** 2, 0);
  return { code, scale, residual: Math.sqrt(lost) + ROUNDING };
}

/** A query's numbers as `scale * code`: finer than a vector's code, since there is only one. */
export interface QueryCode {
  readonly code: Int16Array;
  readonly scale: number;
  /** The length of what the code leaves out. */
  readonly residual: number;
}

const LARGEST_SUM = 2 ** 31 - 1;

/**
 * The sum of its products with a `VectorCode` fits in 32 bits, whatever both are.
 *
 * @param query as `unitVector` gives it
 * @param length of the code; what is beyond the query is zeros
 */
export function encodeQuery(query: Float32Array, length: number): QueryCode {
  const steps = Math.min(32_767, Math.floor(LARGEST_SUM / (127 * query.length)));
  const largest = query.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest / steps;
  const code = new Int16Array(length);
  code.set(Int16Array.from(query, (value) => Math.round(value / scale)));
  const lost = query.reduce((sum, value, at) => sum + (value - scale * (code[at] ?? 0)) ** 2, 0);
  return { code, scale, residual: Math.sqrt(lost) };
}

/** The cosine of two vectors of unit length, summed in 64 bits. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
