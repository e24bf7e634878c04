import type { MonthUse } from "../../../src/domain/ledger/limits.ts";
import {
  type AccountClosure,
  probedBy,
  missingOf,
  type NeedsLease,
} from "../../../src/domain/account/account-budget.ts";
import {
  rateRefusal,
  refusalOf,
  type Demand,
  type Refusal,
  type AdmissionState,
} from "../../../src/domain/ledger/admission.ts";
import { count, limitOfClass, REQUESTS } from "../../../src/domain/ledger/rate-limit.ts";
import { addLine, addRefused, NO_TOTALS } from "../../../src/domain/ledger/day-totals.ts";
import { claimOf, grantRoom, NOTHING_DRAWN, posted } from "../../../src/domain/ledger/quota.ts";
import {
  type CallId,
  drawnAfter,
  expire,
  type Hold,
  type JournalLine,
  makeHold,
  post,
  type Settlement,
} from "../../../src/domain/ledger/ledger.ts";
import { type MicroNeurons, microNeurons, plus } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import {
  keptFloor,
  promisedBy,
  quotaTerms,
  rateLimitFor,
} from "../../../src/domain/tenant/settings.ts";
import type { GrantStore } from "./grant-store.ts";
import {
  budgetStatus,
  addPending,
  brokenBy,
  dayUse,
  drawnOf,
  type LedgerMemory,
  ledgerMemory,
  markOverdue,
  oldest,
  oldestAdmission,
  unmarkOverdue,
  MonthSum,
  GrantCache,
} from "./ledger-memory.ts";
import type { Entry } from "./ledger-row.ts";
import type { AccountBudget, DayUse } from "../account/account-budget.ts";
import type { LedgerStore, Period } from "./ledger-store.ts";
import { LineWalk, type WalkStatus } from "./line-walk.ts";
import type { Profile } from "../profile-store.ts";

// The ledger at work. Storage is the truth; what is kept in memory (the open holds, the meter and
// the periods in use) is a cache of it, which `reset` drops when a transaction is rolled back.
//
// Use: inside one transaction `begin`, then any number of reserves and settles, then `flush`, which
// writes the rows that they share once.

/**
 * Holds that one transaction turns into lines because their deadline has passed. Any number can pass at
 * once (10,000 calls that died with their Worker), and each is a row. The rest is left to the next
 * transactions, and counts as charged from now on.
 */
export const MOST_EXPIRED = 100;

export class Ledger {
  readonly #store: LedgerStore;
  readonly #budget: AccountBudget;
  readonly #monthSum: MonthSum;
  /** Holds the lines against the periods; null: nobody has asked. */
  walk: LineWalk | null = null;
  /** Read with everything else: for use within a transaction. */
  readonly grants: GrantCache;
  #memory: LedgerMemory | null = null;
  /** Of the transaction. */
  #profile: Profile | null = null;
  #meterChanged = false;
  /** Changes with every line that ends and every refusal that is counted. */
  counted = 0;
  readonly #changedDays = new Set<Day>();

  constructor(store: LedgerStore, grants: GrantStore, budget: AccountBudget) {
    this.#store = store;
    this.#budget = budget;
    this.#monthSum = new MonthSum(store);
    this.grants = new GrantCache(grants);
  }

  /** Forgets what was not written: the next `begin` reads storage again. */
  reset(): void {
    this.#memory = null;
    this.#monthSum.reset();
    this.walk?.reset();
    this.grants.reset();
    this.#meterChanged = false;
    this.#changedDays.clear();
    this.#budget.forget();
  }

  /**
   * Begins a transaction: sets the clock, which never goes back, and ends holds whose deadline has passed.
   * A late alarm changes no answer, nor do those that are left: they are not in progress any more,
   * what they held is charged, and a settle finds their line.
   *
   * @returns the object's time in milliseconds
   */
  begin(wallMs: number, profile: Profile): number {
    const memory = this.#load();
    const nowMs = Math.max(wallMs, memory.meter.clockMs);
    memory.meter = { ...memory.meter, clockMs: nowMs };
    this.#budget.begin(wallMs);
    this.#profile = profile;
    markOverdue(memory, nowMs);
    let left = MOST_EXPIRED;
    for (const hold of memory.overdue.values()) {
      if (left === 0) break;
      left -= 1;
      this.#expire(hold, profile, nowMs);
    }
    return nowMs;
  }

