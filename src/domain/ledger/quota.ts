import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";
import type { NeuronBalance, QuotaFailure, ReservedFailure } from "./failure.ts";

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
