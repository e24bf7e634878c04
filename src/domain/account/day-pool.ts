import { type Demand, Demands } from "./demands.ts";
import { type MicroNeurons, ZERO } from "../ledger/micro-neurons.ts";
import type { Day } from "../ledger/period.ts";
import { claimOf, isAsking, type PoolLimits, DEMAND_MS, type Share, shareKey } from "./pool.ts";
import { UnusedLeases } from "./unused-leases.ts";

// The pool of one day with its sums. They are updated as shares change, so that `pool-grant.ts`,
// `pool-refusal.ts` and `pool-recall.ts` never compute them from all shares. They change in place; after a
// transaction is rolled back they must be built again from the rows.

interface Tenant {
  readonly order: number;
  floor: MicroNeurons;
  /** Over all its generations. */
  claim: number;
  spent: number;
  /** One for each generation. Most tenants have one: an array takes a third of the memory of a map. */
  shares: readonly Share[];
  /** The number of shares that asked within the last minute. */
  asking: number;
  demand: Demand | null;
}

/** A tenant's amounts of a day, in µN, by its last report. */
export interface Amounts {
  readonly granted: number;
  readonly spent: number;
  readonly held: number;
  /** Granted, but neither spent nor held. */
  readonly leased: number;
  /** 0: it has never reported. */
  readonly reportedAtMs: number;
}

/** The sums of a tenant's shares with nothing unused or held, in µN. */
export interface ClosedSum {
  readonly tenant: string;
  readonly claim: number;
  readonly spent: number;
}

export interface DayPoolTerms {
  readonly day: Day;
  readonly size: MicroNeurons;
  readonly floors: Iterable<readonly [string, MicroNeurons]>;
  readonly limits: PoolLimits;
}

export class DayPool {
  readonly day: Day;
  /** The most that may be granted, after the safety margin. */
  size: MicroNeurons;
  limits: PoolLimits;
  /** The granted amounts that tenants do not use. */
  readonly unused = new UnusedLeases();
  readonly #shares = new Map<string, Share>();
  readonly #tenants = new Map<string, Tenant>();
  #orders = 0;
  /** The sums of all shares. */
  #claimed = 0;
  #spent = 0;
  #held = 0;
  /** The sums of all floors: the part that is not claimed, and the part that is not spent. */
  #unclaimedFloors = 0;
  #unspentFloors = 0;
  /** Shares that asked within the last minute, the earliest first, and the amount that each lacks. */
  readonly #asked = new Map<string, number>();
  readonly #lacking = new Map<string, number>();
  #lack = 0;
  #asking = 0;
  readonly #demands = new Demands();

  constructor({ day, size, floors, limits }: DayPoolTerms) {
    this.day = day;
    this.size = size;
    this.limits = limits;
    for (const [tenant, floor] of floors) this.setFloor(tenant, floor);
  }

  /** Visited nodes of its trees, for tests that count them. */
  get steps(): number {
    return this.#demands.steps + this.unused.steps;
  }

  get shares(): ReadonlyMap<string, Share> {
    return this.#shares;
  }

  share(of: Pick<Share, "tenant" | "generation">): Share | undefined {
    return this.#shares.get(shareKey(of));
  }

  /** Loads all rows at once, in any order. */
  load(shares: readonly Share[], nowMs: number): void {
    // Shares leave in the order in which they asked and reported.
    for (const share of shares.toSorted((a, b) => a.askedAtMs - b.askedAtMs)) {
      this.#keep(share, nowMs);
    }
    for (const share of shares.toSorted((a, b) => a.reportedAtMs - b.reportedAtMs)) {
      this.unused.put(share, this.floorOf(share.tenant), nowMs);
    }
  }

  /** Adds shares that are not in memory, as if they had been dropped. */
  loadClosed(sums: Iterable<ClosedSum>, nowMs: number): void {
    for (const { tenant: name, claim, spent } of sums) {
      const tenant = this.#tenants.get(name);
      if (tenant === undefined) {
        this.#claimed += claim;
        this.#spent += spent;
        continue;
      }
      this.#add(tenant, { claim, spent, held: 0 });
      this.#demand(tenant, nowMs);
    }
  }

  put(share: Share, nowMs: number): void {
    this.advance(nowMs);
    this.#keep(share, nowMs);
    this.unused.put(share, this.floorOf(share.tenant), nowMs);
  }

