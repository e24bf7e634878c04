import type { NeuronBalance, QuotaFailure, ReservedFailure } from "./failure.ts";
import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";

// What a plan allows in a day, and on what each posted amount is drawn.

export const PLANS = ["free", "paid"] as const;
export type Plan = (typeof PLANS)[number];

/** An explicit word for no cap: a missing value must never mean that a tenant has no limit. */
export const UNLIMITED = "unlimited";

export interface QuotaTerms {
  readonly plan: Plan;
  readonly daily: MicroNeurons;
  /** Neurons beyond `daily`, on the paid plan. */
  readonly overageCap: MicroNeurons | typeof UNLIMITED;
  /** USD per 1,000 neurons of overage, a decimal string. */
  readonly overageUsdPer1000: string;
}

/** The amounts drawn in a period, in µN; the three add up to `posted`. */
export interface Drawn {
  readonly quota: MicroNeurons;
  readonly granted: MicroNeurons;
  readonly overage: MicroNeurons;
}

export const NOTHING_DRAWN: Drawn = { quota: ZERO, granted: ZERO, overage: ZERO };

export const posted = (drawn: Drawn): MicroNeurons =>
  sum([drawn.quota, drawn.granted, drawn.overage]);

/**
 * The most that `posted + pending` may reach in a day; null: no limit (paid with unlimited overage).
 *
 * @param granted the amounts that grants gave the day and may still give it
 */
export function limitOf(terms: QuotaTerms, granted: MicroNeurons = ZERO): MicroNeurons | null {
  const included = plus(terms.daily, granted);
  if (terms.plan === "free") return included;
  return terms.overageCap === UNLIMITED ? null : plus(included, terms.overageCap);
}

/**
 * Draws `amount` when it is posted: on the day's quota first, then on grants, then on overage.
 *
 * The free plan has no overage: a call that was admitted before a limit was lowered, or before the tenant
 * moved from paid to free, counts as quota.
 *
 * @param drawable the most that it may draw on grants
 */
export function draw(
  terms: QuotaTerms,
  before: Drawn,
  amount: MicroNeurons,
  drawable: MicroNeurons = ZERO,
): Drawn {
  const quota = least(amount, minusOrZero(terms.daily, before.quota));
  const granted = least(minus(amount, quota), drawable);
  const rest = minus(amount, plus(quota, granted));
  return terms.plan === "free"
    ? { quota: plus(quota, rest), granted, overage: ZERO }
    : { quota, granted, overage: rest };
}

export const addDrawn = (a: Drawn, b: Drawn): Drawn => ({
  quota: plus(a.quota, b.quota),
  granted: plus(a.granted, b.granted),
  overage: plus(a.overage, b.overage),
});

// A cap on a tenant's use in a calendar month of UTC, on either plan, beside the day's limit: a call must fit
// both. A call belongs to the month of its day.

/** Its name in `violated-policies` and `RateLimit-Policy`. */
export const MONTHLY = "monthly";

/** The state of a month's cap when a call is checked. */
export interface MonthRoom {
  readonly cap: MicroNeurons;
  /** Charged to the calls of all its days. */
  readonly posted: MicroNeurons;
  /** Held by calls in progress that were admitted in the month. */
  readonly pending: MicroNeurons;
  readonly startsAtMs: number;
  /** 00:00 UTC of the next month's first day. */
  readonly endsAtMs: number;
}

export interface MonthBalance {
  readonly limit: MicroNeurons;
  readonly posted: MicroNeurons;
  readonly pending: MicroNeurons;
  readonly available: MicroNeurons;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export const monthBalance = ({ cap, ...room }: MonthRoom): MonthBalance => ({
  ...room,
  limit: cap,
  available: minusOrZero(cap, plus(room.posted, room.pending)),
});

/**
 * What prevents a call of this bound: posted amounts alone, or only together with pending ones; null:
 * nothing.
 */
export function monthRefuses(
  room: MonthRoom | undefined,
  bound: MicroNeurons,
): "posted" | "pending" | null {
  if (room === undefined) return null;
  if (room.posted + bound > room.cap) return "posted";
  return room.posted + room.pending + bound > room.cap ? "pending" : null;
}

/** The amount that the next call may use: the smaller of the day's rest and the month's; null: no limit. */
export function usable({ available, month }: NeuronBalance): MicroNeurons | null {
  if (month === undefined) return available;
  return available === null ? month.available : least(available, month.available);
}

/** The figures of the limit that refused the call, and when it starts anew. */
export function inTheWay({
  policy,
  neurons,
}: QuotaFailure | ReservedFailure): Pick<
  NeuronBalance,
  "limit" | "posted" | "pending" | "available" | "required"
> & { readonly anewAtMs: number } {
  const { month, required } = neurons;
  if (policy !== MONTHLY || month === undefined) {
    return { ...neurons, anewAtMs: neurons.dayEndsAtMs };
  }
  return { ...month, required, anewAtMs: month.endsAtMs };
}

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
