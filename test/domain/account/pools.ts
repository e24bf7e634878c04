import { DayPool } from "../../../src/domain/account/day-pool.ts";
import * as rules from "../../../src/domain/account/lease.ts";
import * as grants from "../../../src/domain/account/pool-grant.ts";
import * as recalls from "../../../src/domain/account/pool-recall.ts";
import * as refusals from "../../../src/domain/account/pool-refusal.ts";
import type { Share } from "../../../src/domain/account/pool.ts";
import { type Pool, withShare } from "./plain-pool/pool.ts";

// The rules for pools that do not change: each question builds the sums anew, as after a restart.

export { claimed, type Pool } from "./plain-pool/pool.ts";

export function sumsOf(pool: Pool, nowMs: number): DayPool {
  const sums = new DayPool(pool);
  sums.load([...pool.shares.values()], nowMs);
  return sums;
}

export type Leased =
  | (Extract<rules.Leased, { kind: "answered" }> & { readonly pool: Pool })
  | Exclude<rules.Leased, { kind: "answered" }>;

export function lease(pool: Pool, ask: rules.LeaseRequest, nowMs: number): Leased {
  const leased = rules.lease(sumsOf(pool, nowMs), ask, nowMs);
  return leased.kind === "answered" ? { ...leased, pool: withShare(pool, leased.share) } : leased;
}

export function closeShare(
  pool: Pool,
  ended: Pick<Share, "tenant" | "generation" | "spent">,
  nowMs: number,
): { readonly pool: Pool; readonly share: Share } {
  const share = rules.closeShare(sumsOf(pool, nowMs), ended, nowMs);
  return { pool: withShare(pool, share), share };
}

export const mostGrantable = (pool: Pool, tenant: string, nowMs: number): number =>
  grants.mostGrantable(sumsOf(pool, nowMs), tenant);

export const outlookOf = (pool: Pool, share: Share, nowMs: number): refusals.Outlook =>
  refusals.outlookOf(sumsOf(pool, nowMs), share, nowMs);

/** @param asked tenants that were asked just now, and have not answered */
export function recallsFor(
  pool: Pool,
  missing: number,
  nowMs: number,
  asked: readonly string[] = [],
): readonly recalls.LeaseRecall[] {
  const sums = sumsOf(pool, nowMs);
  for (const tenant of asked) sums.unused.noteAsked({ tenant, generation: 1 }, nowMs);
  return recalls.recallsFor(sums, missing, nowMs);
}

export const keptChunk = (pool: Pool, nowMs: number): number =>
  recalls.keptChunk(sumsOf(pool, nowMs));

export const missingOf = (pool: Pool, nowMs: number): number => sumsOf(pool, nowMs).lack;

/** When the first lease ends of which something is unused. */
export const firstEndMs = (pool: Pool, nowMs: number): number | null =>
  sumsOf(pool, nowMs).unused.firstEndMs;
