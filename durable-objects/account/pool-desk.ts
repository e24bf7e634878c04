import { heardOf, probe } from "../../src/domain/account-closure.ts";
import { isOver, takeRates } from "../../src/domain/account-rates.ts";
import {
  type AccountPatch,
  accountRate,
  type AccountSettings,
  isPooled,
  patchedAccount,
  poolSize,
  type Promised,
  promiseSums,
} from "../../src/domain/account-terms.ts";
import { closeShare, emptyShare, lease } from "../../src/domain/lease.ts";
import type { MicroNeurons } from "../../src/domain/micro-neurons.ts";
import { type Day, dayOf, formatDay } from "../../src/domain/period.ts";
import { type Outlook, outlookOf } from "../../src/domain/pool-refusal.ts";
import { type Pool, type Share, shareKey, sizesOf, withShare } from "../../src/domain/pool.ts";
import { accountWarnings, type Warning } from "../../src/domain/account-warnings.ts";
import type {
  AccountAnswer,
  AccountAsk,
  AccountView,
  DaySpent,
  HeardView,
  LeaseReply,
} from "./account-protocol.ts";
import type { PoolBook } from "./pool-book.ts";
import { type PoolOverview, poolOverview } from "./pool-overview.ts";
import { PoolRecalls, type Recall } from "./pool-recalls.ts";
import type { PoolState } from "./pool-store.ts";

// The account's pool at work: rows and memory around the rules of `lease.ts` and `account-rates.ts`.
// Every method runs inside one transaction of the object.

/** Days whose messages are heard: late settlements are reported a day later at most. */
const OLD_DAYS = 2;

/** News that could not be told are told again after that. */
const TELL_AGAIN_MS = 10_000;

/** What a tenant would be promised, were it changed as is planned. */
export interface PlannedPromise extends Promised {
  readonly tenant: string;
}

export interface PoolEvent {
  readonly type: "account.threshold" | "account.closed";
  readonly data: Readonly<Record<string, unknown>>;
}

export class PoolDesk {
  readonly #book: PoolBook;
  readonly #tell: (event: PoolEvent, nowMs: number) => void;
  readonly #recalls: PoolRecalls;

  constructor(book: PoolBook, tell: (event: PoolEvent, nowMs: number) => void) {
    this.#book = book;
    this.#tell = tell;
    this.#recalls = new PoolRecalls(book);
  }

  ask(ask: AccountAsk, wallMs: number): AccountAnswer {
    const nowMs = this.#book.now(wallMs);
    this.promise(ask.tenant, ask.life, ask.promised);
    if (ask.news !== null) this.#hear(ask.tenant, ask.news, nowMs);
    const mayProbe = ask.probe && this.#probe(nowMs);
    const leased = this.#lease(ask, nowMs);
    const rates = this.#rates(ask, nowMs);
    const outlook = this.#outlook(ask, nowMs);
    const view = this.view(wallMs);
    return { kind: "answered", view, lease: leased, rates, outlook, mayProbe, nowMs };
  }

