import type { LeaseNeed } from "../../../../src/domain/account/lease.ts";
import {
  microNeurons,
  minusOrZero,
  most,
  plus,
  ZERO,
} from "../../../../src/domain/ledger/micro-neurons.ts";
import type { Share } from "../../../../src/domain/account/pool.ts";
import type { LeaseRefusal, Outlook } from "../../../../src/domain/account/pool-refusal.ts";
import { claimsByTenant, type Pool, sharedUnspent, unspentOf } from "./pool.ts";
import { fairShare, keptFor, mostFor, mostGrantable, mustReturn } from "./pool-grant.ts";

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

export function outlookOf(pool: Pool, share: Share, nowMs: number): Outlook {
  const spent = claimsByTenant(pool, (each) => each.spent);
  const unspent = unspentOf(pool);
  return {
    isSpent: unspent === 0,
    available: plus(share.granted, microNeurons(mostGrantable(pool, share.tenant, nowMs))),
    reachable: plus(
      share.spent,
      microNeurons(Math.max(0, unspent - keptFor(pool, spent, share.tenant))),
    ),
  };
}

export function refusalOf(
  pool: Pool,
  share: Share,
  { least }: LeaseNeed,
  nowMs: number,
): LeaseRefusal {
  const midnightMs = (pool.day + 1) * 86_400_000;
  const outlook = outlookOf(pool, share, nowMs);
  const level = plus(share.granted, least);
  const isWithinReach = !outlook.isSpent && level <= outlook.reachable + share.pending;
  // A tenant that may not have more of it itself waits for nobody.
  const isCapped = least > mostFor(pool, share.tenant, nowMs);
  const lacking = minusOrZero(level, outlook.available);
  const missing = mustReturn(pool, share.tenant, lacking, nowMs);
  const wouldHave = level - most(share.spent, pool.floors.get(share.tenant) ?? ZERO);
  const isWithinShare = !isCapped && wouldHave <= fairShare(pool, share.tenant, nowMs);
  const isRunningEmpty = sharedUnspent(pool) < LAST_PART * pool.size;
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
