import { heldOf, limitInForce, type AdmissionState } from "../../../src/domain/ledger/admission.ts";
import { consumed } from "../../../src/domain/ledger/day-totals.ts";
import type { CallId, Hold } from "../../../src/domain/ledger/ledger.ts";
import {
  type MicroNeurons,
  ZERO,
  microNeurons,
  minus,
  plus,
} from "../../../src/domain/ledger/micro-neurons.ts";
import {
  addDrawn,
  type Drawn,
  monthRefuses,
  NOTHING_DRAWN,
  type MonthRoom,
  posted,
  endsAtMs,
  type Grant,
  type GrantDraw,
  isOpenAt,
  openAt,
  serving,
} from "../../../src/domain/ledger/quota.ts";
import {
  type Day,
  dayOf,
  type Month,
  monthOf,
  startOf,
} from "../../../src/domain/ledger/period.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { AccountBudget, DayUse } from "../account/account-budget.ts";
import type { Meter, Period, LedgerStore } from "./ledger-store.ts";
import type { Profile } from "../profile-store.ts";
import { monthlyCap } from "../../../src/domain/tenant/settings.ts";
import type { MonthUse } from "../../../src/domain/ledger/limits.ts";
import type { GrantStore } from "./grant-store.ts";

// What the ledger keeps in memory: a cache of storage, rebuilt when the object starts.

export interface LedgerMemory {
  meter: Meter;
  readonly open: Map<CallId, Hold>;
  /** µN held by the open holds of each day: always the sum over `open`. */
  readonly pending: Map<Day, number>;
  /** Of `open`, those whose deadline has passed and that have no line yet. */
  readonly overdue: Map<CallId, Hold>;
  /** µN that they hold, by day: they count as charged. */
  readonly overdueHeld: Map<Day, number>;
  readonly periods: Map<Day, Period>;
}

export function ledgerMemory(meter: Meter, holds: readonly Hold[]): LedgerMemory {
  const open = new Map(holds.map((hold) => [hold.callId, hold]));
  const memory: LedgerMemory = {
    meter,
    open,
    pending: new Map(),
    overdue: new Map(),
    overdueHeld: new Map(),
    periods: new Map(),
  };
  for (const hold of holds) addPending(memory, hold.day, hold.held);
  return memory;
}

export const addPending = ({ pending }: LedgerMemory, day: Day, amount: number): void =>
  addTo(pending, day, amount);

/** Looks at what is in memory alone: a hold whose deadline has passed counts as what it will be. */
export function markOverdue(memory: LedgerMemory, nowMs: number): void {
  for (const hold of memory.open.values()) {
    if (hold.deadlineMs > nowMs || memory.overdue.has(hold.callId)) continue;
    memory.overdue.set(hold.callId, hold);
    addTo(memory.overdueHeld, hold.day, hold.held);
  }
}

/** The hold has its line. */
export function unmarkOverdue({ overdue, overdueHeld }: LedgerMemory, callId: CallId): void {
  const hold = overdue.get(callId);
  if (hold === undefined) return;
  overdue.delete(callId);
  addTo(overdueHeld, hold.day, 0 - hold.held);
}

function addTo(sums: Map<Day, number>, day: Day, amount: number): void {
  const total = (sums.get(day) ?? 0) + amount;
  if (total === 0) sums.delete(day);
  else sums.set(day, total);
}

/** When the first of the calls in progress was admitted; now, when there is none. */
export const oldestAdmission = ({ meter, open }: LedgerMemory): number =>
  [...open.values()].reduce((least, hold) => Math.min(least, hold.admittedAtMs), meter.clockMs);

export const oldest = (ids: Iterable<CallId>): CallId | null => {
  let least: CallId | null = null;
  for (const id of ids) if (least === null || id < least) least = id;
  return least;
};

/** The first and the fourth invariant, looked at again after they were acted upon. */
export function brokenBy(now: AdmissionState, units: RateUnits): readonly string[] {
  const limit = limitInForce(now);
  const isAbove =
    (limit !== null && now.posted + heldOf(now) > limit) || monthRefuses(now.month, ZERO) !== null;
  const isOver = Object.keys(units).some(
    (name) =>
      (now.windows[name] ?? []).reduce((total, [, taken]) => total + taken, 0) >
      now.rateLimit(name),
  );
  return [...(isAbove ? ["admitted_within_limit"] : []), ...(isOver ? ["rate_within_limit"] : [])];
}

