import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";
import type { QuotaTerms } from "./quota.ts";

// Grants: one-off neurons beside the daily quota. Each lasts until it is used up, expires or is ended.
//
// A call draws on its day's quota first, then on grants, in the order in which they end, then on overage. The
// time of its admission decides which grants it may draw on: a grant that ends while the call is in progress
// still serves it, but no call that is admitted later.
//
// One remainder serves the holds of all days: around midnight those of yesterday, which settle today, and
// those of today. To promise it only once, the amount that open holds of earlier days may still draw on it
// (their *claim*) is kept back from later holds, at admission and at settlement.

/** `grt_` and a ULID. */
export type GrantId = string;

export interface Grant {
  readonly id: GrantId;
  readonly amount: MicroNeurons;
  /** Drawn by lines minus given back by adjustments: never more than `amount`. */
  readonly drawn: MicroNeurons;
  readonly reason: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Null: nobody ended it early. */
  readonly endedAtMs: number | null;
}

/** The amount that a line drew on one grant. */
export interface GrantDraw {
  readonly grantId: GrantId;
  readonly microNeurons: MicroNeurons;
}

export const endsAtMs = ({ expiresAtMs, endedAtMs }: Grant): number =>
  Math.min(expiresAtMs, endedAtMs ?? Infinity);

/** Whether a call that is admitted now may count on it. */
export const isOpenAt = (grant: Grant, nowMs: number): boolean => nowMs < endsAtMs(grant);

/**
 * Whether a call that was admitted at that time draws on it. This includes a call that was admitted in the
 * same millisecond in which the grant was ended.
 */
export const serves = ({ expiresAtMs, endedAtMs }: Grant, admittedAtMs: number): boolean =>
  admittedAtMs < expiresAtMs && admittedAtMs <= (endedAtMs ?? Infinity);

export const leftOf = ({ amount, drawn }: Grant): MicroNeurons => minus(amount, drawn);

const inOrder = (grants: readonly Grant[]): readonly Grant[] =>
  grants
    .filter((grant) => leftOf(grant) > 0)
    .toSorted((a, b) => endsAtMs(a) - endsAtMs(b) || (a.id < b.id ? -1 : 1));

/** The grants that a call admitted now may count on, in the order of drawing. */
export const openAt = (grants: Iterable<Grant>, nowMs: number): readonly Grant[] =>
  inOrder([...grants].filter((grant) => isOpenAt(grant, nowMs)));

/** The grants that a call admitted at that time may draw on, in that order. */
export const serving = (grants: Iterable<Grant>, admittedAtMs: number): readonly Grant[] =>
  inOrder([...grants].filter((grant) => serves(grant, admittedAtMs)));

export const leftIn = (grants: readonly Grant[]): MicroNeurons => sum(grants.map(leftOf));

/** A day with calls in progress. */
export interface DayInUse {
  /** The amount drawn on its quota. */
  readonly quota: MicroNeurons;
  /** The amount of its open holds. */
  readonly pending: MicroNeurons;
}

/** The most that the open holds of these days may draw beyond their quotas. */
export const claimOf = ({ daily }: QuotaTerms, days: readonly DayInUse[]): MicroNeurons =>
  sum(days.map(({ quota, pending }) => minusOrZero(pending, minusOrZero(daily, quota))));

/** The grants from the point of view of a day's calls. */
export interface GrantRoom {
  /** Drawn on grants by the day's own lines. */
  readonly drawn: MicroNeurons;
  /** Left in the grants that are open now. */
  readonly left: MicroNeurons;
  /** The part of `left` that calls of earlier days in progress may still draw. */
  readonly claimed: MicroNeurons;
}

export const NO_GRANTS: GrantRoom = { drawn: ZERO, left: ZERO, claimed: ZERO };

/** @param claim computes the claim of earlier days' holds; called only when something is left */
export function grantRoom(
  drawn: MicroNeurons,
  open: readonly Grant[],
  claim: () => MicroNeurons,
): GrantRoom {
  const left = leftIn(open);
  return { drawn, left, claimed: left === 0 ? ZERO : least(left, claim()) };
}

/** By how much grants raise the day's limit: the amount drawn, and the amount left. */
export const raisedBy = ({ drawn, left }: GrantRoom): MicroNeurons => plus(drawn, left);

/** The grants that a call may draw on when it ends. */
export interface OpenGrants {
  /** In the order of drawing. */
  readonly grants: readonly Grant[];
  /** The amount that earlier days' calls in progress may still draw on them. */
  readonly claim: MicroNeurons;
}

export const NONE_OPEN: OpenGrants = { grants: [], claim: ZERO };

/** The most that the call may draw on them. */
export const drawable = ({ grants, claim }: OpenGrants): MicroNeurons =>
  minusOrZero(leftIn(grants), claim);

/** Divides an available amount among the grants. */
export function drawOn({ grants }: OpenGrants, amount: MicroNeurons): readonly GrantDraw[] {
  let missing = amount;
  return grants.flatMap((grant) => {
    const given = least(missing, leftOf(grant));
    missing = minus(missing, given);
    return given === 0 ? [] : [{ grantId: grant.id, microNeurons: given }];
  });
}
