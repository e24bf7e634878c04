import {
  type AccountNews,
  isSameNews,
  type BudgetStatus,
  isOfAccount,
  type Missing,
} from "../../../src/domain/account/account-budget.ts";
import { type LeaseNeed, UNUSABLE_BEFORE_MS } from "../../../src/domain/account/lease.ts";
import {
  least,
  type MicroNeurons,
  microNeurons,
  minusOrZero,
  most,
  plus,
  sum,
  ZERO,
} from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { LeaseRefusal } from "../../../src/domain/account/pool-refusal.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type {
  AccountAnswer,
  AccountMessage,
  AccountView,
  LeaseReply,
} from "../../account/account-protocol.ts";
import type { KnownAccount, Lease, LeaseStore } from "./lease-store.ts";
import { RatePermits, PoolMemory } from "./account-memory.ts";

// What the tenant has of what all tenants share: its allowances and what it was refused of them, in
// rows; permits, with their refusals, and permission to probe, in memory. Everything runs inside the
// object's transactions.

/** A lease is for as many calls as that, if so much is to be had. */
const CALLS_AT_ONCE = 256;

/** At the end of a day more may come free. The account is asked so seldom that it costs nothing. */
const SPENT_AGAIN_MS = 300_000;

/** A tenant that was charged for something within this time is busy. */
const BUSY_MS = 10_000;

/** A tenant with more unused than so many chunks gives the rest back of its own accord. */
const CHUNKS_KEPT = 2;

/** How long the permission to probe may be used: a call waits for it. */
const PROBE_MS = 1_000;

const NO_LEASE = { granted: ZERO, deadlineMs: 0, seq: 0, reportedAtMs: 0, refused: null };

/** What the tenant uses of a day. */
export interface DayUse {
  readonly day: Day;
  /** Charged, with what engines used beyond that. */
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
}

const usedOf = ({ spent, pending }: DayUse): MicroNeurons => plus(spent, pending);

export class AccountBudget {
  readonly #store: LeaseStore;
  /** Without a word from the account: whether neurons are shared out. */
  readonly #isPooledByPlan: boolean;
  readonly #permits = new RatePermits();
  readonly pool = new PoolMemory();
  /** Neurons are shared out since a moment ago: the account may not know what the month has cost. */
  owesMonth = false;
  /** When the account's view came last. */
  seenAtMs = -Infinity;
  #known: KnownAccount | null = null;
  #leases: Map<Day, Lease> | null = null;
  #probeFromMs = 0;
  #wallMs = 0;
  #chargedAtMs = -Infinity;

  constructor(store: LeaseStore, isPooledByPlan: boolean) {
    this.#store = store;
    this.#isPooledByPlan = isPooledByPlan;
  }

  /** Forgets what was not written, and permits: the notice that came with them may not have been. */
  forget(): void {
    this.#permits.clear();
    this.seenAtMs = -Infinity;
    this.#probeFromMs = 0;
    this.#known = null;
    this.#leases = null;
  }

  begin(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  /** @param floor what the tenant's settings keep for it */
  standing(
    use: DayUse,
    at: { readonly nowMs: number; readonly floor: MicroNeurons; readonly isProbeDue: boolean },
  ): BudgetStatus {
    const { nowMs, floor, isProbeDue } = at;
    const { refused } = this.#lease(use.day);
    const holdCap = this.pool.holdCap(use.day, nowMs);
    const mostHeld = holdCap === null ? null : most(holdCap, floor);
    const left = this.#left(use, nowMs);
    const neurons = { used: usedOf(use), spent: use.spent, left, floor, mostHeld, refused };
    return {
      neurons: this.account.isPooled ? neurons : null,
      rates: (name) => ({
        left: this.#permits.left(name, this.#wallMs),
        refused: this.#permits.refused(name),
      }),
      isProbeDue,
    };
  }

  /** An admission uses its permits, and the permission to probe. */
  take(units: RateUnits): void {
    for (const [name, count] of Object.entries(units)) {
      if (isOfAccount(name)) this.#permits.take(name, count, this.#wallMs);
    }
    this.#probeFromMs = 0;
  }

  /** As a permit: it holds for a second from the request. */
  get mayProbe(): boolean {
    return this.#probeFromMs <= this.#wallMs && this.#wallMs < this.#probeFromMs + PROBE_MS;
  }

  get account(): KnownAccount {
    this.#known ??= this.#store.readAccount() ?? {
      notice: 0,
      isPooled: this.#isPooledByPlan,
      news: null,
    };
    return this.#known;
  }

