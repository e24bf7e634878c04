import type { Share } from "../../../../src/domain/account/pool.ts";
import { type Claimant, fairPart } from "./fair-share.ts";
import type { LeaseNeed } from "../../../../src/domain/account/lease.ts";
import {
  type MicroNeurons,
  microNeurons,
  ZERO,
} from "../../../../src/domain/ledger/micro-neurons.ts";
import { chunkOf, claimOf, claimsByTenant, mostHeld, type Pool, sumOf, unspentOf } from "./pool.ts";

// How much of the pool a tenant gets: floors are kept free for those whose they are, and the rest is
// shared by max-min fairness among those that want something and spend what they get.

/** Who asked within this time counts as wanting more. */
export const DEMAND_MS = 60_000;

/** What is free, as far as one tenant is concerned. */
export interface Free {
  /** Of the pool. */
  readonly total: number;
  /** Of the tenant's own floor. */
  readonly floor: number;
  /** Once every floor is kept free. */
  readonly shared: number;
}

export function freeFor(pool: Pool, tenant: string): Free {
  const claims = claimsByTenant(pool, claimOf);
  const total = Math.max(0, pool.size - sumOf(claims.values()));
  const keptFree = [...pool.floors].map(([of, floor]): [string, number] => [
    of,
    Math.max(0, floor - (claims.get(of) ?? 0)),
  ]);
  const own = keptFree.find(([of]) => of === tenant)?.[1] ?? 0;
  const shared = Math.max(0, total - keptFree.reduce((sum, [, kept]) => sum + kept, 0));
  return { total, floor: Math.min(own, total), shared: Math.min(shared, total) };
}

/** How much more the tenant gets; null: not even the least. */
export function grantable(
  pool: Pool,
  share: Share,
  ask: LeaseNeed,
  nowMs: number,
): MicroNeurons | null {
  // The allowance that it has is paid for already.
  if (ask.least === 0) return ask.want === 0 ? ZERO : microNeurons(more(pool, share, ask, nowMs));
  if (isAboveHoldCap(pool, share, ask)) return null;
  const amount = more(pool, share, ask, nowMs);
  return amount < ask.least ? null : microNeurons(amount);
}

/** A tenant that knows the cap does not ask for such a call: it knew an older one, or none. */
const isAboveHoldCap = (pool: Pool, share: Share, { least }: LeaseNeed): boolean =>
  least + share.granted - share.spent - share.pending > mostHeld(pool, share.tenant);

/** First of its own floor, which it costs nobody to grant; then a part of what all share. */
function more(pool: Pool, share: Share, ask: LeaseNeed, nowMs: number): number {
  const free = freeFor(pool, share.tenant);
  const ofFloor = Math.min(ask.want, free.floor);
  if (ofFloor > 0 && ofFloor >= ask.least) return ofFloor;
  const rest = {
    least: Math.max(0, ask.least - ofFloor),
    need: Math.max(0, ask.need - ofFloor),
    want: Math.max(0, ask.want - ofFloor),
  };
  return ofFloor + ofShared(pool, share, rest, { shared: free.shared, ofFloor, nowMs });
}

/** What is shared, as one tenant that asks finds it. */
interface Offer {
  readonly shared: number;
  /** What the tenant is given of its floor besides. */
  readonly ofFloor: number;
  readonly nowMs: number;
}

/**
 * A lease is half of what the tenant could have if all who want something now took all they can get:
 * so leases shrink as the pool empties, and few calls of this object make up a day. When that is too
 * little for a single call, the tenant gets what it needs as long as others' wishes are met as well;
 * and in the end the one that has least of all gets what is left.
 */
function ofShared(
  pool: Pool,
  share: Share,
  ask: { readonly least: number; readonly need: number; readonly want: number },
  offer: Offer,
): number {
  const { shared } = offer;
  const { least } = ask;
  const room = roomFor(pool, share.tenant, offer);
  if (Math.min(shared, room) < least || shared === 0) return 0;
  const has = beyondFloor(pool, share.tenant);
  const others = demanding(pool, share.tenant, offer.nowMs);
  const greedy = others.map((other) => ({ ...other, wants: Infinity }));
  const equal = Math.min(room, fairPart(shared, { has, wants: Infinity }, greedy).part);
  if (equal >= least && equal > 0) {
    const chunk = Math.min(Math.floor(equal / 2), chunkOf(pool));
    // All calls that wait, as far as they fit into an equal part: else each would ask by itself.
    return Math.min(ask.want, Math.max(least, Math.min(ask.need, equal), chunk));
  }
  const part = Math.min(room, fairPart(shared, { has, wants: ask.need }, others).part);
  if (part >= least) return Math.min(ask.need, part);
  return isPoorest(has, others) ? least : 0;
}

