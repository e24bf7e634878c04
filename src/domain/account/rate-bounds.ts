import type { RateClass, RateUnits } from "../ledger/rate-limit.ts";

// The written part of the account's rates: for each five seconds and class, how many units may be given in
// them, written before they are given. Only memory knows their takers. After a restart all written units
// count as used in the last second in which a permit of those five may be used, so that a rolling minute
// never has more than the limit, whatever was lost. A row has room for twice the units that were given, so
// that few requests write a row.

const PERIOD_S = 5;

/** Rows that a store keeps: when a row is written over, its period has left the minute. */
export const KEPT_PERIODS = 16;

/**
 * Units of each class that may be given within five seconds. `period` is the number of these five seconds.
 */
export interface RateBound {
  readonly period: number;
  readonly units: RateUnits;
}

export const periodOf = (nowMs: number): number => Math.floor(nowMs / (PERIOD_S * 1000));

/** When a period began: a time that the clock had reached when the row was written. */
export const beginMs = ({ period }: RateBound): number => period * PERIOD_S * 1000;

/**
 * @param lifeS the least time for which a permit may be used, in seconds
 * @returns the last second of a period's permits: they end with a second
 */
export const lastSecondOf = ({ period }: RateBound, lifeS: number): number =>
  (period + 1) * PERIOD_S - 1 + lifeS;

interface Given {
  /** Units before a restart: all that the row allowed then. */
  readonly forgotten: number;
  /** Units since then. */
  given: number;
  /** The units that the row allows. */
  written: number;
}

export class RateBounds {
  #period = 0;
  #classes = new Map<RateClass, Given>();

  constructor(written: readonly RateBound[]) {
    for (const { period, units } of written) {
      if (period <= this.#period) continue;
      this.#period = period;
      this.#classes = new Map(
        Object.entries(units).map(([name, count]) => [
          name,
          { forgotten: count, given: 0, written: count },
        ]),
      );
    }
  }

  /**
   * @param freeOf the units of a class that are left for others
   * @returns the row to write before these units are given; null: the written row covers them
   */
  give(units: RateUnits, freeOf: (name: RateClass) => number, nowMs: number): RateBound | null {
    const period = periodOf(nowMs);
    if (period > this.#period) {
      this.#period = period;
      this.#classes = new Map();
    }
    let isCovered = true;
    for (const [name, count] of Object.entries(units)) {
      const of = this.#classes.get(name) ?? { forgotten: 0, given: 0, written: 0 };
      this.#classes.set(name, of);
      of.given += count;
      const gone = of.forgotten + of.given;
      if (gone <= of.written) continue;
      isCovered = false;
      of.written = gone + Math.max(0, Math.min(of.given, freeOf(name)));
    }
    if (isCovered) return null;
    const rows = [...this.#classes].map(([name, { written }]) => [name, written] as const);
    return { period: this.#period, units: Object.fromEntries(rows) };
  }
}
