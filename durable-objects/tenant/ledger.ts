import { refusalOf, type Demand, type Refusal, type Standing } from "../../src/domain/admission.ts";
import { limitOfClass } from "../../src/domain/batch-share.ts";
import { addLine, addRefused, NO_TOTALS } from "../../src/domain/day-totals.ts";
import { claimOf, grantRoom } from "../../src/domain/grant.ts";
import {
  type CallId,
  drawnAfter,
  expire,
  type Hold,
  type Item,
  type JournalLine,
  makeHold,
  post,
  type Settlement,
} from "../../src/domain/ledger.ts";
import { type MicroNeurons, microNeurons } from "../../src/domain/micro-neurons.ts";
import { type Day, dayOf } from "../../src/domain/period.ts";
import { addDrawn, type Drawn, NOTHING_DRAWN, posted } from "../../src/domain/quota.ts";
import { quotaTerms, rateLimitFor } from "../../src/domain/settings.ts";
import { count, REQUESTS } from "../../src/domain/rate-limit.ts";
import { GrantBook } from "./grant-book.ts";
import type { GrantStore } from "./grant-store.ts";
import {
  addPending,
  brokenBy,
  type LedgerMemory,
  ledgerMemory,
  oldest,
  oldestAdmission,
  PROBE_EVERY_MS,
  probed,
} from "./ledger-memory.ts";
import type { Entry } from "./ledger-row.ts";
import type { AccountClosure, LedgerStore, Period } from "./ledger-store.ts";
import { MonthSum } from "./month-sum.ts";
import type { Profile } from "./profile-store.ts";
import type { MonthUse } from "./reports.ts";

// The ledger at work. Storage is the truth; what is kept in memory (the open holds, the meter and
// the periods in use) is a cache of it, which `reset` drops when a transaction is rolled back.
//
// Use: inside one transaction `begin`, then any number of reserves and settles, then `flush`, which
// writes the rows that they share once.

export class Ledger {
  readonly #store: LedgerStore;
  readonly #monthSum: MonthSum;
  /** Read with everything else: to be asked within a step. */
  readonly grants: GrantBook;
  #memory: LedgerMemory | null = null;
  #meterChanged = false;
  /** Changes with every line that ends and every refusal that is counted. */
  counted = 0;
  readonly #changedDays = new Set<Day>();

  constructor(store: LedgerStore, grants: GrantStore) {
    this.#store = store;
    this.#monthSum = new MonthSum(store);
    this.grants = new GrantBook(grants);
  }

  /** Forgets what was not written: the next `begin` reads storage again. */
  reset(): void {
    this.#memory = null;
    this.#monthSum.reset();
    this.grants.reset();
    this.#meterChanged = false;
    this.#changedDays.clear();
  }

  /**
   * Starts a step: reads the clock, which never goes back, and ends the holds whose deadline has
   * passed, so that a late alarm changes no answer.
   *
   * @returns the object's time in milliseconds
   */
  begin(wallMs: number, profile: Profile): number {
    const memory = this.#load();
    const nowMs = Math.max(wallMs, memory.meter.clockMs);
    memory.meter = { ...memory.meter, clockMs: nowMs };
    for (const hold of memory.open.values()) {
      if (hold.deadlineMs <= nowMs) this.#expire(hold, profile, nowMs);
    }
    return nowMs;
  }

  /** Writes what the step changed: the meter, and each period once. */
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

  entry(callId: CallId): Entry | null {
    const hold = this.#load().open.get(callId);
    return hold === undefined ? this.#store.readEntry(callId) : { kind: "hold", hold };
  }

  /** The first refusal that holds, or the hold: all checked, then all counted. */
  reserve(
    profile: Profile,
    call: Omit<Parameters<typeof makeHold>[0], "day" | "admittedAtMs">,
    demand: Demand,
  ): { readonly kind: "reserved"; readonly hold: Hold } | Refusal {
    const memory = this.#load();
    const nowMs = memory.meter.clockMs;
    const refusal = refusalOf(this.standing(profile), demand);
    if (refusal !== null) return refusal;
    const hold = makeHold({ ...call, day: dayOf(nowMs), admittedAtMs: nowMs });
    memory.open.set(hold.callId, hold);
    addPending(memory, hold.day, hold.held);
    memory.meter = {
      ...memory.meter,
      windows: count(memory.meter.windows, demand.units, nowMs),
      closure: probed(memory.meter.closure, nowMs),
    };
    this.#meterChanged = true;
    this.#store.insertHold(hold);
    for (const name of brokenBy(this.standing(profile), demand.units)) {
      this.#store.addViolation(name, nowMs);
    }
    return { kind: "reserved", hold };
  }

