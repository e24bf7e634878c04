import { neuronStanding, rateStandings } from "../../../src/domain/ledger/admission.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { Parts } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import type { CallStanding } from "../protocol.ts";

/** @param units the classes that the call takes units of, which its headers show */
export function callStanding(parts: Parts, profile: Profile, units: RateUnits): CallStanding {
  const now = parts.ledger.standing(profile);
  return {
    neurons: neuronStanding(now, ZERO),
    rates: rateStandings(now, units),
    nowMs: now.nowMs,
  };
}
