import { leftOf } from "../../src/domain/ledger/grant.ts";
import { microNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { monthBalance } from "../../src/domain/ledger/quota.ts";
import {
  dayOf,
  endOf,
  formatDay,
  formatMonth,
  isoTime,
  monthOf,
} from "../../src/domain/ledger/period.ts";
import type { Limits, MonthUse } from "./invariants.ts";

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