  /** Turns an open hold into its line; tells what became of any other. */
  settle(
    profile: Profile,
    callId: CallId,
    end: { readonly items: readonly Item[]; readonly verdictId: string | null },
  ): Settlement {
    const entry = this.entry(callId);
    if (entry === null) return { kind: "unknown_hold" };
    if (entry.kind === "line") {
      const kind = entry.line.outcome === "expired" ? "settled_late" : "already_settled";
      return { kind, line: entry.line };
    }
    const at = this.#settleTerms(entry.hold, profile);
    const line = post(entry.hold, end.items, end.verdictId, at);
    this.#finish(line);
    return { kind: "settled", line };
  }

  /**
   * Closes the day in which the call was sent for everyone here: upstream said 3036 or 4006. What a
   * call of yesterday learns does not lift the closure of today.
   */
  closeAccount(day: Day): void {
    const memory = this.#load();
    if (memory.meter.closure !== null && memory.meter.closure.day > day) return;
    const nowMs = memory.meter.clockMs;
    const closure = { day, closedAtMs: nowMs, probeAtMs: nowMs + PROBE_EVERY_MS };
    memory.meter = { ...memory.meter, closure };
    this.#meterChanged = true;
  }

  /** Lifts the closure: a call admitted after it was answered, or the platform said so. */
  reopenAccount(): void {
    const memory = this.#load();
    if (memory.meter.closure === null) return;
    memory.meter = { ...memory.meter, closure: null };
    this.#meterChanged = true;
  }

  closure(): AccountClosure | null {
    return this.#load().meter.closure;
  }

  standing(profile: Profile): Standing {
    const { meter, open } = this.#load();
    const nowMs = meter.clockMs;
    const day = dayOf(nowMs);
    const { settings } = profile;
    return {
      nowMs,
      terms: quotaTerms(settings),
      posted: posted(this.#drawn(day, profile)),
      pending: this.pending(day),
      grants: grantRoom(this.period(day).drawn.granted, this.grants.openAt(nowMs), () =>
        this.#claim(profile, day),
      ),
      ...this.#monthSum.room(profile, this.#load()),
      windows: meter.windows,
      rateLimit: (name) =>
        limitOfClass(name, (own) => rateLimitFor(settings, own, settings.rpm[REQUESTS] ?? 0)),
      inFlight: open.size,
      maxInFlight: settings.max_in_flight,
      accountClosed:
        meter.closure !== null && meter.closure.day === day && nowMs < meter.closure.probeAtMs,
    };
  }

  /** Held by calls in progress that were admitted on `day`. */
  pending(day: Day): MicroNeurons {
    return microNeurons(this.#load().pending.get(day) ?? 0);
  }

  /** What this month has come to, by its days and the calls in progress. */
  month(profile: Profile): MonthUse {
    return this.#monthSum.use(profile, this.#load());
  }

  /** The step's time is written with it: whatever settles later has no earlier one. */
  readonly keepClock = (): void => void (this.#meterChanged = true);

  openHolds(): readonly Hold[] {
    return [...this.#load().open.values()];
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

  /** Ends every open hold as expired: the tenant is being deleted. */
  expireAll(profile: Profile): void {
    const { meter, open } = this.#load();
    for (const hold of open.values()) this.#expire(hold, profile, meter.clockMs);
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
    return { terms, drawn: this.#drawn(hold.day, profile), grants, nowMs };
  }

  #finish(line: JournalLine): void {
    const period = this.period(line.day);
    const memory = this.#load();
    memory.open.delete(line.callId);
    addPending(memory, line.day, 0 - line.held);
    this.#store.finishLine(line);
    this.grants.draw(line.grants);
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
      quota: this.#drawn(day, profile).quota,
      pending: this.pending(day),
    }));
    return claimOf(quotaTerms(profile.settings), inUse);
  }

  change(period: Period): void {
    this.counted += 1;
    this.#monthSum.change(this.period(period.day), period);
    this.#load().periods.set(period.day, period);
    this.#changedDays.add(period.day);
  }

  /** What a day has drawn, with what an earlier life of this tenant posted on it. */
  #drawn(day: Day, { carried }: Profile): Drawn {
    const { drawn } = this.period(day);
    if (carried.day !== day || carried.posted === 0) return drawn;
    return addDrawn(drawn, { ...NOTHING_DRAWN, quota: carried.posted });
  }
}
