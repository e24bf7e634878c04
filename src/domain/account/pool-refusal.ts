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
import type { Share } from "./pool.ts";
import { fairShare, mostFor, mostGrantable, toGiveBack } from "./pool-grant.ts";

// What the account says about a lease that it does not grant: how far the tenant's allowance could
// go. With that the tenant's object refuses by itself what cannot be had, and asks for the rest.

/**
 * The first wait of a tenant that was refused for what others hold; how it grows with each refusal in a
 * row, and up to what. It grows faster for a tenant that has its share, and for all while the pool runs
 * empty: then all wait for the last calls of the others, and most questions would be refused again.
 */
const AGAIN_MS = 1_000;
const SOON = { growth: 2, longestMs: 2_000 };
const LATER = { growth: 8, longestMs: 60_000 };

/** A pool runs empty when less than this part of it is unspent and not kept for floors. */
const LAST_PART = 1 / 20;

/** What is unspent grows again when a cap is raised or a tenant is suspended. */
const TOO_LARGE_AGAIN_MS = 300_000;

/** How much a tenant could have. It stays within the objects: it tells what others use. */
export interface Outlook {
  /** Nothing of the day is unspent. */
  readonly isSpent: boolean;
  /** The allowance that was to be had at that moment. */
  readonly available: MicroNeurons;
  /** What this tenant can be charged today in all, if others use nothing more. */
  readonly reachable: MicroNeurons;
}

export interface LeaseRefusal extends Outlook {
  /** The allowance that was not to be had. */
  readonly level: MicroNeurons;
  /** What others would have to give back for it; 0: that would not help. */
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
  const midnightMs = (pool.day + 1) * 86_400_000;
  const outlook = outlookOf(pool, share, nowMs);
  const level = plus(share.granted, least);
  const isWithinReach = !outlook.isSpent && level <= outlook.reachable + share.pending;
  // A tenant that may not have more of it itself waits for nobody.
  const isCapped = least > mostFor(pool, share.tenant);
  const lacking = minusOrZero(level, outlook.available);
  const missing = toGiveBack(pool, share.tenant, lacking);
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

/** What a call would be refused with that needs more than the outlook has. */
export const asRefusal = (outlook: Outlook, nowMs: number): LeaseRefusal => ({
  ...outlook,
  level: outlook.available,
  missing: ZERO,
  againAtMs: nowMs + AGAIN_MS,
  tooLargeAgainAtMs: nowMs + AGAIN_MS,
});
