import {
  AccountRates,
  type RateAnswer,
  type RateRequest,
} from "../../../src/domain/account/account-rates.ts";
import { ALLOCATION, type PoolBasis, poolSize } from "../../../src/domain/account/account-terms.ts";
import { DayPool } from "../../../src/domain/account/day-pool.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, monthStart, startOf } from "../../../src/domain/ledger/period.ts";
import {
  claimOf,
  DEMAND_MS,
  isAsking,
  type PoolLimits,
  type Share,
} from "../../../src/domain/account/pool.ts";
import type { Plan } from "../../../src/domain/ledger/quota.ts";
import { keptFloor } from "../../../src/domain/tenant/settings.ts";
import type { RateClass } from "../../../src/domain/ledger/rate-limit.ts";
import { MOST_PURGED } from "../account-feature.ts";
import { DaySums } from "./day-sums.ts";
import type { PoolState, PoolStore } from "./pool-store.ts";
import { PromiseCache } from "./promise-cache.ts";
import type { TenantPromise } from "./promise-store.ts";

/** Kept for the month that a cap looks back on. */
const KEPT_DAYS = 40;

/** Days before today of which messages are still accepted. */
const KEPT_POOLS = 3;

/** Shares of a day that is over that one alarm drops from memory. */
const MOST_CLOSED = 2_000;

/** How long after a day's end its sum is written down: most late reports have come by then. */
const SUMMED_AFTER_MS = 2 * 3_600_000;

/**
 * The pool's rows, and what is in memory of them: all shares of today, the open shares of earlier days,
 * and a sum for each day that is over. Storage is the truth: memory is changed with the rows, and `forget`
 * drops it after a transaction that was rolled back.
 */
export class PoolCache {
  readonly plan: Plan;
  readonly store: PoolStore;
  readonly promises: PromiseCache;
  #state: PoolState | null = null;
  #rates: AccountRates | null = null;
  readonly #pools = new Map<Day, DayPool>();
  readonly #sums: DaySums;
  /** Pools of days that are over, with those of their shares that were not looked at since. */
  readonly #closing = new Map<DayPool, Iterator<Share>>();
  /** The day whose shares are all in memory. */
  #today: Day = 0;
  /** The day on which no share was past its retention. */
  #cleanDay: Day | null = null;
  #clockMs = 0;

  constructor(store: PoolStore, plan: Plan) {
    this.store = store;
    this.promises = new PromiseCache(store.promises);
    this.#sums = new DaySums(store);
    this.plan = plan;
  }

  forget(): void {
    this.#state = null;
    this.promises.forget();
    this.#rates = null;
    this.#pools.clear();
    this.#closing.clear();
    this.#sums.forget();
  }

