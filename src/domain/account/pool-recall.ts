import type { DayPool } from "./day-pool.ts";
import { microNeurons, type MicroNeurons } from "../ledger/micro-neurons.ts";
import { chunkOf, type Share } from "./pool.ts";
import type { Holder } from "./unused-leases.ts";

// Recalls: tenants give back unused leases while others wait for them.

/** The most tenants that are asked at once. */
const MOST_RECALLED = 20;

/** A lease to give back, and how much of it the tenant may keep if it is busy. */
export interface LeaseRecall extends Pick<Share, "tenant" | "generation"> {
  readonly keep: MicroNeurons;
}

/**
 * The amount that a busy tenant may keep unused: a chunk. In a nearly empty pool it is less, so that all of
 * them together keep at most half of what is unspent and not kept for floors.
 */
export function keptChunk(pool: DayPool): MicroNeurons {
  const part = Math.floor(pool.sharedUnspent / (2 * pool.askingTenants));
  return microNeurons(Math.min(chunkOf(pool), part));
}

/**
 * The tenants with the most beyond their reported use, if together they have the missing amount. Large holds
 * of calls in progress may have ended since the report: if they are needed, their tenants are asked too.
 * Tenants are not asked for small amounts that are not enough: in a nearly empty pool those would be most of
 * all messages.
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
    // A tenant that is not busy keeps nothing.
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
