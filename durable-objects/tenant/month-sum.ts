import type { Day, Month } from "../../src/domain/period.ts";
import { posted } from "../../src/domain/quota.ts";
import type { LedgerStore, Period } from "./ledger-store.ts";

/**
 * What the days of a month have posted, in µN: read once, of at most 31 rows, when somebody first
 * asks, and kept up to date by every change of a period.
 */
export class MonthSum {
  readonly #store: LedgerStore;
  #known: { readonly days: Month; readonly posted: number } | null = null;

  constructor(store: LedgerStore) {
    this.#store = store;
  }

  reset(): void {
    this.#known = null;
  }

  /** @param periods those in memory, which may not be written yet */
  posted(days: Month, periods: ReadonlyMap<Day, Period>): number {
    if (this.#known?.days.first === days.first) return this.#known.posted;
    const byDay = new Map(this.#store.postedByDay(days.first, days.end));
    for (const [day, { drawn }] of periods) {
      if (isIn(days, day)) byDay.set(day, posted(drawn));
    }
    const sum = [...byDay.values()].reduce((total, amount) => total + amount, 0);
    this.#known = { days, posted: sum };
    return sum;
  }

  change(before: Period, after: Period): void {
    if (this.#known === null || !isIn(this.#known.days, after.day)) return;
    const more = posted(after.drawn) - posted(before.drawn);
    this.#known = { ...this.#known, posted: this.#known.posted + more };
  }
}

export const isIn = ({ first, end }: Month, day: Day): boolean => day >= first && day < end;