  /**
   * Tenants to ask first for what they do not use, because the question would be refused without it.
   * Nothing is written down yet.
   */
  recallsBefore({ tenant, life, lease: asked }: AccountAsk, wallMs: number): readonly Recall[] {
    if (asked === null || asked.need === null || !this.#isShared) return [];
    const nowMs = this.#book.now(wallMs);
    const { day, ...ask } = asked;
    if (day !== dayOf(nowMs)) return [];
    const leased = lease(this.#book.pool(day), { tenant, life, ...ask }, nowMs);
    const missing = leased.kind === "answered" ? (leased.answer.refused?.missing ?? 0) : 0;
    return this.#recalls.forAmount(day, missing, nowMs);
  }

  view(wallMs: number): AccountView {
    const { notice, closure } = this.#book.state;
    const isShared = this.#isShared;
    const pool = isShared ? this.#book.pool(dayOf(this.#book.now(wallMs))) : null;
    return { notice, isPooled: isShared, closure, sizes: pool && sizesOf(pool) };
  }

  get #isShared(): boolean {
    return isPooled(this.#book.plan, this.#book.state.settings);
  }

  /** Settings of a tenant that are newer than those known; returns whether they were. */
  promise(tenant: string, life: number, promised: Promised & { version: number }): boolean {
    const before = this.#book.promises.get(tenant);
    const isKnown = before !== undefined && before.life >= life;
    if (isKnown && (before.life > life || before.version >= promised.version)) return false;
    // Until there was a notice, what an object assumes by itself is right.
    const told = isKnown ? before.told : 0;
    const { plan, daily, floor, version } = promised;
    this.#book.writePromise({ tenant, life, plan, daily, floor, version, told });
    return true;
  }

  /** A life has ended: what it spent stays spent, the rest is free. */
  endLife(tenant: string, life: number, days: readonly DaySpent[], wallMs: number): void {
    const nowMs = this.#book.now(wallMs);
    for (const { day, spent } of days) {
      if (day < dayOf(nowMs) - OLD_DAYS) continue;
      const closed = closeShare(this.#book.pool(day), { tenant, life, spent }, nowMs);
      this.#book.keep(day, closed.pool, closed.share);
    }
    if ((this.#book.promises.get(tenant)?.life ?? 0) > life) return;
    this.#book.removePromise(tenant);
  }

  // What all tenants are told

  /** Tenants that have not confirmed the latest notice. */
  untold(): readonly string[] {
    const { notice } = this.#book.state;
    return [...this.#book.promises.values()]
      .filter(({ told }) => told < notice)
      .map((one) => one.tenant);
  }

  /** @param reply null: there is no such tenant any more, so there is nobody to be told */
  heard(tenant: string, reply: HeardView | null, notice: number, wallMs: number): void {
    const nowMs = this.#book.now(wallMs);
    const promise = this.#book.promises.get(tenant);
    if (promise === undefined || (reply !== null && promise.life !== reply.life)) return;
    this.#book.writePromise({ ...promise, told: Math.max(promise.told, notice) });
    for (const spent of reply?.days ?? []) this.#noteSpent(promise, spent, nowMs);
  }

  reopen(wallMs: number): void {
    this.#change({ closure: null, liftedAtMs: this.#book.now(wallMs) });
  }

  // Settings

  settings(): AccountSettings {
    return this.#book.state.settings;
  }

  patch(patch: AccountPatch): AccountSettings {
    this.#change({ settings: patchedAccount(this.#book.state.settings, patch) });
    return this.#book.state.settings;
  }

  setMeasuredMargin(margin: MicroNeurons): void {
    if (this.#book.state.measuredMargin === margin) return;
    this.#book.write({ measuredMargin: margin });
  }

  /** @param planned what these tenants would be promised, in place of what they are */
  warnings(wallMs: number, planned: readonly PlannedPromise[] = []): readonly Warning[] {
    const size = poolSize(this.#book.basis(dayOf(this.#book.now(wallMs))));
    const promises = new Map<string, Promised>(this.#book.promises);
    for (const promise of planned) promises.set(promise.tenant, promise);
    return accountWarnings(promiseSums(promises.values()), size);
  }

  overview(wallMs: number): PoolOverview {
    const nowMs = this.#book.now(wallMs);
    const day = dayOf(nowMs);
    const basis = this.#book.basis(day);
    return poolOverview({
      basis,
      pool: this.#book.pool(day),
      closure: this.#book.state.closure,
      promises: [...this.#book.promises.values()],
      uses: this.#book.uses(),
      nowMs,
    });
  }

  // What the alarm does

  /** Those whose unused leases are to be asked back now. */
  toRecall(wallMs: number): readonly Recall[] {
    return this.#recalls.due(this.#book.now(wallMs));
  }

  /** When the alarm has something to do for the pool; null: not before somebody asks. */
  dueMs(wallMs: number): number | null {
    const nowMs = this.#book.now(wallMs);
    return this.untold().length > 0 ? nowMs + TELL_AGAIN_MS : this.#recalls.nextDueMs(nowMs);
  }

  purge(wallMs: number): void {
    const nowMs = this.#book.now(wallMs);
    this.#book.purge(nowMs, (use) => isOver(use, nowMs));
  }

  #lease(ask: AccountAsk, nowMs: number): LeaseReply | null {
    if (ask.lease === null) return null;
    const { day, ...asked } = ask.lease;
    const today = dayOf(nowMs);
    if (!this.#isShared || day > today + 1 || day < today - OLD_DAYS) return null;
    const { tenant, life } = ask;
    const leased = lease(this.#book.pool(day), { tenant, life, ...asked }, nowMs);
    if (leased.kind === "stale") return { stale: leased.seq };
    if (leased.kind === "repeated") return { ...leased.answer, repeated: true };
    this.#book.keep(day, leased.pool, leased.share);
    this.#tellThreshold(day, leased.pool, nowMs);
    return { ...leased.answer, repeated: false };
  }

  #outlook({ tenant, life, look }: AccountAsk, nowMs: number): Outlook | null {
    if (look === null || look !== dayOf(nowMs) || !this.#isShared) return null;
    const pool = this.#book.pool(look);
    const share =
      pool.shares.get(shareKey({ tenant, life })) ?? emptyShare({ tenant, life }, nowMs);
    return outlookOf(pool, share, nowMs);
  }

  #rates({ tenant, rates }: AccountAsk, nowMs: number) {
    if (rates === null) return null;
    const { settings } = this.#book.state;
    const before = this.#book.uses();
    const limitOf = (name: string): number => accountRate(settings, name);
    const { uses, answer } = takeRates(before, { tenant, ...rates }, limitOf, nowMs);
    this.#book.keepUses(uses, tenant);
    return answer;
  }

  #hear(tenant: string, news: NonNullable<AccountAsk["news"]>, nowMs: number): void {
    const before = this.#book.state;
    const { closure, liftedAtMs } = heardOf(before, news, nowMs);
    if (closure === before.closure) return;
    this.#change({ closure, liftedAtMs });
    if (closure === null) return;
    const data = { object: "account_closure", tenant, day: formatDay(closure.day) };
    this.#tell({ type: "account.closed", data }, nowMs);
  }

  /** One call for all tenants together. */
  #probe(nowMs: number): boolean {
    const { closure } = this.#book.state;
    if (closure === null || closure.day !== dayOf(nowMs)) return false;
    const probed = probe(closure, nowMs);
    if (probed.allowed) this.#book.write({ closure: probed.closure });
    return probed.allowed;
  }

  /** Once a day each, as tenants report. */
  #tellThreshold(day: Day, pool: Pool, nowMs: number): void {
    const { settings, told } = this.#book.state;
    if (day < told.day) return;
    const spent = [...pool.shares.values()].reduce((sum, share) => sum + share.spent, 0);
    const before = told.day === day ? told.threshold : 0;
    const passed = settings.thresholds
      .filter((each) => each > before && spent >= each * pool.size)
      .toSorted((a, b) => a - b);
    for (const threshold of passed) {
      this.#book.write({ told: { day, threshold } });
      const data = {
        object: "account_threshold",
        day: formatDay(day),
        threshold,
        size_micro_neurons: pool.size,
        spent_micro_neurons: spent,
      };
      this.#tell({ type: "account.threshold", data }, nowMs);
    }
  }

  /** What a tenant that leased nothing yet has spent already: before there was a pool. */
  #noteSpent(
    { tenant, life }: Pick<Share, "tenant" | "life">,
    { day, spent, pending }: DaySpent,
    nowMs: number,
  ): void {
    const pool = this.#book.pool(day);
    if (spent + pending === 0 || pool.shares.has(shareKey({ tenant, life }))) return;
    const { share } = closeShare(pool, { tenant, life, spent }, nowMs);
    const noted = { ...share, pending };
    this.#book.keep(day, withShare(pool, noted), noted);
  }

  /** A change that every tenant is to hear of. */
  #change(change: Partial<Pick<PoolState, "settings" | "closure" | "liftedAtMs">>): void {
    this.#book.write({ ...change, notice: this.#book.state.notice + 1 });
  }
}
