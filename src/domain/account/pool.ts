import { type MicroNeurons, microNeurons, most, plus } from "../ledger/micro-neurons.ts";
import type { LeaseAnswer } from "./lease.ts";
import type { Day } from "../ledger/period.ts";

// The neurons of one UTC day that all tenants of a Cloudflare account share, and who has what of it.
// `lease.ts` says how it changes, `pool-grant.ts` who gets how much, `day-pool.ts` keeps its sums.

/** Shares from 0, not included, to 1. */
export interface PoolLimits {
  /** Of the whole pool, for one call. A tenant's floor counts if it is larger. */
  readonly holdShare: number;
  /** Of what is unspent, for what one tenant has and has not spent, while another one asks too. */
  readonly unspentShare: number;
}

/** What one life of a tenant has of the pool. */
export interface Share {
  readonly tenant: string;
  readonly generation: number;
  readonly granted: MicroNeurons;
  /** As it reported last: what its calls were charged, with what engines used beyond that. */
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
  readonly deadlineMs: number;
  /** The number of its latest message, and what it was answered. */
  readonly seq: number;
  readonly answer: LeaseAnswer | null;
  readonly askedAtMs: number;
  readonly reportedAtMs: number;
  /**
   * What it wanted beyond its allowance when it asked last, as far as others have to make room for it:
   * nothing, if it had spent little of what it was granted before.
   */
  readonly want: MicroNeurons;
  /** How often in a row it was refused. */
  readonly refusals: number;
}

export const shareKey = ({ tenant, generation }: Pick<Share, "tenant" | "generation">): string =>
  `${tenant}/${generation}`;

/** What counts as gone for everybody else. */
export const claimOf = ({ granted, spent, pending }: Share): MicroNeurons =>
  most(granted, plus(spent, pending));

/** Who asked within this time counts as wanting more. */
export const DEMAND_MS = 60_000;

export const isAsking = ({ askedAtMs }: Pick<Share, "askedAtMs">, nowMs: number): boolean =>
  askedAtMs > nowMs - DEMAND_MS;

/** A day's pool as a whole. */
export interface PoolTerms {
  readonly day: Day;
  /** What may be granted at all, a safety margin taken off. */
  readonly size: MicroNeurons;
  /** How much of it one call, and one tenant, may keep from the others. */
  readonly limits: PoolLimits;
}

type Sized = Pick<PoolTerms, "size">;

/** The most that one call may hold, if its tenant's floor is not larger. */
export const holdCap = ({ size, limits }: Omit<PoolTerms, "day">): MicroNeurons =>
  microNeurons(Math.floor(size * limits.holdShare));

/** No lease is more than this part of the pool: who comes first does not know who else will come. */
const CHUNKS = 100;

export const chunkOf = ({ size }: Sized): MicroNeurons => microNeurons(Math.floor(size / CHUNKS));

/** What a tenant's object is to know of the day's pool. */
export interface PoolSizes {
  readonly day: Day;
  /** The most that one call may hold, if its tenant's floor is not larger. */
  readonly holdCap: MicroNeurons;
  /** So much a busy tenant may keep unused. */
  readonly chunk: MicroNeurons;
}

export const sizesOf = (pool: PoolTerms): PoolSizes => ({
  day: pool.day,
  holdCap: holdCap(pool),
  chunk: chunkOf(pool),
});