  /** Writes what the transaction changed: the meter, and each period once. */
  flush(): void {
    const { meter, open, periods } = this.#load();
    if (this.#meterChanged) {
      const oldestHold = oldest(open.keys());
      this.#store.writeMeter({ ...meter, oldestHold });
    }
    for (const day of this.#changedDays) {
      const period = periods.get(day);
      if (period !== undefined) this.#store.writePeriod(period);
    }
    this.#meterChanged = false;
    this.#changedDays.clear();
    this.grants.flush(oldestAdmission(this.#load()));
    for (const day of periods.keys()) if (day < dayOf(meter.clockMs) - 1) periods.delete(day);
  }

  /** Within a transaction: a hold whose deadline has passed is its line. */
  entry(callId: CallId): Entry | null {
    const memory = this.#load();
    const overdue = memory.overdue.get(callId);
    if (overdue !== undefined && this.#profile !== null) {
      this.#expire(overdue, this.#profile, memory.meter.clockMs);
    }
    const hold = memory.open.get(callId);
    return hold === undefined ? this.#store.readEntry(callId) : { kind: "hold", hold };
  }

  /** Also outside of a transaction: whether there is, or was, such a call. */
  has(callId: CallId): boolean {
    return this.#load().open.has(callId) || this.#store.readEntry(callId) !== null;
  }

  /** Whether holds are left whose deadline has passed. */
  get isBehind(): boolean {
    return this.#memory !== null && this.#memory.overdue.size > 0;
  }

  /** The first refusal, or what the call lacks of the account, or the hold. Counts only with the hold. */
  reserve(
    profile: Profile,
    call: Omit<Parameters<typeof makeHold>[0], "day" | "admittedAtMs">,
    demand: Demand,
  ): { readonly kind: "reserved"; readonly hold: Hold } | Refusal | NeedsLease {
    const memory = this.#load();
    const nowMs = memory.meter.clockMs;
    const now = this.standing(profile);
    const refusal = refusalOf(now, demand);
    if (refusal !== null) return refusal;
    const asksNoEngine = demand.asksNoEngine === true;
    const missing = asksNoEngine ? null : missingOf(now.account, demand);
    if (missing !== null) return { kind: "needs_lease", missing };
    this.#budget.take(demand.units);
    const hold = makeHold({ ...call, day: dayOf(nowMs), admittedAtMs: nowMs });
    memory.open.set(hold.callId, hold);
    addPending(memory, hold.day, hold.held);
    memory.meter = {
      ...memory.meter,
      windows: count(memory.meter.windows, demand.units, nowMs),
      // What asks no engine cannot find out whether the account has neurons again.
      closure: asksNoEngine ? memory.meter.closure : probedBy(memory.meter.closure, nowMs),
    };
    this.#meterChanged = true;
    this.#store.insertHold(hold);
    for (const name of brokenBy(this.standing(profile), demand.units)) {
      this.#store.addViolation(name, nowMs);
    }
    return { kind: "reserved", hold };
  }

  /** Counts units of work that has no hold, or refuses it and counts nothing. */
  takeUnits(profile: Profile, units: Demand["units"]): ReturnType<typeof rateRefusal> {
    const memory = this.#load();
    const refusal = rateRefusal(this.standing(profile), units);
    if (refusal !== null) return refusal;
    const { meter } = memory;
    memory.meter = { ...meter, windows: count(meter.windows, units, meter.clockMs) };
    this.#meterChanged = true;
    return null;
  }

  /** Turns an open hold into its line; of any other, its line is returned. */
  settle(
    profile: Profile,
    callId: CallId,
    end: Pick<JournalLine, "items" | "verdictId" | "verdicts">,
  ): Settlement {
    const entry = this.entry(callId);
    if (entry === null) return { kind: "unknown_hold" };
    if (entry.kind === "line") {
      const kind = entry.line.outcome === "expired" ? "settled_late" : "already_settled";
      return { kind, line: entry.line };
    }
    const at = this.#settleTerms(entry.hold, profile);
    const ended = post(entry.hold, end.items, end.verdictId, at);
    const line = end.verdicts === undefined ? ended : { ...ended, verdicts: end.verdicts };
    this.#finish(line);
    return { kind: "settled", line };
  }

  /** As the account has it; null: it is open. */
  setClosure(closure: AccountClosure | null): void {
    const memory = this.#load();
    if (JSON.stringify(memory.meter.closure) === JSON.stringify(closure)) return;
    memory.meter = { ...memory.meter, closure };
    this.#meterChanged = true;
  }

  /** The time of the transaction. */
  get nowMs(): number {
    return this.#load().meter.clockMs;
  }

  closure(): AccountClosure | null {
    return this.#load().meter.closure;
  }

  standing(profile: Profile): AdmissionState {
    const { meter, open, overdue } = this.#load();
    const nowMs = meter.clockMs;
    const day = dayOf(nowMs);
    const { settings } = profile;
    return {
      nowMs,
      terms: quotaTerms(settings),
      posted: plus(posted(drawnOf(this.period(day), profile)), this.#overdue(day)),
      pending: this.pending(day),
      grants: grantRoom(this.period(day).drawn.granted, this.grants.openAt(nowMs), () =>
        this.#claim(profile, day),
      ),
      ...this.#monthSum.room(profile, this.#load()),
      windows: meter.windows,
      rateLimit: (name) =>
        limitOfClass(name, (own) => rateLimitFor(settings, own, settings.rpm[REQUESTS] ?? 0)),
      inFlight: open.size - overdue.size,
      maxInFlight: settings.max_in_flight,
      ...budgetStatus(meter, this.#budget, this.use(day), keptFloor(promisedBy(profile))),
    };
  }

  use(day: Day): DayUse {
    const use = dayUse(this.period(day), this.pending(day));
    return { ...use, spent: plus(use.spent, this.#overdue(day)) };
  }

  /** Held by calls in progress that were admitted on `day`. */
  pending(day: Day): MicroNeurons {
    return microNeurons(this.#held(day) - this.#overdue(day));
  }

  /** With what is held by those whose deadline has passed. */
  #held(day: Day): MicroNeurons {
    return microNeurons(this.#load().pending.get(day) ?? 0);
  }

  /** What will be charged for calls whose deadline has passed and that have no line yet. */
  #overdue(day: Day): MicroNeurons {
    return microNeurons(this.#load().overdueHeld.get(day) ?? 0);
  }

  /** What this month has come to, by its days and the calls in progress. */
  month(profile: Profile): MonthUse {
    return this.#monthSum.use(profile, this.#load());
  }

  /** The transaction's time is written with it: a later settlement has no earlier time. */
  readonly keepClock = (): void => void (this.#meterChanged = true);

  /** Goes on with the walk through the lines, or begins one. */
  lookThroughLines(): WalkStatus {
    this.walk ??= new LineWalk(this.#store.lineSums, (day) => posted(this.period(day).drawn));
    return this.walk.look(this.nowMs);
  }

  /** Those without a line: of which some may be past their deadline. */
  openHolds(): readonly Hold[] {
    return [...this.#load().open.values()];
  }

  /** When the first of them ends if nobody settles it; Infinity: there is none. */
  firstDeadlineMs(): number {
    let firstMs = Infinity;
    for (const hold of this.#load().open.values()) firstMs = Math.min(firstMs, hold.deadlineMs);
    return firstMs;
  }

  /** Calls in progress of some routes. */
  inFlightOf(isOne: (route: string) => boolean): number {
    const { open, overdue } = this.#load();
    return [...open.values()].filter((one) => isOne(one.route) && !overdue.has(one.callId)).length;
  }

  period(day: Day): Period {
    const { periods } = this.#load();
    const known = periods.get(day);
    if (known !== undefined) return known;
    const period = this.#store.readPeriod(day) ?? { day, drawn: NOTHING_DRAWN, totals: NO_TOTALS };
    periods.set(day, period);
    return period;
  }

  addRefused(day: Day, kind: string, times: number): void {
    const period = this.period(day);
    this.change({ ...period, totals: addRefused(period.totals, kind, times) });
  }

  /** Ends open holds as expired: the tenant is being deleted. True when some are left. */
  expireOpen(profile: Profile): boolean {
    const { meter, open } = this.#load();
    for (const hold of [...open.values()].slice(0, MOST_EXPIRED)) {
      this.#expire(hold, profile, meter.clockMs);
    }
    return open.size > 0;
  }

  #load(): LedgerMemory {
    if (this.#memory !== null) return this.#memory;
    const meter = this.#store.readMeter();
    const holds = this.#store.openHolds(meter.oldestHold);
    this.#memory = ledgerMemory(meter, holds);
    this.grants.load(oldestAdmission(this.#memory));
    return this.#memory;
  }

  #expire(hold: Hold, profile: Profile, nowMs: number): void {
    this.#finish(expire(hold, { ...this.#settleTerms(hold, profile), nowMs }));
  }

  #settleTerms(hold: Hold, profile: Profile): Parameters<typeof expire>[1] {
    const nowMs = this.#load().meter.clockMs;
    const terms = quotaTerms(profile.settings);
    const grants = {
      grants: this.grants.serving(hold.admittedAtMs),
      claim: this.#claim(profile, hold.day),
    };
    return { terms, drawn: drawnOf(this.period(hold.day), profile), grants, nowMs };
  }

  #finish(line: JournalLine): void {
    const period = this.period(line.day);
    const memory = this.#load();
    memory.open.delete(line.callId);
    unmarkOverdue(memory, line.callId);
    addPending(memory, line.day, 0 - line.held);
    this.#store.finishLine(line);
    this.walk?.ended(line);
    this.grants.draw(line.grants);
    if (posted(line.drawn) > 0) this.#budget.noteCharge(memory.meter.clockMs);
    this.change({
      day: line.day,
      drawn: drawnAfter(period.drawn, line),
      totals: addLine(period.totals, line),
    });
  }

  /** What the calls in progress of days before this one may yet draw on grants. */
  #claim(profile: Profile, before: Day): MicroNeurons {
    const days = [...this.#load().pending.keys()].filter((day) => day < before);
    const inUse = days.map((day) => ({
      quota: drawnOf(this.period(day), profile).quota,
      // Also those that have ended and did not draw yet.
      pending: this.#held(day),
    }));
    return claimOf(quotaTerms(profile.settings), inUse);
  }

  change(period: Period): void {
    this.counted += 1;
    this.#monthSum.change(this.period(period.day), period);
    this.#load().periods.set(period.day, period);
    this.#changedDays.add(period.day);
  }
}
