import { microNeurons } from "../../src/domain/micro-neurons.ts";
import { endOf, formatDay, isoTime } from "../../src/domain/period.ts";
import type { Limits } from "./reports.ts";

/** What is left of the day and of each rate, as it is read and as the quota's events tell of it. */
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
  grants: [],
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
});
