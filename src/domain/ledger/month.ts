import { proportional, proportionalUsd } from "./money.ts";
import { type Month, monthOf, parseDay, startOf } from "./period.ts";

// A month of statements and forecasts.

/** Null for anything but `YYYY-MM` from 1970 on. */
export function parseMonth(text: string): Month | null {
  const first = /^\d{4}-\d{2}$/.test(text) ? parseDay(`${text}-01`) : null;
  return first === null || first < 0 ? null : monthOf(first);
}

/** How much of a month is over, in milliseconds: 0 before it, all of it after it. */
export interface Elapsed {
  readonly elapsedMs: number;
  readonly wholeMs: number;
}

export function elapsedOf(month: Month, nowMs: number): Elapsed {
  const wholeMs = startOf(month.end) - startOf(month.first);
  return { elapsedMs: Math.min(wholeMs, Math.max(0, nowMs - startOf(month.first))), wholeMs };
}

/** Below this a straight line says more about one call than about the month. */
const LEAST_ELAPSED_MS = 3_600_000;

export interface Spent {
  readonly microNeurons: bigint;
  readonly costUsd: string;
  readonly chargeUsd: string;
}

/**
 * What a month will have come to if it goes on as it went so far: what was spent over the share of
 * the month that is over, half up. Null in a month's first hour. A month that is over is what it was.
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
