// The one unit of the ledger. A neuron is Workers AI's billing unit. Published prices are whole neurons per
// million units, so one token or image costs a whole number of micro-neurons (µN). Nothing is rounded, except
// up, where a price is per minute or per megapixel.

declare const brand: unique symbol;

/** A whole, non-negative number of micro-neurons (1 neuron = 1,000,000 µN), at most 2^53 - 1. */
export type MicroNeurons = number & { readonly [brand]: "MicroNeurons" };

export const MICRO_PER_NEURON = 1_000_000;

/** @throws RangeError when `value` is negative, fractional or above 2^53 - 1 (SQL would round it) */
export function microNeurons(value: number): MicroNeurons {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError("micro-neurons must be a whole number from 0 to 2^53 - 1");
  }
  return value as MicroNeurons;
}

export const ZERO = microNeurons(0);

export function sum(amounts: Iterable<MicroNeurons>): MicroNeurons {
  let total = 0;
  for (const amount of amounts) total += amount;
  return microNeurons(total);
}

export const plus = (a: MicroNeurons, b: MicroNeurons): MicroNeurons => microNeurons(a + b);

export const minus = (a: MicroNeurons, b: MicroNeurons): MicroNeurons => microNeurons(a - b);

/** `a - b`, but never below zero: the rest of a limit that may have been lowered. */
export const minusOrZero = (a: MicroNeurons, b: MicroNeurons): MicroNeurons =>
  microNeurons(Math.max(0, a - b));

export const least = (a: MicroNeurons, b: MicroNeurons): MicroNeurons =>
  microNeurons(Math.min(a, b));

export const most = (a: MicroNeurons, b: MicroNeurons): MicroNeurons =>
  microNeurons(Math.max(a, b));

/** Converts neurons with up to six decimals, as in settings, to µN; null when there are more decimals. */
export function fromNeurons(neurons: number): MicroNeurons | null {
  const micro = Math.round(neurons * MICRO_PER_NEURON);
  if (!Number.isSafeInteger(micro) || micro < 0 || micro / MICRO_PER_NEURON !== neurons)
    return null;
  return microNeurons(micro);
}

/** For display only: amounts are compared and added in µN. */
export const toNeurons = (amount: MicroNeurons): number => amount / MICRO_PER_NEURON;

/** The exact amount in neurons, without trailing zeros: `22470231` is `"22.470231"`. */
export function formatNeurons(amount: MicroNeurons): string {
  const whole = Math.floor(amount / MICRO_PER_NEURON);
  const micro = String(amount % MICRO_PER_NEURON)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return micro === "" ? String(whole) : `${whole}.${micro}`;
}
