import { CHUNK_MS, type RateUse, type RateUses } from "../../src/domain/account-rates.ts";
import { ALLOCATION, type PoolBasis, poolSize } from "../../src/domain/account-terms.ts";
import { type MicroNeurons, ZERO } from "../../src/domain/micro-neurons.ts";
import { type Day, dayOf, monthStart } from "../../src/domain/period.ts";
import { type Pool, type Share, shareKey, withShare } from "../../src/domain/pool.ts";
import type { Plan } from "../../src/domain/quota.ts";
import type { PoolState, PoolStore, TenantPromise } from "./pool-store.ts";

/** Kept for the month that a cap looks back on. */
const KEPT_DAYS = 40;

/**
 * The pool's rows, and what is kept of them in memory. Storage is the truth: after a transaction that
 * was rolled back `forget` drops the rest.
 */
export class PoolBook {
  readonly plan: Plan;
  readonly store: PoolStore;
  #state: PoolState | null = null;
  #promises: Map<string, TenantPromise> | null = null;
  #uses: RateUses | null = null;
  readonly #pools = new Map<Day, Pool>();
  #clockMs = 0;

  constructor(store: PoolStore, plan: Plan) {
    this.store = store;
    this.plan = plan;
  }

  forget(): void {
    this.#state = null;
    this.#promises = null;
    this.#uses = null;
    this.#pools.clear();
  }

  /** It never goes back, nor behind what the windows of the rates show. */
  now(wallMs: number): number {
    if (this.#clockMs === 0) this.#clockMs = latestIn(this.uses());
    this.#clockMs = Math.max(this.#clockMs, wallMs);
    return this.#clockMs;
  }

  get state(): PoolState {
    return (this.#state ??= this.store.readState());
  }

  write(change: Partial<PoolState>): void {
    const state = { ...this.state, ...change };
    this.store.writeState(state);
    this.#state = state;
    // Sizes depend on them.
    if ("settings" in change || "measuredMargin" in change) this.#pools.clear();
  }

  get promises(): ReadonlyMap<string, TenantPromise> {
    return (this.#promises ??= new Map(
      this.store.listPromises().map((promise) => [promise.tenant, promise]),
    ));
  }

  writePromise(promise: TenantPromise): void {
    const before = this.promises.get(promise.tenant);
    this.store.writePromise(promise);
    this.#promises = new Map(this.promises).set(promise.tenant, promise);
    if (before?.floor !== promise.floor) this.#pools.clear();
  }

  removePromise(tenant: string): void {
    const kept = new Map(this.promises);
    kept.delete(tenant);
    this.store.removePromise(tenant);
    this.#promises = kept;
    this.#pools.clear();
  }

  uses(): RateUses {
    return (this.#uses ??= this.store.readUses());
  }

  get hasUses(): boolean {
    return [...this.uses().values()].some((ofClass) => ofClass.size > 0);
  }

  /** Writes what is new of one tenant. */
  keepUses(uses: RateUses, tenant: string): void {
    const before = this.uses();
    for (const [name, ofClass] of uses) {
      const use = ofClass.get(tenant);
      if (use !== undefined && use !== before.get(name)?.get(tenant)) {
        this.store.writeUse(name, tenant, use);
      }
    }
    this.#uses = uses;
  }

  pool(day: Day): Pool {
    const known = this.#pools.get(day);
    if (known !== undefined) return known;
    const size = poolSize(this.basis(day)) ?? ZERO;
    const floors = new Map(
      [...this.promises.values()]
        .filter(({ floor }) => floor > 0)
        .map((one): [string, MicroNeurons] => [one.tenant, one.floor]),
    );
    const shares = new Map(this.store.listShares(day).map((share) => [shareKey(share), share]));
    const { max_hold_share: holdShare, max_unspent_share: unspentShare } = this.state.settings;
    const pool = { day, size, floors, limits: { holdShare, unspentShare }, shares };
    this.#pools.set(day, pool);
    return pool;
  }

  /** One share, without reading all of its day. */
  share(day: Day, tenant: string, life: number): Share | null {
    const pool = this.#pools.get(day);
    return pool === undefined
      ? this.store.readShare(day, tenant, life)
      : (pool.shares.get(shareKey({ tenant, life })) ?? null);
  }

  /** A share that changed, and the pool with it. */
  keep(day: Day, pool: Pool, share: Share): void {
    this.store.writeShare(day, share);
    // What an earlier day of the month took is taken from what a monthly cap leaves to a later one.
    this.#pools.clear();
    this.#pools.set(day, pool);
  }

  /** The same where the pool of its day may not be in memory. */
  keepShare(day: Day, share: Share): void {
    const pool = this.#pools.get(day);
    if (pool !== undefined) return this.keep(day, withShare(pool, share), share);
    this.store.writeShare(day, share);
    this.#pools.clear();
  }

  basis(day: Day): PoolBasis {
    const { settings, measuredMargin } = this.state;
    const before =
      settings.monthly_cap_usd === null ? [] : this.store.claimsByDay(monthStart(day), day);
    const billedBefore = before.reduce(
      (sum, { claim }) => sum + Math.max(0, claim - ALLOCATION),
      0,
    );
    return { plan: this.plan, settings, billedBefore, measuredMargin };
  }

  /** Deletes what nobody asks about any more. */
  purge(nowMs: number, isOver: (use: RateUse) => boolean): void {
    this.store.purgeShares(dayOf(nowMs) - KEPT_DAYS);
    const kept = new Map(this.uses());
    for (const [name, ofClass] of kept) {
      const live = new Map(ofClass);
      for (const [tenant, use] of ofClass) {
        if (!isOver(use)) continue;
        this.store.removeUse(name, tenant);
        live.delete(tenant);
      }
      kept.set(name, live);
    }
    this.#uses = kept;
  }
}

/** A ticket is counted at its end, which is some seconds after it was given. */
function latestIn(uses: RateUses): number {
  let latest = 0;
  for (const ofClass of uses.values()) {
    for (const { window } of ofClass.values()) latest = Math.max(latest, window.at(-1)?.[0] ?? 0);
  }
  return Math.max(0, latest * 1000 - CHUNK_MS);
}
