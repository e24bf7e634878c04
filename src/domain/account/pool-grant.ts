import type { DayPool } from "./day-pool.ts";
import type { LeaseNeed } from "./lease.ts";
import { type MicroNeurons, microNeurons, most, ZERO } from "../ledger/micro-neurons.ts";
import { chunkOf, holdCap, type Share } from "./pool.ts";

// How much of the pool a tenant gets. Floors are kept free for their tenants; the rest is shared by max-min
// fairness among the tenants that ask and spend what they get.

/** The free amounts from the point of view of one tenant. */
export interface Free {
  /** Of the whole pool. */
  readonly total: number;
  /** Of the tenant's own floor. */
  readonly floor: number;
  /** Free when all floors are kept. */
  readonly shared: number;
}

export function freeFor(pool: DayPool, tenant: string): Free {
  const { total, floors } = pool.unclaimed;
  const shared = Math.max(0, total - floors);
  return { total, floor: Math.min(pool.floorLeft(tenant), total), shared };
}

/** The amount to grant; null: not even `least`. */
export function grantable(pool: DayPool, share: Share, ask: LeaseNeed): MicroNeurons | null {
  // The present allowance was granted before and needs no new amount.
  if (ask.least === 0) return ask.want === 0 ? ZERO : microNeurons(more(pool, share, ask));
  if (isAboveHoldCap(pool, share, ask)) return null;
  const amount = more(pool, share, ask);
  return amount < ask.least ? null : microNeurons(amount);
}

/** The most that one call of a tenant may hold. */
const mostHeld = (pool: DayPool, tenant: string): MicroNeurons =>
  most(holdCap(pool), pool.floorOf(tenant));

/** Only a tenant that does not know the current cap asks for such a call. */
const isAboveHoldCap = (pool: DayPool, share: Share, { least }: LeaseNeed): boolean =>
  least + share.granted - share.spent - share.pending > mostHeld(pool, share.tenant);

/** First from the tenant's own floor, which no other tenant can use; then from the shared part. */
function more(pool: DayPool, share: Share, ask: LeaseNeed): number {
  const free = freeFor(pool, share.tenant);
  const ofFloor = Math.min(ask.want, free.floor);
  if (ofFloor > 0 && ofFloor >= ask.least) return ofFloor;
  const rest = {
    least: Math.max(0, ask.least - ofFloor),
    need: Math.max(0, ask.need - ofFloor),
    want: Math.max(0, ask.want - ofFloor),
  };
  return ofFloor + ofShared(pool, share.tenant, rest, { shared: free.shared, ofFloor });
}

/** The shared part that is offered to a tenant. */
interface Offer {
  readonly shared: number;
  /** The amount that the tenant gets from its floor. */
  readonly ofFloor: number;
}

/**
 * A lease is half of the tenant's part if all asking tenants now took as much as they can get. So leases
 * shrink as the pool empties, and a tenant needs few calls of this object in a day. If that is too little for
 * one call, the tenant gets its need as far as the wants of others are met too. In the end the tenant with
 * the least gets what is left.
 */
function ofShared(
  pool: DayPool,
  tenant: string,
  ask: { readonly least: number; readonly need: number; readonly want: number },
  { shared, ofFloor }: Offer,
): number {
  const { least } = ask;
  const room = roomFor(pool, tenant, ofFloor);
  if (Math.min(shared, room) < least || shared === 0) return 0;
  const equal = Math.min(room, pool.equalPart(shared, tenant));
  if (equal >= least && equal > 0) {
    const chunk = Math.min(Math.floor(equal / 2), chunkOf(pool));
    // Enough for all waiting calls, up to an equal part: otherwise each would ask by itself.
    return Math.min(ask.want, Math.max(least, Math.min(ask.need, equal), chunk));
  }
  const part = Math.min(room, pool.fairPart(shared, tenant, ask.need));
  if (part >= least) return Math.min(ask.need, part);
  return pool.isPoorest(tenant) ? least : 0;
}

/** The most that the tenant could be granted now. */
export function mostGrantable(pool: DayPool, tenant: string): number {
  const { floor, shared } = freeFor(pool, tenant);
  const part = pool.fairPart(shared, tenant, Infinity);
  const fair = pool.isPoorest(tenant) ? shared : Math.min(part, shared);
  return floor + Math.min(fair, roomFor(pool, tenant, floor));
}

/** The most that the tenant could be granted if the whole pool were free. */
export const mostFor = (pool: DayPool, tenant: string): number => {
  const { floor } = freeFor(pool, tenant);
  return floor + roomFor(pool, tenant, floor);
};

/**
 * The amount that others must give back for an amount that the tenant lacks: the poorest tenant gets it
 * first.
 */
export const mustReturn = (pool: DayPool, tenant: string, lacking: number): number =>
  pool.isPoorest(tenant) ? lacking : lacking * pool.askingTenants;

/**
 * The tenant's part of all that is unspent, if nobody held any of it: max-min fairness by the amounts that
 * asking tenants have spent beyond their floors.
 */
export const fairShare = (pool: DayPool, tenant: string): number =>
  pool.equalPart(pool.unspentFor(tenant), tenant, "spent");

/**
 * How much more of the shared part the tenant may have unspent. Alone it may have all. When another tenant
 * asks, its unspent amount is limited to a part of what is unspent and not kept for others: so a few tenants
 * that only hold cannot keep everybody else out.
 */
function roomFor(pool: DayPool, tenant: string, ofFloor: number): number {
  if (!pool.isWantedByOthers(tenant)) return Infinity;
  const part = Math.floor(pool.limits.unspentShare * pool.unspentFor(tenant));
  const paidFor = Math.max(pool.spentOf(tenant), pool.floorOf(tenant));
  return Math.max(0, paidFor + part - pool.claimOf(tenant) - ofFloor);
}