/** A closed account is so for all but who may find out whether it still is. */
export function budgetStatus(
  { closure, clockMs }: Meter,
  budget: AccountBudget,
  use: DayUse,
  floor: MicroNeurons,
): Pick<AdmissionState, "accountClosed" | "account"> {
  const isClosed = closure !== null && closure.day === use.day && !budget.mayProbe;
  const isProbeDue = isClosed && clockMs >= closure.probeAtMs;
  return {
    accountClosed: isClosed && !isProbeDue,
    account: budget.standing(use, { nowMs: clockMs, floor, isProbeDue }),
  };
}

/** The report to the account about a day of this generation. */
export const dayUse = ({ day, drawn, totals }: Period, pending: MicroNeurons): DayUse => ({
  day,
  spent: consumed(drawn, totals),
  pending,
});

/** What a day has drawn, with what an earlier generation of this tenant posted on it. */
export const drawnOf = ({ day, drawn }: Period, { carried }: Profile): Drawn =>
  carried.day !== day || carried.posted === 0
    ? drawn
    : addDrawn(drawn, { ...NOTHING_DRAWN, quota: carried.posted });

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

/**
 * The grants that calls may draw on, in memory: those that have not ended, and those that ended
 * while calls were in progress that may still draw on them. Read when the object starts.
 */
export class GrantCache {
  readonly #store: GrantStore;
  #grants: Map<string, Grant> | null = null;
  readonly #drawn = new Set<string>();

  constructor(store: GrantStore) {
    this.#store = store;
  }

  reset(): void {
    this.#grants = null;
    this.#drawn.clear();
  }

  /** @param sinceMs when the oldest call in progress was admitted, or now */
  load(sinceMs: number): void {
    this.#grants = new Map(this.#store.endingFrom(sinceMs).map((grant) => [grant.id, grant]));
  }

  /** What a call that is admitted now may count on, in the order in which it draws. */
  openAt(nowMs: number): readonly Grant[] {
    const grants = this.#known();
    return grants.size === 0 ? [] : openAt(grants.values(), nowMs);
  }

  /** What a call of that admission may draw on, in that order. */
  serving(admittedAtMs: number): readonly Grant[] {
    const grants = this.#known();
    return grants.size === 0 ? [] : serving(grants.values(), admittedAtMs);
  }

  /** How many have not ended, used up or not: each is read when the object starts. */
  count(nowMs: number): number {
    return [...this.#known().values()].filter((grant) => isOpenAt(grant, nowMs)).length;
  }

  add(grant: Grant): void {
    this.#store.insert(grant);
    this.#known().set(grant.id, grant);
  }

  end(grant: Grant, nowMs: number): void {
    const ended = { ...grant, endedAtMs: nowMs };
    this.#store.writeEnd(ended);
    this.#known().set(grant.id, ended);
  }

  find(id: string): Grant | null {
    return this.#known().get(id) ?? this.#store.read(id);
  }

  draw(draws: readonly GrantDraw[]): void {
    for (const { grantId, microNeurons: amount } of draws) {
      this.#change(grantId, (grant) => ({ ...grant, drawn: plus(grant.drawn, amount) }));
    }
  }

  giveBack(draws: readonly GrantDraw[]): void {
    for (const { grantId, microNeurons: amount } of draws) {
      this.#change(grantId, (grant) => ({ ...grant, drawn: minus(grant.drawn, amount) }));
    }
  }

  /** Writes each that was drawn on once, and forgets those that no call can draw on any more. */
  flush(sinceMs: number): void {
    const grants = this.#known();
    for (const id of this.#drawn) {
      const grant = grants.get(id);
      if (grant !== undefined) this.#store.writeDrawn(grant);
    }
    this.#drawn.clear();
    for (const [id, grant] of grants) if (endsAtMs(grant) < sinceMs) grants.delete(id);
  }

  #change(id: string, how: (grant: Grant) => Grant): void {
    const grant = this.find(id);
    if (grant === null) throw new Error("a line names a grant that is not there");
    this.#known().set(id, how(grant));
    this.#drawn.add(id);
  }

  #known(): Map<string, Grant> {
    if (this.#grants === null) throw new Error("the grants were not read");
    return this.#grants;
  }
}
