import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";
import type { QuotaTerms } from "./quota.ts";

// Grants: one-off neurons beside the daily quota, each until it is used up, expires or is ended.
//
// A call draws on its day's quota first, then on grants, the one that ends first before the others,
// then on overage. Which grants are open to it is decided by the moment of its admission: what
// ends while it is in progress still serves it, and nothing that is admitted later.
//
// One remainder serves the holds of all days: around midnight those of yesterday, which settle
// today, and those of today. So that it is promised once, what the open holds of earlier days may
// yet draw on it (their *claim*) is kept from later ones, at admission and at settlement alike.

/** `grt_` and a ULID. */
export type GrantId = string;

export interface Grant {
  readonly id: GrantId;
  readonly amount: MicroNeurons;
  /** What lines drew on it, less what adjustments gave back: never more than the amount. */
  readonly drawn: MicroNeurons;
  readonly reason: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Null: nobody ended it. */
  readonly endedAtMs: number | null;
}

/** What a line drew on one grant. */
export interface GrantDraw {
  readonly grantId: GrantId;
  readonly microNeurons: MicroNeurons;
}

export const endsAtMs = ({ expiresAtMs, endedAtMs }: Grant): number =>
  Math.min(expiresAtMs, endedAtMs ?? Infinity);

/** Whether a call that is admitted now counts on it. */
export const isOpenAt = (grant: Grant, nowMs: number): boolean => nowMs < endsAtMs(grant);

/**
 * Whether a call of that admission draws on it: also one that counted on it in the very millisecond
 * in which it was ended.
 */
export const serves = ({ expiresAtMs, endedAtMs }: Grant, admittedAtMs: number): boolean =>
  admittedAtMs < expiresAtMs && admittedAtMs <= (endedAtMs ?? Infinity);

export const leftOf = ({ amount, drawn }: Grant): MicroNeurons => minus(amount, drawn);

const inOrder = (grants: readonly Grant[]): readonly Grant[] =>
  grants
    .filter((grant) => leftOf(grant) > 0)
    .toSorted((a, b) => endsAtMs(a) - endsAtMs(b) || (a.id < b.id ? -1 : 1));

/** Those that a call which is admitted now may count on, in the order in which it draws. */
export const openAt = (grants: Iterable<Grant>, nowMs: number): readonly Grant[] =>
  inOrder([...grants].filter((grant) => isOpenAt(grant, nowMs)));

/** Those that a call of that admission may draw on, in that order. */
export const serving = (grants: Iterable<Grant>, admittedAtMs: number): readonly Grant[] =>
  inOrder([...grants].filter((grant) => serves(grant, admittedAtMs)));

export const leftIn = (grants: readonly Grant[]): MicroNeurons => sum(grants.map(leftOf));

/** A day that calls in progress belong to. */
export interface DayInUse {
  /** Drawn on its quota. */
  readonly quota: MicroNeurons;
  /** Held by its open holds. */
  readonly pending: MicroNeurons;
}

/** The most that the open holds of these days may draw beyond their quotas. */
export const claimOf = ({ daily }: QuotaTerms, days: readonly DayInUse[]): MicroNeurons =>
  sum(days.map(({ quota, pending }) => minusOrZero(pending, minusOrZero(daily, quota))));

/** How the grants stand for the calls of a day. */
export interface GrantRoom {
  /** Drawn on grants by the day's own lines. */
  readonly drawn: MicroNeurons;
  /** Left of those that are open now. */
  readonly left: MicroNeurons;
  /** Of it, what calls of earlier days in progress may yet draw. */
  readonly claimed: MicroNeurons;
}

export const NO_GRANTS: GrantRoom = { drawn: ZERO, left: ZERO, claimed: ZERO };

/** @param claim of the open holds of earlier days: asked only where something is left to claim */
export function grantRoom(
  drawn: MicroNeurons,
  open: readonly Grant[],
  claim: () => MicroNeurons,
): GrantRoom {
  const left = leftIn(open);
  return { drawn, left, claimed: left === 0 ? ZERO : least(left, claim()) };
}

/** By how much grants raise the limit of the day: what they gave it, and what they may yet give. */
export const raisedBy = ({ drawn, left }: GrantRoom): MicroNeurons => plus(drawn, left);

/** The grants that a call which ends may draw on. */
export interface OpenGrants {
  /** In the order in which they are drawn on. */
  readonly grants: readonly Grant[];
  /** What calls of earlier days in progress may yet draw on them. */
  readonly claim: MicroNeurons;
}

export const NONE_OPEN: OpenGrants = { grants: [], claim: ZERO };

/** The most that it may draw on them. */
export const drawable = ({ grants, claim }: OpenGrants): MicroNeurons =>
  minusOrZero(leftIn(grants), claim);

/** What each gives of an amount that is there. */
export function drawOn({ grants }: OpenGrants, amount: MicroNeurons): readonly GrantDraw[] {
  let wanted = amount;
  return grants.flatMap((grant) => {
    const given = least(wanted, leftOf(grant));
    wanted = minus(wanted, given);
    return given === 0 ? [] : [{ grantId: grant.id, microNeurons: given }];
  });
}