  /** It never goes back, nor behind the rates that were written down. */
  now(wallMs: number): number {
    if (this.#clockMs === 0) this.#clockMs = this.rates.writtenMs;
    this.#clockMs = Math.max(this.#clockMs, wallMs);
    if (dayOf(this.#clockMs) > this.#today) this.#begin(dayOf(this.#clockMs));
    return this.#clockMs;
  }

  get state(): PoolState {
    return (this.#state ??= this.store.readState());
  }

  write(change: Partial<PoolState>): void {
    const state = { ...this.state, ...change };
    this.store.writeState(state);
    this.#state = state;
  }

  /** @param next null: there is no such tenant any more */
  writePromise(tenant: string, next: TenantPromise | null): void {
    const before = this.promises.get(tenant);
    this.promises.put(tenant, next);
    const floor = next === null ? ZERO : keptFloor(next);
    if (floor === (before === undefined ? ZERO : keptFloor(before))) return;
    for (const pool of this.#pools.values()) {
      this.#restore(pool, tenant);
      pool.setFloor(tenant, floor);
    }
  }

  /** What each tenant took within the minute is in memory alone; a bound of it is written down. */
  get rates(): AccountRates {
    return (this.#rates ??= new AccountRates(this.store.readBounds()));
  }

  takeRates(ask: RateRequest, limitOf: (name: RateClass) => number, nowMs: number): RateAnswer {
    const { answer, bound } = this.rates.take(ask, limitOf, nowMs);
    if (bound !== null) this.store.writeBound(bound);
    return answer;
  }

  /** The pool of a day; of an earlier day with all shares of this tenant. */
  pool(day: Day, tenant?: string): DayPool {
    const size = poolSize(this.basis(day)) ?? ZERO;
    const pool = this.#pools.get(day) ?? this.#build(day);
    pool.size = size;
    pool.limits = this.#limits;
    if (tenant !== undefined) this.#restore(pool, tenant);
    return pool;
  }

  get #limits(): PoolLimits {
    const { max_hold_share: holdShare, max_unspent_share: unspentShare } = this.state.settings;
    return { holdShare, unspentShare };
  }

  #build(day: Day): DayPool {
    const [other] = this.#pools.values();
    const floors = other?.floors() ?? this.store.promises.floors();
    const pool = new DayPool({ day, size: ZERO, floors, limits: this.#limits });
    if (day >= this.#today) pool.load(this.store.listShares(day), this.#clockMs);
    else this.#loadOpen(pool);
    this.#pools.set(day, pool);
    return pool;
  }

  /** Of a day that is over only the open rows are read one by one. */
  #loadOpen(pool: DayPool): void {
    const askedSinceMs = this.#clockMs - DEMAND_MS;
    pool.load(this.store.listOpenShares(pool.day, askedSinceMs), this.#clockMs);
    pool.loadClosed(this.store.closedSums(pool.day, askedSinceMs), this.#clockMs);
  }

  /** Another day has begun. Of earlier days only the open shares stay in memory: `tidy` drops the others. */
  #begin(today: Day): void {
    this.#today = today;
    for (const [day, pool] of this.#pools) {
      if (day < today - KEPT_POOLS) this.#pools.delete(day);
      else if (day < today) this.#closing.set(pool, pool.shares.values());
    }
  }

  /** Drops some shares; they count in their day's sums all the same. */
  #closeSome(): void {
    let left = MOST_CLOSED;
    for (const [pool, shares] of this.#closing) {
      for (; left > 0 && this.#closing.has(pool); left -= 1) {
        const share = shares.next();
        if (share.done === true) this.#closing.delete(pool);
        else this.#closeShare(pool, share.value);
      }
    }
  }

  #closeShare(pool: DayPool, share: Share): void {
    // A tenant that asked just now may want more of that day, as long as messages of it are on their way.
    if (!isOpen(share) && !isAsking(share, this.#clockMs)) pool.drop(share, this.#clockMs);
  }

  /** Shares of an earlier day that are not in memory are in its rows. */
  #restore(pool: DayPool, tenant: string): void {
    if (pool.day >= this.#today) return;
    pool.restore(tenant, this.store.sharesOf(pool.day, tenant), this.#clockMs);
  }

  /** One share, without reading all of its day. */
  share(day: Day, tenant: string, generation: number): Share | null {
    return (
      this.#pools.get(day)?.share({ tenant, generation }) ??
      this.store.readShare(day, tenant, generation)
    );
  }

  /** A share that changed: the pool in memory has it already. */
  keep(day: Day, share: Share): void {
    this.#count(day, share);
    this.store.writeShare(day, share);
    const pool = this.#pools.get(day);
    if (pool !== undefined && day < this.#today) this.#closeShare(pool, share);
  }

  /** The same where the pool of its day may not be in memory. */
  keepShare(day: Day, share: Share): void {
    if (this.#pools.has(day)) this.pool(day, share.tenant).put(share, this.#clockMs);
    this.keep(day, share);
  }

  /** Its day takes so much more, or less, of the month. */
  #count(day: Day, share: Share): void {
    const sum = this.#sums.claimOf(day);
    if (sum === undefined) return;
    const before = this.store.readShare(day, share.tenant, share.generation);
    const grown = claimOf(share) - (before === null ? 0 : claimOf(before));
    if (grown !== 0) this.#sums.write(day, sum + grown);
  }

  basis(day: Day): PoolBasis {
    const { settings, measuredMargin } = this.state;
    let billedBefore = 0;
    if (settings.monthly_cap_usd !== null) {
      for (let of = monthStart(day); of < day; of += 1) {
        billedBefore += Math.max(0, this.#claimOn(of) - ALLOCATION);
      }
    }
    return { plan: this.plan, settings, billedBefore, measuredMargin };
  }

  /** How much a day takes of its month. */
  #claimOn(day: Day): number {
    const isLate = day < this.#today - 1;
    const pool = this.#pools.get(day) ?? (isLate ? undefined : this.#build(day));
    return pool?.claimed ?? this.#sums.claimOf(day) ?? this.#sums.addUp(day);
  }

  /** Whether the sum of yesterday is to be written down: before midnight comes, and it is asked for. */
  #isUnsummed(nowMs: number): boolean {
    const day = this.#today - 1;
    if (nowMs < startOf(this.#today) + SUMMED_AFTER_MS) return false;
    return this.#sums.claimOf(day) === undefined && this.#claimOn(day) > 0;
  }

  /** Whether the alarm has something of earlier days to put away now. */
  isUntidy(nowMs: number): boolean {
    if (this.#closing.size > 0 || this.#isUnsummed(nowMs)) return true;
    return this.#hasOldShares(dayOf(nowMs));
  }

  #hasOldShares(today: Day): boolean {
    if (this.#cleanDay === today) return false;
    if (this.store.hasShares(today - KEPT_DAYS)) return true;
    this.#cleanDay = today;
    return false;
  }

  /** A bounded part of it: however many tenants share the pool, no transaction takes long. */
  tidy(nowMs: number): void {
    this.#closeSome();
    if (this.#isUnsummed(nowMs)) this.#sums.write(this.#today - 1, this.#claimOn(this.#today - 1));
    this.store.purgeShares(dayOf(nowMs) - KEPT_DAYS, MOST_PURGED);
    this.store.purgeDayClaims(dayOf(nowMs) - KEPT_DAYS);
    this.rates.advance(nowMs);
  }
}

/** Something of it may still come back, or be charged. */
const isOpen = ({ granted, spent, pending }: Share): boolean =>
  granted > spent + pending || pending > 0;
