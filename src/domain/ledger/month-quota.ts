import type { NeuronBalance, QuotaFailure, ReservedFailure } from "./failure.ts";
import { least, type MicroNeurons, minusOrZero, plus } from "./micro-neurons.ts";

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