  #keep(share: Share, nowMs: number): void {
    const key = shareKey(share);
    const before = this.#shares.get(key);
    this.#shares.set(key, share);
    if (before?.askedAtMs !== share.askedAtMs) {
      this.#asked.delete(key);
      if (isAsking(share, nowMs)) this.#asked.set(key, share.askedAtMs);
    }
    this.#setLack(key, isAsking(share, nowMs) ? (share.answer?.refused?.missing ?? 0) : 0);
    this.assume(share, nowMs);
  }

  /** Updates the sums as if the share were this one, until the next `put` or `assume` of it. */
  assume(share: Share, nowMs: number): void {
    const tenant = this.#tenant(share.tenant);
    const before = shareIn(tenant, share);
    setShare(tenant, share);
    this.#add(tenant, {
      claim: claimOf(share) - (before === undefined ? 0 : claimOf(before)),
      spent: share.spent - (before?.spent ?? 0),
      held: share.pending - (before?.pending ?? 0),
    });
    this.#demand(tenant, nowMs);
  }

  /** Undoes `assume`. */
  unassume(of: Pick<Share, "tenant" | "generation">, nowMs: number): void {
    const known = this.share(of);
    if (known !== undefined) return this.assume(known, nowMs);
    const tenant = this.#tenant(of.tenant);
    const assumed = shareIn(tenant, of);
    if (assumed === undefined) return;
    removeShare(tenant, of);
    const [claim, spent, held] = [claimOf(assumed), assumed.spent, assumed.pending];
    this.#add(tenant, { claim: 0 - claim, spent: 0 - spent, held: 0 - held });
    this.#demand(tenant, nowMs);
  }

  setFloor(name: string, floor: MicroNeurons): void {
    const tenant = this.#tenant(name);
    this.#addFloor(tenant, -1);
    tenant.floor = floor;
    this.#addFloor(tenant, 1);
    this.#setDemand(tenant, tenant.demand === null ? null : demandOf(tenant, tenant.demand.wants));
    for (const share of tenant.shares) this.unused.setFloor(share, floor);
  }

  /** Of all tenants that have one. */
  *floors(): Generator<readonly [string, MicroNeurons]> {
    for (const [name, { floor }] of this.#tenants) if (floor > 0) yield [name, floor];
  }

  /** Forgets a share and its demand; its sums stay. `restore` brings it back. */
  drop(share: Share, nowMs: number): void {
    this.advance(nowMs);
    const key = shareKey(share);
    this.#shares.delete(key);
    this.#asked.delete(key);
    this.#setLack(key, 0);
    this.unused.drop(key);
    const tenant = this.#tenant(share.tenant);
    removeShare(tenant, share);
    this.#demand(tenant, nowMs);
    if (tenant.shares.length === 0 && tenant.floor === 0) this.#tenants.delete(share.tenant);
  }

  /** Brings back a tenant's shares that were dropped. */
  restore(name: string, shares: readonly Share[], nowMs: number): void {
    const tenant = this.#tenant(name);
    for (const share of shares) {
      const key = shareKey(share);
      if (this.#shares.has(key)) continue;
      this.#shares.set(key, share);
      setShare(tenant, share);
      this.unused.put(share, tenant.floor, nowMs);
    }
    if (tenant.floor > 0) return;
    tenant.claim = tenant.shares.reduce((sum, share) => sum + claimOf(share), 0);
    tenant.spent = tenant.shares.reduce((sum, share) => sum + share.spent, 0);
  }

  /** Ends the demand of shares that asked a minute ago. */
  advance(nowMs: number): void {
    for (const [key, askedAtMs] of this.#asked) {
      if (askedAtMs > nowMs - DEMAND_MS) break;
      this.#asked.delete(key);
      this.#setLack(key, 0);
      const share = this.#shares.get(key);
      if (share !== undefined) this.#demand(this.#tenant(share.tenant), nowMs);
    }
    this.unused.advance(nowMs);
  }

  // Sums

  get claimed(): number {
    return this.#claimed;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Held by calls in progress, by the last reports. */
  get held(): number {
    return this.#held;
  }

  /** The part of the pool that no call was charged for yet. */
  get unspent(): number {
    return Math.max(0, this.size - this.#spent);
  }

  /** `unspent` without the part that is kept for floors. */
  get sharedUnspent(): number {
    return Math.max(0, this.unspent - this.#unspentFloors);
  }

  /** The part of the pool that is not claimed, and how much of it is kept for floors. */
  get unclaimed(): { readonly total: number; readonly floors: number } {
    return { total: Math.max(0, this.size - this.#claimed), floors: this.#unclaimedFloors };
  }

  /** The unspent part that is not kept for the floors of other tenants. */
  unspentFor(tenant: string): number {
    return Math.max(0, this.unspent - this.#unspentFloors + this.#floorLeft(tenant, "spent"));
  }

  /** The unclaimed part of the tenant's own floor. */
  floorLeft(tenant: string): number {
    return this.#floorLeft(tenant, "claim");
  }

  #floorLeft(name: string, by: "claim" | "spent"): number {
    const tenant = this.#tenants.get(name);
    return tenant === undefined ? 0 : Math.max(0, tenant.floor - tenant[by]);
  }

  floorOf(tenant: string): MicroNeurons {
    return this.#tenants.get(tenant)?.floor ?? ZERO;
  }

  claimOf(tenant: string): number {
    return this.#tenants.get(tenant)?.claim ?? 0;
  }

  spentOf(tenant: string): number {
    return this.#tenants.get(tenant)?.spent ?? 0;
  }

  /** A tenant's amounts of the day, over its generations. */
  amountsOf(tenant: string): Amounts {
    return amounts(this.#tenants.get(tenant)?.shares ?? []);
  }

  /** The amounts of every tenant with a share. It visits all of them. */
  *allAmounts(): Generator<readonly [string, Amounts]> {
    for (const [name, { shares }] of this.#tenants) {
      if (shares.length > 0) yield [name, amounts(shares)];
    }
  }

  /** The number of tenants that ask, at least one: the tenant in question. */
  get askingTenants(): number {
    return Math.max(1, this.#asking);
  }

  isWantedByOthers(tenant: string): boolean {
    return this.#asking > ((this.#tenants.get(tenant)?.asking ?? 0) > 0 ? 1 : 0);
  }

  /**
   * The sum of the amounts that tenants lack after a refusal within the last minute, as far as others can
   * give them back.
   */
  get lack(): number {
    return this.#lack;
  }

  // Max-min fairness: nobody gets more at the expense of a tenant with less

  /** The amount that a tenant has claimed, or spent, beyond its floor. */
  beyondFloor(tenant: string, by: "claim" | "spent" = "claim"): number {
    const known = this.#tenants.get(tenant);
    return known === undefined ? 0 : Math.max(0, known[by] - known.floor);
  }

  /** Whether no other tenant that wants more has less. */
  isPoorest(tenant: string): boolean {
    return this.beyondFloor(tenant) <= this.#demands.leastHas;
  }

  /** The part of `amount` for a tenant that wants `wants`, after all others took their parts. */
  fairPart(amount: number, tenant: string, wants: number): number {
    const claimant = { has: this.beyondFloor(tenant), wants };
    return this.#demands.fairPart(amount, claimant, this.#tenants.get(tenant)?.demand ?? null);
  }

  /** The same if every tenant wants as much as it can get. */
  equalPart(amount: number, tenant: string, by: "claim" | "spent" = "claim"): number {
    const own = this.#tenants.get(tenant)?.demand ?? null;
    const has = this.beyondFloor(tenant, by);
    return this.#demands.equalPart(amount, has, { own, by: by === "claim" ? "has" : "paid" });
  }

  #tenant(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    const order = (this.#orders += 1);
    const nothing = { floor: ZERO, claim: 0, spent: 0, asking: 0, demand: null };
    const fresh: Tenant = { order, ...nothing, shares: NO_SHARES };
    this.#tenants.set(name, fresh);
    return fresh;
  }

  #add(
    tenant: Tenant,
    { claim, spent, held }: Readonly<Record<"claim" | "spent" | "held", number>>,
  ): void {
    this.#held += held;
    this.#addFloor(tenant, -1);
    tenant.claim += claim;
    tenant.spent += spent;
    this.#claimed += claim;
    this.#spent += spent;
    this.#addFloor(tenant, 1);
  }

  #addFloor({ floor, claim, spent }: Tenant, sign: 1 | -1): void {
    this.#unclaimedFloors += sign * Math.max(0, floor - claim);
    this.#unspentFloors += sign * Math.max(0, floor - spent);
  }

  #setLack(key: string, lack: number): void {
    this.#lack += lack - (this.#lacking.get(key) ?? 0);
    if (lack === 0) this.#lacking.delete(key);
    else this.#lacking.set(key, lack);
  }

  #demand(tenant: Tenant, nowMs: number): void {
    let wants = 0;
    let asking = 0;
    for (const share of tenant.shares) {
      if (!isAsking(share, nowMs)) continue;
      asking += 1;
      wants = Math.max(wants, share.want);
    }
    this.#asking += Number(asking > 0) - Number(tenant.asking > 0);
    tenant.asking = asking;
    this.#setDemand(tenant, wants === 0 ? null : demandOf(tenant, wants));
  }

  #setDemand(tenant: Tenant, next: Demand | null): void {
    this.#demands.replace(tenant.order, tenant.demand, next);
    tenant.demand = next;
  }
}

type Generation = Pick<Share, "generation">;

const NO_SHARES: readonly Share[] = [];

const shareIn = ({ shares }: Tenant, { generation }: Generation): Share | undefined =>
  shares.find((share) => share.generation === generation);

function removeShare(tenant: Tenant, { generation }: Generation): void {
  const others = tenant.shares.filter((share) => share.generation !== generation);
  tenant.shares = others.length === 0 ? NO_SHARES : others;
}

function setShare(tenant: Tenant, share: Share): void {
  const others = tenant.shares.filter(({ generation }) => generation !== share.generation);
  // Neither `push` nor a spread: an array that grows has spare room for sixteen more.
  tenant.shares = others.concat(share);
}

function amounts(shares: Iterable<Share>): Amounts {
  const sum = { granted: 0, spent: 0, held: 0, leased: 0, reportedAtMs: 0 };
  for (const share of shares) {
    sum.granted += share.granted;
    sum.spent += share.spent;
    sum.held += share.pending;
    sum.leased += claimOf(share) - share.spent - share.pending;
    sum.reportedAtMs = Math.max(sum.reportedAtMs, share.reportedAtMs);
  }
  return sum;
}

const demandOf = ({ floor, claim, spent }: Tenant, wants: number): Demand => ({
  has: Math.max(0, claim - floor),
  paid: Math.max(0, spent - floor),
  wants,
});
