import type { DayPool } from "./day-pool.ts";
import { microNeurons, type MicroNeurons } from "../ledger/micro-neurons.ts";
import { chunkOf, type Share } from "./pool.ts";
import type { Holder } from "./unused-leases.ts";

// What tenants are asked to give back: leases that they do not use, while others wait for them.

/** Tenants that are asked at once. */
const MOST_RECALLED = 20;

/** A lease that is to be given back, and how much of it the tenant may keep if it is busy. */
export interface LeaseRecall extends Pick<Share, "tenant" | "generation"> {
  readonly keep: MicroNeurons;
}

/**
 * What a busy tenant may keep unused: a chunk. In a pool that runs empty it is less, so that what all
 * of them keep is at most half of what is unspent and not kept as floors.
 */
export function keptChunk(pool: DayPool): MicroNeurons {
  const part = Math.floor(pool.sharedUnspent / (2 * pool.askingTenants));
  return microNeurons(Math.min(chunkOf(pool), part));
}

/**
 * Those that have the most beyond what they reported as used, if together they have what is missing.
 * Large holds of calls in progress may have ended since: if they are needed, their tenants are asked too.
 * Nobody is asked in vain for a little that everybody has: in a pool that runs empty these would be most
 * of all messages.
 */
export function recallsFor(pool: DayPool, missing: number, nowMs: number): readonly LeaseRecall[] {
  pool.advance(nowMs);
  const keep = keptChunk(pool);
  const chosen: Holder[] = [];
  let found = 0;
  let possible = 0;
  const holders = pool.unused.holders({ keep, mayHaveEnded: chunkOf(pool) }, MOST_RECALLED);
  for (const holder of holders) {
    if (found >= missing || chosen.length === MOST_RECALLED) break;
    found += Math.max(0, holder.surplus);
    // One that is not busy keeps nothing.
    possible += Math.max(0, holder.unused);
    chosen.push(holder);
  }
  const isEnough = possible >= missing || chosen.some(({ share }) => mayHaveEnded(pool, share));
  return isEnough
    ? chosen.map(({ share: { tenant, generation } }) => ({ tenant, generation, keep }))
    : [];
}

const mayHaveEnded = (pool: DayPool, { tenant, granted, spent, pending }: Share): boolean =>
  pending > chunkOf(pool) && granted > Math.max(spent, pool.floorOf(tenant));
