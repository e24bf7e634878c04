import { type Demand, Demands } from "./demands.ts";
import { type MicroNeurons, ZERO } from "../ledger/micro-neurons.ts";
import type { Day } from "../ledger/period.ts";
import { claimOf, isAsking, type PoolLimits, DEMAND_MS, type Share, shareKey } from "./pool.ts";
import { UnusedLeases } from "./unused-leases.ts";

// The pool of one day with its sums: what `pool-grant.ts`, `pool-refusal.ts` and `pool-recall.ts` ask is
// kept as shares change, never worked out from all of them. It is changed in place: whoever rolls a
// transaction back builds it anew from the rows.

interface Tenant {
  readonly order: number;
  floor: MicroNeurons;
  /** Over its lives. */
  claim: number;
  spent: number;
  /** Most have one: an array is a third of a map. */
  lives: readonly Share[];
  /** Lives that asked within the last minute. */
  asking: number;
  demand: Demand | null;
}

/** What a tenant has of a day, in µN, as it reported last. */
export interface Amounts {
  readonly granted: number;
  readonly spent: number;
  readonly held: number;
  /** Granted, and neither spent nor held. */
  readonly leased: number;
  /** 0: it has reported nothing. */
  readonly reportedAtMs: number;
}

/** What shares of a tenant come to of which nothing is unused or held, in µN. */
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
  /** What may be granted at all, a safety margin taken off. */
  size: MicroNeurons;
  limits: PoolLimits;
  /** What tenants were granted and do not use. */
  readonly unused = new UnusedLeases();
  readonly #shares = new Map<string, Share>();
  readonly #tenants = new Map<string, Tenant>();
  #orders = 0;
  /** Of all shares. */
  #claimed = 0;
  #spent = 0;
  #held = 0;
  /** Of all floors: what is not claimed of them, and what is not spent. */
  #unclaimedFloors = 0;
  #unspentFloors = 0;
  /** Shares that asked within the last minute, the first to ask first, and what each lacks. */
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

  /** Nodes of its trees that were looked at, for tests that count them. */
  get steps(): number {
    return this.#demands.steps + this.unused.steps;
  }

  get shares(): ReadonlyMap<string, Share> {
    return this.#shares;
  }

  share(of: Pick<Share, "tenant" | "generation">): Share | undefined {
    return this.#shares.get(shareKey(of));
  }

  /** Rows in any order, all at once. */
  load(shares: readonly Share[], nowMs: number): void {
    // What was asked and reported first leaves first.
    for (const share of shares.toSorted((a, b) => a.askedAtMs - b.askedAtMs)) {
      this.#keep(share, nowMs);
    }
    for (const share of shares.toSorted((a, b) => a.reportedAtMs - b.reportedAtMs)) {
      this.unused.put(share, this.floorOf(share.tenant), nowMs);
    }
  }

  /** Of shares that are not in memory: as if they had been dropped. */
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

  /** The sums with this share in place of what is known: until the next `put` or `assume` of it. */
  assume(share: Share, nowMs: number): void {
    const tenant = this.#tenant(share.tenant);
    const before = lifeOf(tenant, share);
    setLife(tenant, share);
    this.#add(tenant, {
      claim: claimOf(share) - (before === undefined ? 0 : claimOf(before)),
      spent: share.spent - (before?.spent ?? 0),
      held: share.pending - (before?.pending ?? 0),
    });
    this.#demand(tenant, nowMs);
  }

  /** What was assumed of a share is dropped. */
  unassume(of: Pick<Share, "tenant" | "generation">, nowMs: number): void {
    const known = this.share(of);
    if (known !== undefined) return this.assume(known, nowMs);
    const tenant = this.#tenant(of.tenant);
    const assumed = lifeOf(tenant, of);
    if (assumed === undefined) return;
    dropLife(tenant, of);
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
    for (const share of tenant.lives) this.unused.setFloor(share, floor);
  }

  /** Forgets a share, and that it may want more; its sums stay. `restore` brings it back. */
  drop(share: Share, nowMs: number): void {
    this.advance(nowMs);
    const key = shareKey(share);
    this.#shares.delete(key);
    this.#asked.delete(key);
    this.#setLack(key, 0);
    this.unused.drop(key);
    const tenant = this.#tenant(share.tenant);
    dropLife(tenant, share);
    this.#demand(tenant, nowMs);
    if (tenant.lives.length === 0 && tenant.floor === 0) this.#tenants.delete(share.tenant);
  }

  /** A tenant's shares that were dropped. */
  restore(name: string, shares: readonly Share[], nowMs: number): void {
    const tenant = this.#tenant(name);
    for (const share of shares) {
      const key = shareKey(share);
      if (this.#shares.has(key)) continue;
      this.#shares.set(key, share);
      setLife(tenant, share);
      this.unused.put(share, tenant.floor, nowMs);
    }
    if (tenant.floor > 0) return;
    const { lives } = tenant;
    tenant.claim = lives.reduce((sum, share) => sum + claimOf(share), 0);
    tenant.spent = lives.reduce((sum, share) => sum + share.spent, 0);
  }

  /** Those that asked a minute ago are thought to want nothing more. */
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

  /** By calls in progress, as reported last. */
  get held(): number {
    return this.#held;
  }

  /** What no call was charged for yet. */
  get unspent(): number {
    return Math.max(0, this.size - this.#spent);
  }

  /** The same without what is kept as floors. */
  get sharedUnspent(): number {
    return Math.max(0, this.unspent - this.#unspentFloors);
  }

  /** What is not claimed, of which so much is kept as floors. */
  get unclaimed(): { readonly total: number; readonly floors: number } {
    return { total: Math.max(0, this.size - this.#claimed), floors: this.#unclaimedFloors };
  }

  /** What is unspent and not kept for others of their floors. */
  unspentFor(tenant: string): number {
    return Math.max(0, this.unspent - this.#unspentFloors + this.#floorLeft(tenant, "spent"));
  }

  /** What is left of the tenant's own floor. */
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

  /** What a tenant has of the day, over its lives. */
  amountsOf(tenant: string): Amounts {
    return amounts(this.#tenants.get(tenant)?.lives ?? []);
  }

  /** Of every tenant that has a share: a walk. */
  *allAmounts(): Generator<readonly [string, Amounts]> {
    for (const [name, { lives }] of this.#tenants) {
      if (lives.length > 0) yield [name, amounts(lives)];
    }
  }

  /** At least one: the one that is looked at. */
  get askingTenants(): number {
    return Math.max(1, this.#asking);
  }

  isWantedByOthers(tenant: string): boolean {
    return this.#asking > ((this.#tenants.get(tenant)?.asking ?? 0) > 0 ? 1 : 0);
  }

  /** What tenants lack that were refused within the last minute, as far as others can give it back. */
  get lack(): number {
    return this.#lack;
  }

  // Max-min fairness: nobody gets more at the price of one who has less

  /** What a tenant has beyond its floor: claimed, or spent. */
  beyondFloor(tenant: string, by: "claim" | "spent" = "claim"): number {
    const known = this.#tenants.get(tenant);
    return known === undefined ? 0 : Math.max(0, known[by] - known.floor);
  }

  /** None of the others that want something has less. */
  isPoorest(tenant: string): boolean {
    return this.beyondFloor(tenant) <= this.#demands.leastHas;
  }

  /** What is left of `amount` for a tenant that wants so much once all others took what is theirs. */
  fairPart(amount: number, tenant: string, wants: number): number {
    const claimant = { has: this.beyondFloor(tenant), wants };
    return this.#demands.fairPart(amount, claimant, this.#tenants.get(tenant)?.demand ?? null);
  }

  /** The same if all want whatever they can get. */
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
    const fresh: Tenant = { order, ...nothing, lives: NO_LIVES };
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
    for (const share of tenant.lives) {
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

type Life = Pick<Share, "generation">;

const NO_LIVES: readonly Share[] = [];

const lifeOf = ({ lives }: Tenant, { generation }: Life): Share | undefined =>
  lives.find((share) => share.generation === generation);

function dropLife(tenant: Tenant, { generation }: Life): void {
  const others = tenant.lives.filter((share) => share.generation !== generation);
  tenant.lives = others.length === 0 ? NO_LIVES : others;
}

function setLife(tenant: Tenant, share: Share): void {
  const others = tenant.lives.filter(({ generation }) => generation !== share.generation);
  tenant.lives = [...others, share];
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
