import { type Claimant, fairPart } from "./fair-share.ts";
import type { LeaseNeed, LeaseRefusal } from "./lease.ts";
import { type MicroNeurons, microNeurons, plus, ZERO } from "./micro-neurons.ts";
import { claimOf, claimsByTenant, type Pool, type Share, shareKey, sumOf } from "./pool.ts";

// How much of the pool a tenant gets: floors are kept free for those whose they are, and the rest is
// shared by max-min fairness among those that want something.

/** Who asked within this time counts as wanting more. */
export const DEMAND_MS = 60_000;

/** No lease is more than this part of the pool: who comes first does not know who else will come. */
const LEAST_CHUNKS = 100;

/**
 * The first and the longest wait of who was refused for others' leases. Before the first is over they
 * are not asked back either.
 */
const AGAIN_MS = 10_000;
const LONGEST_AGAIN_MS = 60_000;

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
  const amount = more(pool, share, ask, nowMs);
  return amount < ask.least ? null : microNeurons(amount);
}

/** First of its own floor, which it costs nobody to grant; then a part of what all share. */
function more(pool: Pool, share: Share, ask: LeaseNeed, nowMs: number): number {
  const { floor, shared } = freeFor(pool, share.tenant);
  const ofFloor = Math.min(ask.want, floor);
  if (ofFloor > 0 && ofFloor >= ask.least) return ofFloor;
  const rest = {
    least: Math.max(0, ask.least - ofFloor),
    need: Math.max(0, ask.need - ofFloor),
    want: Math.max(0, ask.want - ofFloor),
  };
  return ofFloor + ofShared(pool, share, { shared, ...rest }, nowMs);
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
  ask: {
    readonly shared: number;
    readonly least: number;
    readonly need: number;
    readonly want: number;
  },
  nowMs: number,
): number {
  const { shared, least } = ask;
  if (shared < least || shared === 0) return 0;
  const has = beyondFloor(pool, share.tenant);
  const others = demanding(pool, share.tenant, nowMs);
  const greedy = others.map((other) => ({ ...other, wants: Infinity }));
  const { part: equal } = fairPart(shared, { has, wants: Infinity }, greedy);
  if (equal >= least && equal > 0) {
    const chunk = Math.min(Math.floor(equal / 2), Math.floor(pool.size / LEAST_CHUNKS));
    // All calls that wait, as far as they fit into an equal part: else each would ask by itself.
    return Math.min(ask.want, Math.max(least, Math.min(ask.need, equal), chunk));
  }
  const { part } = fairPart(shared, { has, wants: ask.need }, others);
  if (part >= least) return Math.min(ask.need, part);
  return others.every((other) => has <= other.has) ? least : 0;
}

/** The other tenants that asked within the last minute, with what they have beyond their floors. */
function demanding(pool: Pool, tenant: string, nowMs: number): readonly Claimant[] {
  const wants = new Map<string, number>();
  for (const share of pool.shares.values()) {
    if (share.tenant === tenant || share.askedAtMs <= nowMs - DEMAND_MS) continue;
    wants.set(share.tenant, Math.max(wants.get(share.tenant) ?? 0, share.want));
  }
  return [...wants].map(([of, want]) => ({ has: beyondFloor(pool, of), wants: want }));
}

function beyondFloor(pool: Pool, tenant: string): number {
  let claim = 0;
  for (const share of pool.shares.values()) if (share.tenant === tenant) claim += claimOf(share);
  return Math.max(0, claim - (pool.floors.get(tenant) ?? 0));
}

/** Whether a wait can help: it can as long as others may give enough back. */
export function refusalOf(
  pool: Pool,
  share: Share,
  { least }: LeaseNeed,
  nowMs: number,
): LeaseRefusal {
  const spent = claimsByTenant(pool, (each) =>
    shareKey(each) === shareKey(share) ? claimOf(each) : each.spent,
  );
  const kept = [...pool.floors].reduce(
    (total, [of, floor]) =>
      of === share.tenant ? total : total + Math.max(0, floor - (spent.get(of) ?? 0)),
    0,
  );
  const level = plus(share.granted, least);
  if (pool.size - sumOf(spent.values()) - kept < least) {
    return { why: "spent", againAtMs: (pool.day + 1) * 86_400_000, level };
  }
  const waitMs = Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** Math.min(share.refusals, 16));
  return { why: "leased", againAtMs: nowMs + waitMs, level };
}

/** Those who hold more than they reported as used, and were silent for so long that it may be idle. */
export const idle = (pool: Pool, silentSinceMs: number): readonly Share[] =>
  [...pool.shares.values()].filter(
    (share) => share.granted > share.spent + share.pending && share.reportedAtMs <= silentSinceMs,
  );

/** Whether somebody waits for what others hold. */
export const isWaitedFor = (pool: Pool, nowMs: number): boolean =>
  [...pool.shares.values()].some(
    ({ answer, askedAtMs }) => answer?.refused?.why === "leased" && askedAtMs > nowMs - DEMAND_MS,
  );
