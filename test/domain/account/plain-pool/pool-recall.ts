import type { Share } from "../../../../src/domain/account/pool.ts";
import { microNeurons, type MicroNeurons } from "../../../../src/domain/ledger/micro-neurons.ts";
import { chunkOf, type Pool, sharedUnspent } from "./pool.ts";
import { askingTenants, isAsking } from "./pool-grant.ts";

// What tenants are asked to give back: leases that they do not use, while others wait for them.

/** A tenant that was silent for so long may be idle: then it gives back its last chunk too. */
const SILENT_MS = 10_000;

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
export function keptChunk(pool: Pool, nowMs: number): MicroNeurons {
  const part = Math.floor(sharedUnspent(pool) / (2 * askingTenants(pool, nowMs)));
  return microNeurons(Math.min(chunkOf(pool), part));
}

/**
 * Those that have the most beyond what they reported as used, if together they have what is missing.
 * Large holds of calls in progress may have ended since: if they are needed, their tenants are asked too.
 * Nobody is asked in vain for a little that everybody has: in a pool that runs empty these would be most
 * of all messages.
 */
export function recallsFor(
  pool: Pool,
  missing: number,
  nowMs: number,
  mayAsk: (share: Share) => boolean,
): readonly LeaseRecall[] {
  const keep = keptChunk(pool, nowMs);
  const chosen: Holder[] = [];
  let found = 0;
  let possible = 0;
  for (const holder of holders(pool, keep, nowMs)) {
    if (found >= missing || chosen.length === MOST_RECALLED) break;
    if (!mayAsk(holder.share)) continue;
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

const mayHaveEnded = (pool: Pool, { tenant, granted, spent, pending }: Share): boolean =>
  pending > chunkOf(pool) && granted > Math.max(spent, pool.floors.get(tenant) ?? 0);

interface Holder {
  readonly share: Share;
  /** What it has beyond what it reported as used. */
  readonly unused: number;
  /** The same without what it may keep; below 0 where its calls hold more. */
  readonly surplus: number;
}

/** Those that may have something to give back, the most first. */
function holders(pool: Pool, keep: number, nowMs: number): readonly Holder[] {
  return [...pool.shares.values()]
    .map((share) => {
      const kept = share.reportedAtMs <= nowMs - SILENT_MS ? 0 : keep;
      const floor = pool.floors.get(share.tenant) ?? 0;
      const unused = share.granted - Math.max(share.spent + share.pending, floor);
      const surplus = share.granted - Math.max(share.spent + share.pending + kept, floor);
      return { share, unused, surplus };
    })
    .filter(({ share, surplus }) => surplus > 0 || mayHaveEnded(pool, share))
    .toSorted((a, b) => b.surplus - a.surplus);
}

/** What tenants lack that were refused within the last minute, as far as others can give it back. */
export const missingOf = (pool: Pool, nowMs: number): number =>
  [...pool.shares.values()]
    .filter((share) => isAsking(share, nowMs))
    .reduce((sum, { answer }) => sum + (answer?.refused?.missing ?? 0), 0);

/** Shares that hold more than their tenants reported as used. */
export const withUnused = (pool: Pool): readonly Share[] =>
  [...pool.shares.values()].filter((share) => share.granted > share.spent + share.pending);
