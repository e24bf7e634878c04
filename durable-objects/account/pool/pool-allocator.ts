import type { PoolOverview } from "../../../src/domain/account/pool-overview.ts";
import {
  type AccountPatch,
  accountRate,
  type AccountSettings,
  isPooled,
  type LeaseTerms,
  leaseTerms,
  mayGrantMore,
  NO_PROMISES,
  patchedAccount,
  poolSize,
  type Promised,
  promisesBeyond,
  type PromiseSums,
  promiseSums,
  sumOf,
} from "../../../src/domain/account/account-terms.ts";
import { closeShare, emptyShare, lease, previewLease } from "../../../src/domain/account/lease.ts";
import type { DayPool } from "../../../src/domain/account/day-pool.ts";
import { type MicroNeurons, plus } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, formatDay, monthStart } from "../../../src/domain/ledger/period.ts";
import { type Outlook, outlookOf } from "../../../src/domain/account/pool-refusal.ts";
import { sizesOf } from "../../../src/domain/account/pool.ts";
import { accountWarnings, type Warning } from "../../../src/domain/account/account-warnings.ts";
import type { PlannedPromise } from "../../../src/domain/tenant/state-plan.ts";
import type {
  AccountAnswer,
  AccountMessage,
  AccountView,
  DaySpent,
  LeaseReply,
} from "../account-protocol.ts";
import { DayClosing, type RecordPoolEvent } from "./day-closing.ts";
import type { DeniedStore } from "./denied-store.ts";
import type { PoolCache } from "./pool-cache.ts";
import { PoolNotices } from "./pool-notices.ts";
import { poolOverview } from "./pool-overview.ts";
import { PoolRecalls, type Recall } from "./pool-recalls.ts";

// The account's pool at work: rows and memory around the rules of `lease.ts` and `account-rates.ts`.
// Every method runs inside one transaction of the object.

/** Days whose messages are accepted: late settlements are reported a day later at most. */
const OLD_DAYS = 2;

/** Days in one message about them: the month, with a day of clocks that differ. */
const MOST_DAYS_SPENT = 32;

export class PoolAllocator {
  readonly #cache: PoolCache;
  readonly #record: RecordPoolEvent;
  readonly #recalls: PoolRecalls;
  readonly #notices: PoolNotices;
  readonly #closing: DayClosing;

  constructor(cache: PoolCache, denied: DeniedStore, record: RecordPoolEvent) {
    this.#cache = cache;
    this.#record = record;
    this.#recalls = new PoolRecalls(cache);
    this.#notices = new PoolNotices(cache, denied);
    this.#closing = new DayClosing(cache, this.#notices, record);
  }

