import {
  type MicroNeurons,
  microNeurons,
  most,
  plus,
  ZERO,
} from "../../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../../src/domain/ledger/period.ts";
import type { PoolLimits, Share } from "../../../../src/domain/account/pool.ts";

// The rules of the pool written plainly: all is worked out anew from all shares at each message. What
// `src/domain` keeps as sums is compared with it (`day-pool.test.ts`). Messages and shares are the same.
//
// The neurons of one UTC day that all tenants of a Cloudflare account share, and who has what of it.
// `lease.ts` says how it changes, `pool-grant.ts` who gets how much.

export interface Pool {
  readonly day: Day;
  /** What may be granted at all, a safety margin taken off. */
  readonly size: MicroNeurons;
  /** What is kept for a tenant before the rest is shared. */
  readonly floors: ReadonlyMap<string, MicroNeurons>;
  /** How much of it one call, and one tenant, may keep from the others. */
  readonly limits: PoolLimits;
  /** By tenant and life. */
  readonly shares: ReadonlyMap<string, Share>;
}

export const shareKey = ({ tenant, generation }: Pick<Share, "tenant" | "generation">): string =>
  `${tenant}/${generation}`;

/** What counts as gone for everybody else. */
export const claimOf = ({ granted, spent, pending }: Share): MicroNeurons =>
  most(granted, plus(spent, pending));

export const claimed = (pool: Pool): number =>
  [...pool.shares.values()].reduce((total, share) => total + claimOf(share), 0);

/** By tenant, over its lives. */
export function claimsByTenant(pool: Pool, of: (share: Share) => number): Map<string, number> {
  const claims = new Map<string, number>();
  for (const share of pool.shares.values()) {
    claims.set(share.tenant, (claims.get(share.tenant) ?? 0) + of(share));
  }
  return claims;
}

export const sumOf = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

export const withShare = (pool: Pool, share: Share): Pool => ({
  ...pool,
  shares: new Map(pool.shares).set(shareKey(share), share),
});

/** What no call was charged for yet. */
export const unspentOf = (pool: Pool): number =>
  Math.max(0, pool.size - [...pool.shares.values()].reduce((sum, share) => sum + share.spent, 0));

/** The same without what is kept as floors. */
export function sharedUnspent(pool: Pool): number {
  const spent = claimsByTenant(pool, (share) => share.spent);
  const kept = [...pool.floors].map(([of, floor]) => Math.max(0, floor - (spent.get(of) ?? 0)));
  return Math.max(0, unspentOf(pool) - sumOf(kept));
}

/** The most that one call of a tenant may hold. */
export const mostHeld = (pool: Pool, tenant: string): MicroNeurons =>
  most(holdCap(pool), pool.floors.get(tenant) ?? ZERO);

export const holdCap = ({ size, limits }: Pool): MicroNeurons =>
  microNeurons(Math.floor(size * limits.holdShare));

/** No lease is more than this part of the pool: who comes first does not know who else will come. */
const CHUNKS = 100;

export const chunkOf = ({ size }: Pool): MicroNeurons => microNeurons(Math.floor(size / CHUNKS));
