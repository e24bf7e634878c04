import { type MicroNeurons, most, plus, ZERO } from "../ledger/micro-neurons.ts";
import { grantable } from "./pool-grant.ts";
import { type LeaseRefusal, refusalOf } from "./pool-refusal.ts";
import type { DayPool } from "./day-pool.ts";
import type { Share } from "./pool.ts";

// A tenant's object admits calls against an allowance of the day that it leased from the account's
// pool: a cumulative amount, raised by asking and lowered by the tenant alone.
//
// What holds: the sum over tenants of the larger of what was granted and what was reported never
// exceeds the pool, except by what engines used beyond their bounds (which is reported as spent, and
// so shrinks what is free). It holds under lost, repeated and overtaken messages, and through crashes
// on both sides, because
//   - the pool writes a grant down before it answers, the tenant before it uses it;
//   - a tenant lowers its own allowance first, and tells of it then;
//   - nothing is released by time: a tenant that is silent keeps what it was granted;
//   - messages of a tenant's day are numbered: the latest may be repeated, with the same answer, and
//     an earlier one changes nothing.

/** How long a lease may be used without another word. */
export const LEASE_MS = 300_000;

/** Clocks differ: an allowance is not used any more this long before its lease ends. */
export const UNUSABLE_BEFORE_MS = 5_000;

/** A message of a tenant's object about one of its days. */
export interface LeaseRequest {
  readonly tenant: string;
  readonly generation: number;
  readonly seq: number;
  /** Its allowance as it has written it down: never more than it was granted. */
  readonly allowance: MicroNeurons;
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
  /** Null: it only reports. */
  readonly need: LeaseNeed | null;
}

/** Amounts beyond the allowance; `least <= need <= want`. */
export interface LeaseNeed {
  /** For one call. 0: the allowance is enough, its lease has ended. */
  readonly least: MicroNeurons;
  /** For all calls that wait. */
  readonly need: MicroNeurons;
  /** For some time. */
  readonly want: MicroNeurons;
}

export interface LeaseAnswer {
  readonly seq: number;
  /** The allowance from now on. */
  readonly granted: MicroNeurons;
  readonly deadlineMs: number;
  readonly refused: LeaseRefusal | null;
}

export type Leased =
  | { readonly kind: "answered"; readonly share: Share; readonly answer: LeaseAnswer }
  /** The same message once more: the same answer. */
  | { readonly kind: "repeated"; readonly answer: LeaseAnswer }
  /** A later one was heard already. */
  | { readonly kind: "stale"; readonly seq: number };

/** A message is heard: what it reports is noted, then what it asks for is granted or refused. */
export function lease(pool: DayPool, ask: LeaseRequest, nowMs: number): Leased {
  const leased = considered(pool, ask, nowMs);
  if (leased.kind === "answered") pool.put(leased.share, nowMs);
  return leased;
}

/** What a message would be answered: the pool stays as it is. */
export function previewLease(pool: DayPool, ask: LeaseRequest, nowMs: number): Leased {
  const leased = considered(pool, ask, nowMs);
  if (leased.kind === "answered") pool.unassume(ask, nowMs);
  return leased;
}

/** The pool assumes what is reported, until the share is put or what is assumed is dropped. */
function considered(pool: DayPool, ask: LeaseRequest, nowMs: number): Leased {
  const before = pool.share(ask);
  if (before !== undefined && ask.seq === before.seq && before.answer !== null) {
    return { kind: "repeated", answer: before.answer };
  }
  if (before !== undefined && ask.seq <= before.seq) return { kind: "stale", seq: before.seq };
  pool.advance(nowMs);
  const reported = reportedShare(before, ask, nowMs);
  pool.assume(reported, nowMs);
  const share =
    ask.need === null ? reported : answered(pool, reported, { need: ask.need, before, nowMs });
  const answer: LeaseAnswer = {
    seq: ask.seq,
    granted: share.granted,
    deadlineMs: share.deadlineMs,
    refused: share.answer?.refused ?? null,
  };
  return { kind: "answered", share: { ...share, answer }, answer };
}

/** The last word on a life that ended: nothing of it is pending, the rest comes back. */
export function closeShare(
  pool: DayPool,
  ended: Pick<Share, "tenant" | "generation" | "spent">,
  nowMs: number,
): Share {
  const before = pool.share(ended) ?? emptyShare(ended, nowMs);
  const spent = most(before.spent, ended.spent);
  const share = { ...before, spent, granted: spent, pending: ZERO, want: ZERO };
  pool.put(share, nowMs);
  return share;
}

/** As a tenant that was told of a pool, or asked, reports without a lease. */
function reportedShare(before: Share | undefined, ask: LeaseRequest, nowMs: number): Share {
  const known = before ?? emptyShare(ask, nowMs);
  return {
    ...known,
    seq: ask.seq,
    answer: null,
    // It cannot use more than it has written down: a grant whose answer was lost comes back.
    granted: ask.allowance,
    spent: most(known.spent, ask.spent),
    pending: ask.pending,
    reportedAtMs: nowMs,
  };
}

export const emptyShare = (
  { tenant, generation }: Pick<Share, "tenant" | "generation">,
  nowMs: number,
): Share => ({
  tenant,
  generation,
  granted: ZERO,
  spent: ZERO,
  pending: ZERO,
  deadlineMs: nowMs,
  seq: 0,
  answer: null,
  askedAtMs: 0,
  reportedAtMs: nowMs,
  want: ZERO,
  refusals: 0,
});

function answered(
  pool: DayPool,
  share: Share,
  ask: { readonly need: LeaseNeed; readonly before: Share | undefined; readonly nowMs: number },
): Share {
  const { need, before, nowMs } = ask;
  const want = isCredible(before, share) ? need.want : ZERO;
  const asking = { ...share, want, askedAtMs: nowMs };
  const amount = grantable(pool, asking, need);
  const seq = share.seq;
  if (amount !== null) {
    const granted = plus(share.granted, amount);
    const deadlineMs = nowMs + LEASE_MS;
    const answer = { seq, granted, deadlineMs, refused: null };
    // Who was given less than it wanted will be back soon, and may be refused once more.
    const refusals = amount < need.want ? Math.floor(share.refusals / 2) : 0;
    return { ...asking, granted, deadlineMs, refusals, answer };
  }
  const refused = refusalOf(pool, asking, need, nowMs);
  const { granted, deadlineMs } = share;
  return {
    ...asking,
    refusals: share.refusals + 1,
    answer: { seq, granted, deadlineMs, refused },
  };
}

/**
 * Whether others have to make room for what a tenant wants. Not if it has spent less than a quarter of
 * what it had: a tenant whose calls cost nothing would keep others waiting for what it does not use.
 */
function isCredible(before: Share | undefined, { spent }: Share): boolean {
  if (before === undefined || before.askedAtMs === 0) return true;
  const progress = spent - before.spent;
  if (before.answer?.refused != null) return before.want > 0 || progress > 0;
  return progress > 0 && 4 * progress >= before.granted - before.spent;
}
