import { type MicroNeurons, microNeurons, most, plus } from "../ledger/micro-neurons.ts";
import type { LeaseAnswer } from "./lease.ts";
import type { Day } from "../ledger/period.ts";

// The neurons of one UTC day that all tenants of a Cloudflare account share, and each tenant's share.
// `lease.ts` has its changes, `pool-grant.ts` the amounts of grants, and `day-pool.ts` its sums.

/** Shares above 0, up to 1. */
export interface PoolLimits {
  /** Of the whole pool, for one call. A larger floor of its tenant applies instead. */
  readonly holdShare: number;
  /** Of the unspent amount, for the unspent part of one tenant while another tenant asks too. */
  readonly unspentShare: number;
}

/** The share of one generation of a tenant in the pool. */
export interface Share {
  readonly tenant: string;
  readonly generation: number;
  readonly granted: MicroNeurons;
  /** By its last report: the charges of its calls plus the use of engines beyond them. */
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
  readonly deadlineMs: number;
  /** The number of its latest message, and the answer to it. */
  readonly seq: number;
  readonly answer: LeaseAnswer | null;
  readonly askedAtMs: number;
  readonly reportedAtMs: number;
  /**
   * The amount that it wanted beyond its allowance when it last asked, as far as others must make room for
   * it: nothing if it had spent little of its earlier grant.
   */
  readonly want: MicroNeurons;
  /** The number of refusals in a row. */
  readonly refusals: number;
}

export const shareKey = ({ tenant, generation }: Pick<Share, "tenant" | "generation">): string =>
  `${tenant}/${generation}`;

/** The amount that is not free for anybody else. */
export const claimOf = ({ granted, spent, pending }: Share): MicroNeurons =>
  most(granted, plus(spent, pending));

/** A tenant that asked within this time counts as wanting more. */
export const DEMAND_MS = 60_000;

export const isAsking = ({ askedAtMs }: Pick<Share, "askedAtMs">, nowMs: number): boolean =>
  askedAtMs > nowMs - DEMAND_MS;

/** A day's pool as a whole. */
export interface PoolTerms {
  readonly day: Day;
  /** The most that may be granted, after the safety margin. */
  readonly size: MicroNeurons;
  /** How much one call, and one tenant, may keep from the others. */
  readonly limits: PoolLimits;
}

type Sized = Pick<PoolTerms, "size">;

/** The most that one call may hold, if its tenant's floor is not larger. */
export const holdCap = ({ size, limits }: Omit<PoolTerms, "day">): MicroNeurons =>
  microNeurons(Math.floor(size * limits.holdShare));

/** A lease is at most this part of the pool: the first tenant to ask does not know how many others will. */
const CHUNKS = 100;

export const chunkOf = ({ size }: Sized): MicroNeurons => microNeurons(Math.floor(size / CHUNKS));

/** What a tenant's object must know of the day's pool. */
export interface PoolSizes {
  readonly day: Day;
  /** The most that one call may hold, if its tenant's floor is not larger. */
  readonly holdCap: MicroNeurons;
  /** The amount that a busy tenant may keep unused. */
  readonly chunk: MicroNeurons;
}

export const sizesOf = (pool: PoolTerms): PoolSizes => ({
  day: pool.day,
  holdCap: holdCap(pool),
  chunk: chunkOf(pool),
});
