import type { RateClass, RateUnits } from "../ledger/rate-limit.ts";

// What is written down of the account's rates: for each five seconds and class, how many units may have
// been given in them, before they are given. Who took them is known in memory alone. After a restart all
// that was written counts as used, in the last second in which a permit of those five may be used: so a
// rolling minute never has more than the limit, whatever was lost. There is room for as many units again as
// were given, so that few of the questions write a row.

const PERIOD_S = 5;

/** Rows that a store keeps: those of earlier periods have left the minute when theirs is written over. */
export const KEPT_PERIODS = 16;

/** Units of each class that may have been given within five seconds; the period is their number. */
export interface RateBound {
  readonly period: number;
  readonly units: RateUnits;
}

export const periodOf = (nowMs: number): number => Math.floor(nowMs / (PERIOD_S * 1000));

/** When a period began: the clock was there when its row was written. */
export const beginMs = ({ period }: RateBound): number => period * PERIOD_S * 1000;

/**
 * @param lifeS how long a permit may be used at least
 * @returns the last second of a period's permits: they end with a second
 */
export const lastSecondOf = ({ period }: RateBound, lifeS: number): number =>
  (period + 1) * PERIOD_S - 1 + lifeS;

interface Given {
  /** Before a restart: as much as was written then. */
  readonly forgotten: number;
  /** Since then. */
  given: number;
  /** What the row says. */
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
   * @param freeOf units of a class that are left for others
   * @returns the row to be written before these units are given; null: what is written covers them
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
