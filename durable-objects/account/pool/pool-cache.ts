import {
  AccountRates,
  type RateAnswer,
  type RateRequest,
} from "../../../src/domain/account/account-rates.ts";
import {
  ALLOCATION,
  type PoolBasis,
  poolSize,
  type PromiseSums,
  promiseSums,
} from "../../../src/domain/account/account-terms.ts";
import { DayPool } from "../../../src/domain/account/day-pool.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, monthStart } from "../../../src/domain/ledger/period.ts";
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
import type { PoolState, PoolStore } from "./pool-store.ts";
import type { PromiseStore, TenantPromise } from "./promise-store.ts";

/** Kept for the month that a cap looks back on. */
const KEPT_DAYS = 40;

/** Days before today of which messages are still accepted. */
const KEPT_POOLS = 3;

/** Of a month, at most. */
const MOST_DAYS = 31;

/**
 * The pool's rows, and what is in memory of them: all shares of today, the open shares of earlier days,
 * and a sum for each day of the month. Storage is the truth: memory is changed with the rows, and `forget`
 * drops it after a transaction that was rolled back.
 */
export class PoolCache {
  readonly plan: Plan;
  readonly store: PoolStore;
  readonly promises: PromiseCache;
  #state: PoolState | null = null;
  #rates: AccountRates | null = null;
  readonly #pools = new Map<Day, DayPool>();
  /** How much each day of a month counts as gone, by the first day of that month. */
  readonly #claims = new Map<Day, Map<Day, number>>();
  /** The day whose shares are all in memory. */
  #today: Day = 0;
  #clockMs = 0;

  constructor(store: PoolStore, plan: Plan) {
    this.store = store;
    this.promises = new PromiseCache(store.promises);
    this.plan = plan;
  }

  forget(): void {
    this.#state = null;
    this.promises.forget();
    this.#rates = null;
    this.#pools.clear();
    this.#claims.clear();
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
    const floors = this.store.promises.floors();
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

  /** Another day has begun: of earlier days only the open shares stay in memory. */
  #begin(today: Day): void {
    this.#today = today;
    for (const [day, pool] of this.#pools) {
      if (day < today - KEPT_POOLS) this.#pools.delete(day);
      else if (day < today) this.#close(pool);
    }
  }

  #close(pool: DayPool): void {
    for (const share of pool.shares.values()) this.#closeShare(pool, share);
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

  /** How much a day takes of its month. */
  #count(day: Day, share: Share): void {
    const claims = this.#claims.get(monthStart(day));
    if (claims === undefined) return;
    const before = this.store.readShare(day, share.tenant, share.generation);
    const grown = claimOf(share) - (before === null ? 0 : claimOf(before));
    claims.set(day, (claims.get(day) ?? 0) + grown);
  }

  basis(day: Day): PoolBasis {
    const { settings, measuredMargin } = this.state;
    let billedBefore = 0;
    if (settings.monthly_cap_usd !== null) {
      for (const [of, claim] of this.#monthClaims(day)) {
        if (of < day) billedBefore += Math.max(0, claim - ALLOCATION);
      }
    }
    return { plan: this.plan, settings, billedBefore, measuredMargin };
  }

  #monthClaims(day: Day): ReadonlyMap<Day, number> {
    const from = monthStart(day);
    const known = this.#claims.get(from);
    if (known !== undefined) return known;
    const rows = this.store.claimsByDay(from, from + MOST_DAYS);
    const claims = new Map(rows.map(({ day: of, claim }) => [of, claim]));
    for (const other of this.#claims.keys()) if (other < from) this.#claims.delete(other);
    this.#claims.set(from, claims);
    return claims;
  }

  /** Whether there are shares past their retention. */
  hasOldShares(today: Day): boolean {
    return this.store.hasShares(today - KEPT_DAYS);
  }

  purge(nowMs: number): void {
    this.store.purgeShares(dayOf(nowMs) - KEPT_DAYS);
    this.rates.advance(nowMs);
  }
}

/** Something of it may still come back, or be charged. */
const isOpen = ({ granted, spent, pending }: Share): boolean =>
  granted > spent + pending || pending > 0;

type Sums = PromiseSums & { readonly tenants: number };

/**
 * Promises to tenants: those that were looked up since the object started, and sums of all. They are
 * changed with the rows; `forget` drops them.
 */
export class PromiseCache {
  readonly #store: PromiseStore;
  readonly #known = new Map<string, TenantPromise>();
  #sums: Sums | null = null;

  constructor(store: PromiseStore) {
    this.#store = store;
  }

  forget(): void {
    this.#known.clear();
    this.#sums = null;
  }

  get(tenant: string): TenantPromise | undefined {
    const known = this.#known.get(tenant);
    if (known !== undefined) return known;
    const read = this.#store.read(tenant);
    if (read === null) return undefined;
    this.#known.set(tenant, read);
    return read;
  }

  /** Promises to those of these tenants that are there. They are not kept: they may be many. */
  among(tenants: readonly string[]): readonly TenantPromise[] {
    const known = tenants.flatMap((tenant) => this.#known.get(tenant) ?? []);
    const unknown = tenants.filter((tenant) => !this.#known.has(tenant));
    return unknown.length === 0 ? known : [...known, ...this.#store.among(unknown)];
  }

  /** Sums of all promises, kept as they change. */
  get sums(): Sums {
    return (this.#sums ??= this.#store.sums());
  }

  /** @param next null: there is no such tenant any more */
  put(tenant: string, next: TenantPromise | null): void {
    const before = this.get(tenant);
    const [was, is] = [promiseSums(before ? [before] : []), promiseSums(next ? [next] : [])];
    const { tenants, floors, promised } = this.sums;
    this.#sums = {
      tenants: tenants + Number(next !== null) - Number(before !== undefined),
      floors: floors - was.floors + is.floors,
      promised: promised - was.promised + is.promised,
    };
    if (next === null) {
      this.#known.delete(tenant);
      this.#store.remove(tenant);
    } else {
      this.#known.set(tenant, next);
      this.#store.write(next);
    }
  }
}
