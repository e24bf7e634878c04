import { proportional, proportionalUsd } from "./money.ts";
import { type Month, monthOf, parseDay, startOf } from "./period.ts";

// A month of statements and forecasts.

/** Null for anything but `YYYY-MM` from 1970 on. */
export function parseMonth(text: string): Month | null {
  const first = /^\d{4}-\d{2}$/.test(text) ? parseDay(`${text}-01`) : null;
  return first === null || first < 0 ? null : monthOf(first);
}

/** How much of a month has passed, in milliseconds: 0 before it, all of it after it. */
export interface Elapsed {
  readonly elapsedMs: number;
  readonly wholeMs: number;
}

export function elapsedOf(month: Month, nowMs: number): Elapsed {
  const wholeMs = startOf(month.end) - startOf(month.first);
  return { elapsedMs: Math.min(wholeMs, Math.max(0, nowMs - startOf(month.first))), wholeMs };
}

/** In less time a forecast would show one call rather than the month. */
const LEAST_ELAPSED_MS = 3_600_000;

export interface Spent {
  readonly microNeurons: bigint;
  readonly costUsd: string;
  readonly chargeUsd: string;
}

/**
 * The forecast of a month at the present pace: the spending so far divided by the share of the month that has
 * passed, half up. Null in a month's first hour. For a past month it is the actual spending.
 */
export function forecast(spent: Spent, { elapsedMs, wholeMs }: Elapsed): Spent | null {
  if (elapsedMs < LEAST_ELAPSED_MS) return null;
  const whole = BigInt(wholeMs);
  const elapsed = BigInt(elapsedMs);
  return {
    microNeurons: proportional(spent.microNeurons, whole, elapsed),
    costUsd: proportionalUsd(spent.costUsd, whole, elapsed),
    chargeUsd: proportionalUsd(spent.chargeUsd, whole, elapsed),
  };
}