/** The largest call for which the tenant would be granted what it lacks now. */
export function mostGrantable(pool: Pool, tenant: string, nowMs: number): number {
  const { floor, shared } = freeFor(pool, tenant);
  const has = beyondFloor(pool, tenant);
  const others = demanding(pool, tenant, nowMs);
  const { part } = fairPart(shared, { has, wants: Infinity }, others);
  const fair = isPoorest(has, others) ? shared : Math.min(part, shared);
  return floor + Math.min(fair, roomFor(pool, tenant, { shared, ofFloor: floor, nowMs }));
}

/** As much as the tenant may be granted at all, if all of the pool were free. */
export const mostFor = (pool: Pool, tenant: string, nowMs: number): number => {
  const { floor, shared } = freeFor(pool, tenant);
  return floor + roomFor(pool, tenant, { shared, ofFloor: floor, nowMs });
};

/** What others have to give back for an amount that the tenant lacks: the poorest one gets it first. */
export function mustReturn(pool: Pool, tenant: string, lacking: number, nowMs: number): number {
  const has = beyondFloor(pool, tenant);
  const isFirst = isPoorest(has, demanding(pool, tenant, nowMs));
  return isFirst ? lacking : lacking * askingTenants(pool, nowMs);
}

/**
 * What max-min fairness gives the tenant of all that is unspent, if nobody held any of it: each of those
 * that ask with what it has spent beyond its floor.
 */
export function fairShare(pool: Pool, tenant: string, nowMs: number): number {
  const spent = claimsByTenant(pool, (share) => share.spent);
  const beyond = (of: string) => Math.max(0, (spent.get(of) ?? 0) - (pool.floors.get(of) ?? 0));
  const others = demanding(pool, tenant, nowMs).map(({ of }) => ({
    has: beyond(of),
    wants: Infinity,
  }));
  const unspent = Math.max(0, unspentOf(pool) - keptFor(pool, spent, tenant));
  return fairPart(unspent, { has: beyond(tenant), wants: Infinity }, others).part;
}

const isPoorest = (has: number, others: readonly Claimant[]): boolean =>
  others.every((other) => has <= other.has);

/**
 * How much more of what is shared the tenant may have while it has not spent it. Alone it may have
 * all. Once another one asks, what it keeps from them is a part of what is unspent and not kept for
 * others: so a few tenants that only hold cannot keep everybody else out.
 */
function roomFor(pool: Pool, tenant: string, { ofFloor, nowMs }: Offer): number {
  if (!isWantedByOthers(pool, tenant, nowMs)) return Infinity;
  const spent = claimsByTenant(pool, (share) => share.spent);
  const part = Math.floor(
    pool.limits.unspentShare * Math.max(0, unspentOf(pool) - keptFor(pool, spent, tenant)),
  );
  const paidFor = Math.max(spent.get(tenant) ?? 0, pool.floors.get(tenant) ?? 0);
  const claim = claimsByTenant(pool, claimOf).get(tenant) ?? 0;
  return Math.max(0, paidFor + part - claim - ofFloor);
}

/** What is kept for others of their floors, if they had only what `spent` says. */
export const keptFor = (pool: Pool, spent: ReadonlyMap<string, number>, tenant: string): number =>
  [...pool.floors].reduce(
    (total, [of, floor]) =>
      of === tenant ? total : total + Math.max(0, floor - (spent.get(of) ?? 0)),
    0,
  );

const isWantedByOthers = (pool: Pool, tenant: string, nowMs: number): boolean =>
  [...pool.shares.values()].some((share) => share.tenant !== tenant && isAsking(share, nowMs));

/** At least one: the one that is looked at. */
export function askingTenants(pool: Pool, nowMs: number): number {
  const asking = new Set<string>();
  for (const share of pool.shares.values()) if (isAsking(share, nowMs)) asking.add(share.tenant);
  return Math.max(1, asking.size);
}

export const isAsking = ({ askedAtMs }: Share, nowMs: number): boolean =>
  askedAtMs > nowMs - DEMAND_MS;

/** The other tenants that asked within the last minute, with what they have beyond their floors. */
function demanding(
  pool: Pool,
  tenant: string,
  nowMs: number,
): readonly (Claimant & { readonly of: string })[] {
  const wants = new Map<string, number>();
  for (const share of pool.shares.values()) {
    if (share.tenant === tenant || share.want === 0 || !isAsking(share, nowMs)) continue;
    wants.set(share.tenant, Math.max(wants.get(share.tenant) ?? 0, share.want));
  }
  return [...wants].map(([of, want]) => ({ of, has: beyondFloor(pool, of), wants: want }));
}

function beyondFloor(pool: Pool, tenant: string): number {
  let claim = 0;
  for (const share of pool.shares.values()) if (share.tenant === tenant) claim += claimOf(share);
  return Math.max(0, claim - (pool.floors.get(tenant) ?? 0));
}