  get leases(): ReadonlyMap<Day, Lease> {
    return (this.#leases ??= new Map(this.#store.list().map((lease) => [lease.day, lease])));
  }

  /** Of what calls lack: what to ask the account for. `own` is what the tenant's own limit leaves. */
  need(
    missing: readonly Missing[],
    use: DayUse,
    own: MicroNeurons | null,
  ): AccountMessage["lease"] {
    const bounds = missing.flatMap(({ bound }) => bound ?? []);
    if (bounds.length === 0) return null;
    // After a refusal the tenant keeps nothing that it cannot use, and asks for all of it again: others
    // can use it.
    if (this.#lease(use.day).refused !== null) this.#lower(use);
    const used = usedOf(use);
    const beyond = (amount: MicroNeurons): MicroNeurons =>
      minusOrZero(plus(used, amount), this.#allowance(use));
    const all = sum(bounds);
    const dearest = bounds.reduce(most);
    const some = microNeurons(Math.min(dearest * CALLS_AT_ONCE, Number.MAX_SAFE_INTEGER / 4));
    const wanted = own === null ? some : least(some, own);
    const need: LeaseNeed = {
      least: beyond(bounds.reduce(least)),
      need: beyond(all),
      want: beyond(most(all, wanted)),
    };
    return this.#message(use, need);
  }

  /** Reports what is spent and held, and asks for nothing. Of the unused neurons `keep` stay here. */
  report(use: DayUse, keep: MicroNeurons): AccountMessage["lease"] {
    this.#lower(use, keep);
    return this.#message(use, null);
  }

  /** Whether so much is unused that the tenant gives it back of its own accord. */
  hasTooMuch(use: DayUse): boolean {
    const chunk = this.pool.chunk(use.day);
    const unused = this.#lease(use.day).granted - usedOf(use);
    return chunk !== null && unused > CHUNKS_KEPT * chunk;
  }

  rates(missing: readonly Missing[]): AccountMessage["rates"] {
    const calls = missing.map(({ rates }) => rates).filter((one) => Object.keys(one).length > 0);
    if (calls.length === 0) return null;
    return { calls, more: this.#permits.more(new Set(calls.flatMap((one) => Object.keys(one)))) };
  }

  /** @param wallMs when the message was sent */
  applyAnswer(
    ask: AccountMessage,
    answer: Extract<AccountAnswer, { kind: "answered" }>,
    { wallMs, nowMs }: { readonly wallMs: number; readonly nowMs: number },
  ): void {
    const shiftMs = nowMs - answer.nowMs;
    if (ask.news !== null && isSameNews(ask.news, this.account.news)) this.#know({ news: null });
    this.see(answer.view, nowMs);
    this.pool.keepOutlook(ask, answer, nowMs);
    if (answer.rates !== null) this.#permits.add(answer.rates, wallMs, shiftMs);
    if (answer.mayProbe) this.#probeFromMs = wallMs;
    if (ask.lease === null) return;
    if (answer.lease === null) this.#write({ ...this.#lease(ask.lease.day), reportedAtMs: nowMs });
    else this.#leased(ask.lease, answer.lease, { nowMs, shiftMs });
  }

  /** Takes the account's view; true when it is not older than the known one. */
  see(view: AccountView, nowMs: number): boolean {
    const before = this.account;
    if (view.notice < before.notice) return false;
    this.seenAtMs = nowMs;
    this.pool.keepSizes(view, nowMs);
    if (view.notice > before.notice) this.forgetRefusals();
    if (view.isPooled && !before.isPooled) this.owesMonth = true;
    if (view.notice > before.notice || view.isPooled !== before.isPooled) {
      this.#know({ notice: view.notice, isPooled: view.isPooled });
    }
    return true;
  }

  /** News for the account, written in the transaction that learned it. */
  learn(news: AccountNews): void {
    this.#know({ news });
  }

  forgetRefusals(): void {
    for (const lease of this.leases.values()) {
      if (lease.refused !== null) this.#write({ ...lease, refused: null });
    }
    this.#permits.forgetRefusals();
  }

  /** A call was charged. One that costs nothing does not make its tenant busy. */
  noteCharge(nowMs: number): void {
    this.#chargedAtMs = nowMs;
  }

  isBusy(nowMs: number): boolean {
    return this.#chargedAtMs > nowMs - BUSY_MS;
  }

  remove(day: Day): void {
    this.#store.remove(day);
    this.#leases = null;
  }

  #leased(
    { day, need }: NonNullable<AccountMessage["lease"]>,
    answer: LeaseReply,
    { nowMs, shiftMs }: { readonly nowMs: number; readonly shiftMs: number },
  ): void {
    const lease = this.#lease(day);
    // The account has had a later message about this day. The numbers here stay.
    if ("stale" in answer) return this.#write({ ...lease, seq: Math.max(lease.seq, answer.stale) });
    const { granted, deadlineMs, seq, refused } = answer;
    const now = refused && {
      ...refused,
      againAtMs: Math.min(refused.againAtMs + shiftMs, nowMs + SPENT_AGAIN_MS),
      tooLargeAgainAtMs: refused.tooLargeAgainAtMs + shiftMs,
    };
    // A report asks for nothing. Nor does a grant say that a larger call would be granted too.
    const kept = now ?? (need === null || isAbove(lease.refused, granted) ? lease.refused : null);
    this.#write({ day, granted, deadlineMs, seq, reportedAtMs: nowMs, refused: kept });
  }

  #left(use: DayUse, nowMs: number): MicroNeurons {
    const { granted, deadlineMs } = this.#lease(use.day);
    return nowMs >= deadlineMs - UNUSABLE_BEFORE_MS ? ZERO : minusOrZero(granted, usedOf(use));
  }

  #lease(day: Day): Lease {
    return this.leases.get(day) ?? { ...NO_LEASE, day };
  }

  /**
   * The day's row is written before its first message is sent: if the answer is lost, the account has a
   * share of the day, and only a day with a row is reported to its end.
   */
  #message(use: DayUse, need: LeaseNeed | null): AccountMessage["lease"] {
    const { day, spent, pending } = use;
    if (!this.leases.has(day)) this.#write(this.#lease(day));
    const seq = this.#lease(day).seq + 1;
    return { day, seq, allowance: this.#allowance(use), spent, pending, need };
  }

  /** Neurons used without a lease, or beyond one, count as granted: they are gone already. */
  #allowance(use: DayUse): MicroNeurons {
    return most(this.#lease(use.day).granted, usedOf(use));
  }

  /** The tenant lowers its own allowance first, and reports it then. */
  #lower(use: DayUse, keep = ZERO): void {
    const lease = this.#lease(use.day);
    const kept = plus(usedOf(use), keep);
    if (lease.granted > kept) this.#write({ ...lease, granted: kept });
  }

  #write(lease: Lease): void {
    this.#store.write(lease);
    this.#leases = new Map(this.leases).set(lease.day, lease);
  }

  #know(change: Partial<KnownAccount>): void {
    const known = { ...this.account, ...change };
    this.#store.writeAccount(known);
    this.#known = known;
  }
}

const isAbove = (refused: LeaseRefusal | null, granted: MicroNeurons): boolean =>
  refused !== null && refused.level > granted;
