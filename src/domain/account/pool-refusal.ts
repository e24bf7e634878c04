import type { LeaseNeed } from "./lease.ts";
import type { DayPool } from "./day-pool.ts";
import {
  type MicroNeurons,
  microNeurons,
  minusOrZero,
  most,
  plus,
  ZERO,
} from "../ledger/micro-neurons.ts";
import { endOf } from "../ledger/period.ts";
import type { Share } from "./pool.ts";
import { fairShare, mostFor, mostGrantable, mustReturn } from "./pool-grant.ts";

// The account's reply to a lease that it does not grant: how far the tenant's allowance could go. With it the
// tenant's object refuses impossible calls by itself and asks only for the others.

/**
 * Waits of a tenant that was refused because others hold the amount: the first wait, its growth with each
 * refusal in a row, and the longest. They grow faster for a tenant that has its share, and for all tenants in
 * a nearly empty pool: then all wait for the last calls of others, and most requests would be refused again.
 */
const AGAIN_MS = 1_000;
const SOON = { growth: 2, longestMs: 2_000 };
const LATER = { growth: 8, longestMs: 60_000 };

/** A pool is nearly empty when less than this part of it is unspent and not kept for floors. */
const LAST_PART = 1 / 20;

/** The unspent amount can grow when a cap is raised or a tenant is suspended. */
const TOO_LARGE_AGAIN_MS = 300_000;

/** How much a tenant could have. It stays within the objects, since it reveals the use of others. */
export interface Outlook {
  /** Nothing of the day's pool is unspent. */
  readonly isSpent: boolean;
  /** The highest allowance that was possible at that moment. */
  readonly available: MicroNeurons;
  /** The most that this tenant's calls can be charged today if others use nothing more. */
  readonly reachable: MicroNeurons;
}

export interface LeaseRefusal extends Outlook {
  /** The allowance that was refused. */
  readonly level: MicroNeurons;
  /** The amount that others must give back for it; 0: that would not help. */
  readonly missing: MicroNeurons;
  /** When to ask again for a call that others may make room for. */
  readonly againAtMs: number;
  /** When to ask again for a call that is larger than all that is unspent. */
  readonly tooLargeAgainAtMs: number;
}

export function outlookOf(pool: DayPool, share: Share, nowMs: number): Outlook {
  pool.advance(nowMs);
  return {
    isSpent: pool.unspent === 0,
    available: plus(share.granted, microNeurons(mostGrantable(pool, share.tenant))),
    reachable: plus(share.spent, microNeurons(pool.unspentFor(share.tenant))),
  };
}

export function refusalOf(
  pool: DayPool,
  share: Share,
  { least }: LeaseNeed,
  nowMs: number,
): LeaseRefusal {
  const midnightMs = endOf(pool.day);
  const outlook = outlookOf(pool, share, nowMs);
  const level = plus(share.granted, least);
  const isWithinReach = !outlook.isSpent && level <= outlook.reachable + share.pending;
  // A tenant above its own limit does not wait for others.
  const isCapped = least > mostFor(pool, share.tenant);
  const lacking = minusOrZero(level, outlook.available);
  const missing = mustReturn(pool, share.tenant, lacking);
  const wouldHave = level - most(share.spent, pool.floorOf(share.tenant));
  const isWithinShare = !isCapped && wouldHave <= fairShare(pool, share.tenant);
  const isRunningEmpty = pool.sharedUnspent < LAST_PART * pool.size;
  const { growth, longestMs } = isWithinShare && !isRunningEmpty ? SOON : LATER;
  const waitMs = Math.min(longestMs, AGAIN_MS * growth ** Math.min(share.refusals, 16));
  return {
    ...outlook,
    level,
    missing: isWithinReach && !isCapped ? microNeurons(missing) : ZERO,
    againAtMs: outlook.isSpent ? midnightMs : Math.min(midnightMs, nowMs + waitMs),
    tooLargeAgainAtMs: Math.min(midnightMs, nowMs + TOO_LARGE_AGAIN_MS),
  };
}

/** The refusal of a call that needs more than the outlook has. */
export const asRefusal = (outlook: Outlook, nowMs: number): LeaseRefusal => ({
  ...outlook,
  level: outlook.available,
  missing: ZERO,
  againAtMs: nowMs + AGAIN_MS,
  tooLargeAgainAtMs: nowMs + AGAIN_MS,
});
