import type { MonthUse } from "../../../src/domain/ledger/limits.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { type MonthRoom, posted } from "../../../src/domain/ledger/quota.ts";
import {
  type Day,
  dayOf,
  type Month,
  monthOf,
  startOf,
} from "../../../src/domain/ledger/period.ts";
import { monthlyCap } from "../../../src/domain/tenant/settings.ts";
import type { LedgerMemory } from "./ledger-memory.ts";
import type { LedgerStore, Period } from "./ledger-store.ts";
import type { Profile } from "../profile-store.ts";

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

  change(before: Period, after: Period): void {
    if (this.#known === null || !isIn(this.#known.days, after.day)) return;
    const more = posted(after.drawn) - posted(before.drawn);
    this.#known = { ...this.#known, posted: this.#known.posted + more };
  }

  /** What this month has come to, with what an earlier generation of the tenant posted on its last day. */
  use({ carried, settings }: Profile, memory: LedgerMemory): MonthUse {
    const { meter, pending, overdueHeld, periods } = memory;
    const days = monthOf(dayOf(meter.clockMs));
    const earlier = isIn(days, carried.day) ? carried.posted : 0;
    const ended = sumIn(days, overdueHeld);
    return {
      cap: monthlyCap(settings),
      posted: microNeurons(this.#posted(days, periods) + earlier + ended),
      pending: microNeurons(sumIn(days, pending) - ended),
      startsAtMs: startOf(days.first),
      endsAtMs: startOf(days.end),
    };
  }

  /** For an admission; nothing is read where the month has no cap. */
  room(profile: Profile, memory: LedgerMemory): { readonly month?: MonthRoom } {
    if (monthlyCap(profile.settings) === null) return {};
    const { cap, ...use } = this.use(profile, memory);
    return cap === null ? {} : { month: { ...use, cap } };
  }

  /** @param periods those in memory, which may not be written yet */
  #posted(days: Month, periods: ReadonlyMap<Day, Period>): number {
    if (this.#known?.days.first === days.first) return this.#known.posted;
    const byDay = new Map(this.#store.postedByDay(days.first, days.end));
    for (const [day, { drawn }] of periods) {
      if (isIn(days, day)) byDay.set(day, posted(drawn));
    }
    const sum = [...byDay.values()].reduce((total, amount) => total + amount, 0);
    this.#known = { days, posted: sum };
    return sum;
  }
}

const sumIn = (days: Month, amounts: ReadonlyMap<Day, number>): number =>
  [...amounts].reduce((sum, [day, amount]) => sum + (isIn(days, day) ? amount : 0), 0);

const isIn = ({ first, end }: Month, day: Day): boolean => day >= first && day < end;
