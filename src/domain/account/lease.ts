import { type MicroNeurons, most, plus, ZERO } from "../ledger/micro-neurons.ts";
import { grantable } from "./pool-grant.ts";
import { type LeaseRefusal, refusalOf } from "./pool-refusal.ts";
import type { DayPool } from "./day-pool.ts";
import type { Share } from "./pool.ts";

// A tenant's object admits calls against its allowance of the day, a lease from the account's pool. The
// allowance is a cumulative amount. Requests raise it; only the tenant itself lowers it.
//
// Invariant: the sum over tenants of the larger of the granted and the reported amount never exceeds the
// pool, except by what engines used beyond their bounds (which is reported as spent, and so reduces what
// is free). It holds when messages are lost, repeated or overtaken, and through crashes on both sides:
//   - the pool writes a grant before it answers, and the tenant writes it before it uses it;
//   - a tenant lowers its own allowance before it reports that;
//   - nothing is released by time: a silent tenant keeps what it was granted;
//   - messages about a tenant's day are numbered: the latest may be repeated and gets the same answer;
//     an earlier one changes nothing.

/** How long a lease lasts without another message. */
export const LEASE_MS = 300_000;

/** Clocks differ: an allowance is not used in the last part of its lease. */
export const UNUSABLE_BEFORE_MS = 5_000;

/** A message of a tenant's object about one of its days. */
export interface LeaseRequest {
  readonly tenant: string;
  readonly generation: number;
  readonly seq: number;
  /** Its allowance as it has written it: never more than it was granted. */
  readonly allowance: MicroNeurons;
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
  /** Null: a report only. */
  readonly need: LeaseNeed | null;
}

/** Amounts beyond the allowance, with `least <= need <= want`. */
export interface LeaseNeed {
  /** For one call. 0: the allowance is enough, but its lease has ended. */
  readonly least: MicroNeurons;
  /** For all calls that wait. */
  readonly need: MicroNeurons;
  /** For the calls of the near future. */
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
  /** A repeat of the latest message: it gets the same answer. */
  | { readonly kind: "repeated"; readonly answer: LeaseAnswer }
  /** An earlier message than the latest one. */
  | { readonly kind: "stale"; readonly seq: number };

/** Processes a message: records its report, then grants or refuses its need. */
export function lease(pool: DayPool, request: LeaseRequest, nowMs: number): Leased {
  const leased = consider(pool, request, nowMs);
  if (leased.kind === "answered") pool.put(leased.share, nowMs);
  return leased;
}

/** The answer that a message would get; the pool does not change. */
export function previewLease(pool: DayPool, request: LeaseRequest, nowMs: number): Leased {
  const leased = consider(pool, request, nowMs);
  if (leased.kind === "answered") pool.unassume(request, nowMs);
  return leased;
}

/** The pool assumes the reported amounts until the share is put or `unassume` is called. */
function consider(pool: DayPool, request: LeaseRequest, nowMs: number): Leased {
  const before = pool.share(request);
  if (before !== undefined && request.seq === before.seq && before.answer !== null) {
    return { kind: "repeated", answer: before.answer };
  }
  if (before !== undefined && request.seq <= before.seq) return { kind: "stale", seq: before.seq };
  pool.advance(nowMs);
  const reported = reportedShare(before, request, nowMs);
  pool.assume(reported, nowMs);
  const share =
    request.need === null
      ? reported
      : answerNeed(pool, reported, { need: request.need, before, nowMs });
  const answer: LeaseAnswer = {
    seq: request.seq,
    granted: share.granted,
    deadlineMs: share.deadlineMs,
    refused: share.answer?.refused ?? null,
  };
  return { kind: "answered", share: { ...share, answer }, answer };
}

/** The final share of a generation that ended: nothing is pending, and the unspent part is free again. */
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

/** The share after a report alone. */
function reportedShare(before: Share | undefined, request: LeaseRequest, nowMs: number): Share {
  const known = before ?? emptyShare(request, nowMs);
  return {
    ...known,
    seq: request.seq,
    answer: null,
    // A tenant cannot use more than it has written: a grant whose answer was lost is free again.
    granted: request.allowance,
    spent: most(known.spent, request.spent),
    pending: request.pending,
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

function answerNeed(
  pool: DayPool,
  share: Share,
  request: { readonly need: LeaseNeed; readonly before: Share | undefined; readonly nowMs: number },
): Share {
  const { need, before, nowMs } = request;
  const want = isCredible(before, share) ? need.want : ZERO;
  const asking = { ...share, want, askedAtMs: nowMs };
  const amount = grantable(pool, asking, need);
  const seq = share.seq;
  if (amount !== null) {
    const granted = plus(share.granted, amount);
    const deadlineMs = nowMs + LEASE_MS;
    const answer = { seq, granted, deadlineMs, refused: null };
    // A tenant that got less than it wanted asks again soon and may be refused then: its wait starts lower,
    // not at zero.
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
 * Whether others must make room for the amount that a tenant wants. Not if it has spent less than a quarter
 * of its unspent allowance since: calls that cost nothing must not keep others waiting for amounts that are
 * not used.
 */
function isCredible(before: Share | undefined, { spent }: Share): boolean {
  if (before === undefined || before.askedAtMs === 0) return true;
  const progress = spent - before.spent;
  if (before.answer?.refused != null) return before.want > 0 || progress > 0;
  return progress > 0 && 4 * progress >= before.granted - before.spent;
}