  ask(ask: AccountMessage, wallMs: number): AccountAnswer {
    const nowMs = this.#cache.now(wallMs);
    this.promise(ask.tenant, ask.generation, ask.promised);
    if (ask.news !== null) this.#closing.learn(ask.tenant, ask.news, nowMs);
    noteSpent(this.#cache, ask, nowMs);
    const mayProbe = ask.probe && this.#closing.probe(nowMs);
    const leased = this.#lease(ask, nowMs);
    const rates = this.#rates(ask, nowMs);
    const outlook = this.#outlook(ask, nowMs);
    // Around midnight the tenant's day may be another one than the account's.
    const day = ask.lease !== null && ask.lease.need !== null ? ask.lease.day : dayOf(nowMs);
    const view = this.view(wallMs, day);
    const today = dayOf(nowMs);
    const isRefused = leased !== null && "refused" in leased && leased.refused !== null;
    // A tenant whose clock is ahead may know of tomorrow as closed before it is tomorrow here.
    const closedDay = view.closure?.day ?? today - 1;
    const denial = { isRefused, isClosed: closedDay >= today };
    this.#notices.note(ask, denial, Math.max(today, closedDay));
    return { kind: "answered", view, lease: leased, rates, outlook, mayProbe, nowMs };
  }

  /**
   * Tenants that must give back first what they do not use, because the message would be refused without
   * it. Nothing is written down yet.
   */
  recallsBefore(
    { tenant, generation, lease: request }: AccountMessage,
    wallMs: number,
  ): readonly Recall[] {
    if (request === null || request.need === null || !this.#isShared) return [];
    const nowMs = this.#cache.now(wallMs);
    const { day, ...ask } = request;
    if (day !== dayOf(nowMs)) return [];
    const leased = previewLease(
      this.#cache.pool(day, tenant),
      { tenant, generation, ...ask },
      nowMs,
    );
    const missing = leased.kind === "answered" ? (leased.answer.refused?.missing ?? 0) : 0;
    return this.#recalls.forAmount(day, missing, nowMs);
  }

  /** @param day whose sizes are in it */
  view(wallMs: number, day: Day = dayOf(this.#cache.now(wallMs))): AccountView {
    const { notice, closure } = this.#cache.state;
    const isShared = this.#isShared;
    const pool = isShared ? this.#cache.pool(day) : null;
    return { notice, isPooled: isShared, closure, sizes: pool && sizesOf(pool) };
  }

  get #isShared(): boolean {
    return isPooled(this.#cache.plan, this.#cache.state.settings);
  }

  /** Settings of a tenant that are newer than those known; returns whether they were. */
  promise(tenant: string, generation: number, promised: Promised & { version: number }): boolean {
    const before = this.#cache.promises.get(tenant);
    const isKnown = before !== undefined && before.generation >= generation;
    const { plan, daily, floor, suspended, version } = promised;
    if (isKnown && (before.generation > generation || before.version > version)) return false;
    // An earlier release may have written the same settings down as it understood them.
    const isSame = isKnown && before.daily === daily && before.suspended === suspended;
    if (isSame && before.version === version) return false;
    this.#cache.writePromise(tenant, {
      tenant,
      generation,
      plan,
      daily,
      floor,
      suspended,
      version,
    });
    return true;
  }

  /** A generation has ended: what it spent stays spent, the rest is free. */
  endGeneration(
    tenant: string,
    generation: number,
    days: readonly DaySpent[],
    wallMs: number,
  ): void {
    const nowMs = this.#cache.now(wallMs);
    for (const { day, spent } of days) {
      if (day < dayOf(nowMs) - OLD_DAYS) continue;
      const pool = this.#cache.pool(day, tenant);
      this.#cache.keep(day, closeShare(pool, { tenant, generation, spent }, nowMs));
    }
    if ((this.#cache.promises.get(tenant)?.generation ?? 0) > generation) return;
    this.#cache.writePromise(tenant, null);
    this.#notices.forget(tenant);
  }

  // Notices to tenants that did not ask

  /** The next tenants that must learn that calls are possible again, with what they must know. */
  nextToNotify(wallMs: number): {
    readonly view: AccountView;
    readonly tenants: readonly string[];
  } {
    const nowMs = this.#cache.now(wallMs);
    return { view: this.view(wallMs), tenants: this.#notices.next(dayOf(nowMs), nowMs) };
  }

  confirmNotified(tenant: string, view: AccountView): void {
    this.#notices.confirm(tenant, view);
  }

  /** Lifts the closure of the day. Returns how many tenants know of it: the alarm calls them. */
  reopen(wallMs: number): number {
    const nowMs = this.#cache.now(wallMs);
    this.#closing.lift(nowMs);
    return this.#notices.count(dayOf(nowMs));
  }

  settings(): AccountSettings {
    return this.#cache.state.settings;
  }

  /** Notifies tenants if it concerns them: margin, rates and thresholds act here alone. */
  patch(patch: AccountPatch, wallMs: number): AccountSettings {
    const before = this.#terms(wallMs);
    const settings = patchedAccount(this.#cache.state.settings, patch);
    this.#cache.write({ settings });
    const after = this.#terms(wallMs);
    const isRelief = mayGrantMore(before, after);
    if (isRelief || before.isShared !== after.isShared) this.#notices.publish({}, isRelief);
    return settings;
  }

  #terms(wallMs: number): LeaseTerms {
    return leaseTerms(this.#cache.basis(dayOf(this.#cache.now(wallMs))));
  }

  setMeasuredMargin(margin: MicroNeurons): void {
    if (this.#cache.state.measuredMargin === margin) return;
    this.#cache.write({ measuredMargin: margin });
  }

  /** @param change what a plan adds to all promises */
  warnings(wallMs: number, change: PromiseSums = NO_PROMISES): readonly Warning[] {
    const size = poolSize(this.#cache.basis(dayOf(this.#cache.now(wallMs))));
    return accountWarnings(sumOf(this.#cache.promises.sums, change), size);
  }

  /** @param planned promises to these tenants in place of the present ones */
  change(planned: readonly PlannedPromise[]): PromiseSums {
    // The last one of a tenant counts.
    const next = new Map(planned.map((promise) => [promise.tenant, promise]));
    const known = [...next.keys()].flatMap((tenant) => this.#cache.promises.get(tenant) ?? []);
    return promisesBeyond(promiseSums(known), next.values());
  }

  overview(wallMs: number): PoolOverview {
    const nowMs = this.#cache.now(wallMs);
    const day = dayOf(nowMs);
    return poolOverview({
      basis: this.#cache.basis(day),
      pool: this.#cache.pool(day),
      closure: this.#cache.state.closure,
      tenants: this.#cache.promises.sums.tenants,
      sums: this.#cache.promises.sums,
      rates: this.#cache.rates.windows(nowMs),
      nowMs,
    });
  }

  // What the alarm does

  /** Those that must give unused leases back now. */
  toRecall(wallMs: number): readonly Recall[] {
    return this.#recalls.due(this.#cache.now(wallMs));
  }

  /** When the alarm has something to do for the pool; null: not before a message comes. */
  dueMs(wallMs: number): number | null {
    const nowMs = this.#cache.now(wallMs);
    const due = [
      this.#notices.dueMs(dayOf(nowMs), nowMs),
      this.#recalls.nextDueMs(nowMs),
      // By itself: an account may have no pool, and nothing else that makes the alarm ring.
      this.#cache.isUntidy(nowMs) ? nowMs : null,
    ];
    const earliestMs = Math.min(...due.map((each) => each ?? Infinity));
    return earliestMs === Infinity ? null : earliestMs;
  }

  purge(wallMs: number): void {
    const nowMs = this.#cache.now(wallMs);
    this.#cache.tidy(nowMs);
    this.#notices.clean(dayOf(nowMs));
  }

  #lease(ask: AccountMessage, nowMs: number): LeaseReply | null {
    if (ask.lease === null) return null;
    const { day, ...request } = ask.lease;
    const today = dayOf(nowMs);
    if (day > today + 1 || day < today - OLD_DAYS) return null;
    // A lease of the time when there was a pool comes back after that too.
    if (!this.#isShared && request.need !== null) return null;
    const { tenant, generation } = ask;
    const pool = this.#cache.pool(day, tenant);
    const leased = lease(pool, { tenant, generation, ...request }, nowMs);
    if (leased.kind === "stale") return { stale: leased.seq };
    if (leased.kind === "repeated") return { ...leased.answer, repeated: true };
    this.#cache.keep(day, leased.share);
    this.#recordThreshold(pool, nowMs);
    return { ...leased.answer, repeated: false };
  }

  #outlook({ tenant, generation, look }: AccountMessage, nowMs: number): Outlook | null {
    if (look === null || look !== dayOf(nowMs) || !this.#isShared) return null;
    const pool = this.#cache.pool(look);
    const share = pool.share({ tenant, generation }) ?? emptyShare({ tenant, generation }, nowMs);
    return outlookOf(pool, share, nowMs);
  }

  #rates({ tenant, rates }: AccountMessage, nowMs: number) {
    if (rates === null) return null;
    const { settings } = this.#cache.state;
    const limitOf = (name: string): number => accountRate(settings, name);
    return this.#cache.takeRates({ tenant, ...rates }, limitOf, nowMs);
  }

  /** Each threshold once a day, as tenants report. */
  #recordThreshold({ day, size, spent }: DayPool, nowMs: number): void {
    const { settings, passed: last } = this.#cache.state;
    if (day < last.day) return;
    const before = last.day === day ? last.threshold : 0;
    const passed = settings.thresholds
      .filter((each) => each > before && spent >= each * size)
      .toSorted((a, b) => a - b);
    for (const threshold of passed) {
      this.#cache.write({ passed: { day, threshold } });
      const data = {
        object: "account_threshold",
        day: formatDay(day),
        threshold,
        size_micro_neurons: size,
        spent_micro_neurons: spent,
      };
      this.#record({ type: "account.threshold", data }, nowMs);
    }
  }
}

/**
 * Notes what a tenant has spent and holds of days of which it leased nothing. Such messages have no number:
 * one that a later one has overtaken says less than what is known.
 */
function noteSpent(
  cache: PoolCache,
  { tenant, generation, spent: days }: Pick<AccountMessage, "tenant" | "generation" | "spent">,
  nowMs: number,
): void {
  const today = dayOf(nowMs);
  for (const { day, spent, pending } of days.slice(0, MOST_DAYS_SPENT)) {
    if (day < monthStart(today) - 1 || day > today + 1) continue;
    const before =
      cache.share(day, tenant, generation) ?? emptyShare({ tenant, generation }, nowMs);
    const isKnown = before.spent === spent && before.pending === pending;
    if (before.seq > 0 || spent < before.spent || isKnown) continue;
    // What calls hold counts as granted: it is recalled like a lease, if others need it and it has ended.
    const granted = plus(spent, pending);
    cache.keepShare(day, { ...before, granted, spent, pending, reportedAtMs: nowMs });
  }
}
