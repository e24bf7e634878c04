import type { DayPool } from "./day-pool.ts";
import type { LeaseNeed } from "./lease.ts";
import { type MicroNeurons, microNeurons, most, ZERO } from "../ledger/micro-neurons.ts";
import { chunkOf, holdCap, type Share } from "./pool.ts";

// How much of the pool a tenant gets: floors are kept free for those whose they are, and the rest is
// shared by max-min fairness among those that want something and spend what they get.

/** What is free, as far as one tenant is concerned. */
export interface Free {
  /** Of the pool. */
  readonly total: number;
  /** Of the tenant's own floor. */
  readonly floor: number;
  /** Once every floor is kept free. */
  readonly shared: number;
}

export function freeFor(pool: DayPool, tenant: string): Free {
  const { total, floors } = pool.unclaimed;
  const shared = Math.max(0, total - floors);
  return { total, floor: Math.min(pool.floorLeft(tenant), total), shared };
}

/** How much more the tenant gets; null: not even the least. */
export function grantable(pool: DayPool, share: Share, ask: LeaseNeed): MicroNeurons | null {
  // The allowance that it has is paid for already.
  if (ask.least === 0) return ask.want === 0 ? ZERO : microNeurons(more(pool, share, ask));
  if (isAboveHoldCap(pool, share, ask)) return null;
  const amount = more(pool, share, ask);
  return amount < ask.least ? null : microNeurons(amount);
}

/** The most that one call of a tenant may hold. */
const mostHeld = (pool: DayPool, tenant: string): MicroNeurons =>
  most(holdCap(pool), pool.floorOf(tenant));

/** A tenant that knows the cap does not ask for such a call: it knew an older one, or none. */
const isAboveHoldCap = (pool: DayPool, share: Share, { least }: LeaseNeed): boolean =>
  least + share.granted - share.spent - share.pending > mostHeld(pool, share.tenant);

/** First of its own floor, which it costs nobody to grant; then a part of what all share. */
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

/** What is shared, as one tenant that asks finds it. */
interface Offer {
  readonly shared: number;
  /** What the tenant is given of its floor besides. */
  readonly ofFloor: number;
}

/**
 * A lease is half of what the tenant could have if all who want something now took all they can get:
 * so leases shrink as the pool empties, and few calls of this object make up a day. When that is too
 * little for a single call, the tenant gets what it needs as long as others' wishes are met as well;
 * and in the end the one that has least of all gets what is left.
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
    // All calls that wait, as far as they fit into an equal part: else each would ask by itself.
    return Math.min(ask.want, Math.max(least, Math.min(ask.need, equal), chunk));
  }
  const part = Math.min(room, pool.fairPart(shared, tenant, ask.need));
  if (part >= least) return Math.min(ask.need, part);
  return pool.isPoorest(tenant) ? least : 0;
}

/** The largest call for which the tenant would be granted what it lacks now. */
export function mostGrantable(pool: DayPool, tenant: string): number {
  const { floor, shared } = freeFor(pool, tenant);
  const part = pool.fairPart(shared, tenant, Infinity);
  const fair = pool.isPoorest(tenant) ? shared : Math.min(part, shared);
  return floor + Math.min(fair, roomFor(pool, tenant, floor));
}

/** As much as the tenant may be granted at all, if all of the pool were free. */
export const mostFor = (pool: DayPool, tenant: string): number => {
  const { floor } = freeFor(pool, tenant);
  return floor + roomFor(pool, tenant, floor);
};

/** What others have to give back for an amount that the tenant lacks: the poorest one gets it first. */
export const toGiveBack = (pool: DayPool, tenant: string, lacking: number): number =>
  pool.isPoorest(tenant) ? lacking : lacking * pool.askingTenants;

/**
 * What max-min fairness gives the tenant of all that is unspent, if nobody held any of it: each of those
 * that ask with what it has spent beyond its floor.
 */
export const fairShare = (pool: DayPool, tenant: string): number =>
  pool.equalPart(pool.unspentFor(tenant), tenant, "spent");

/**
 * How much more of what is shared the tenant may have while it has not spent it. Alone it may have
 * all. Once another one asks, what it keeps from them is a part of what is unspent and not kept for
 * others: so a few tenants that only hold cannot keep everybody else out.
 */
function roomFor(pool: DayPool, tenant: string, ofFloor: number): number {
  if (!pool.isWantedByOthers(tenant)) return Infinity;
  const part = Math.floor(pool.limits.unspentShare * pool.unspentFor(tenant));
  const paidFor = Math.max(pool.spentOf(tenant), pool.floorOf(tenant));
  return Math.max(0, paidFor + part - pool.claimOf(tenant) - ofFloor);
}
