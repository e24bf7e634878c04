import type { Settings } from "../tenant/settings.ts";
import type { NeuronBalance } from "./failure.ts";
import { type Grant, leftOf, monthBalance, type MonthRoom } from "./quota.ts";
import { type MicroNeurons, microNeurons } from "./micro-neurons.ts";
import { type Day, dayOf, endOf, formatDay, formatMonth, isoTime, monthOf } from "./period.ts";
import type { RateStatus } from "./rate-limit.ts";

/** What a month has come to. */
export interface MonthUse extends Omit<MonthRoom, "cap"> {
  /** Null: none. */
  readonly cap: MicroNeurons | null;
}

export interface Limits {
  readonly kind: "limits";
  readonly tenant: string;
  readonly plan: "free" | "paid";
  readonly day: Day;
  readonly neurons: NeuronBalance;
  readonly month: MonthUse;
  /** Those that a call may draw on now, in that order. */
  readonly grants: readonly Grant[];
  /** µN of overage drawn today, and the cap in neurons as it is set. */
  readonly overage: {
    readonly drawn: number;
    readonly capNeurons: Settings["overage_cap_neurons"];
  };
  readonly rates: readonly RateStatus[];
  readonly inFlight: { readonly limit: number; readonly used: number };
  /** The Cloudflare account's allocation of the day is gone, as far as is known. */
  readonly accountClosed: boolean;
  readonly nowMs: number;
}

/** What is left of the day and of each rate, in replies and in the quota's events. */
export const limitsObject = (limits: Limits) => ({
  object: "limits" as const,
  tenant: limits.tenant,
  plan: limits.plan,
  day: formatDay(limits.day),
  resets_at: isoTime(endOf(limits.day)),
  limit_micro_neurons: limits.neurons.limit,
  posted_micro_neurons: limits.neurons.posted,
  pending_micro_neurons: limits.neurons.pending,
  available_micro_neurons: limits.neurons.available,
  month: monthObject(limits.month),
  grants: limits.grants.map((grant) => ({
    id: grant.id,
    remaining_micro_neurons: leftOf(grant),
    expires_at: isoTime(grant.expiresAtMs),
  })),
  overage: {
    micro_neurons: microNeurons(limits.overage.drawn),
    cap_neurons: limits.overage.capNeurons,
  },
  rates: limits.rates.map((rate) => ({
    name: rate.name,
    limit: rate.limit,
    remaining: rate.remaining,
    resets_at: rate.freesAtMs === null ? null : isoTime(rate.freesAtMs),
  })),
  in_flight: limits.inFlight,
  account_closed: limits.accountClosed,
});

const monthObject = ({ cap, ...use }: MonthUse) => ({
  month: formatMonth(monthOf(dayOf(use.startsAtMs))),
  resets_at: isoTime(use.endsAtMs),
  limit_micro_neurons: cap,
  posted_micro_neurons: use.posted,
  pending_micro_neurons: use.pending,
  available_micro_neurons: cap === null ? null : monthBalance({ ...use, cap }).available,
});
