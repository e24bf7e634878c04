import { neuronStanding, rateStandings } from "../../src/domain/admission.ts";
import { ZERO } from "../../src/domain/micro-neurons.ts";
import type { RateUnits } from "../../src/domain/rate-limit.ts";
import type { Parts } from "./parts.ts";
import type { Profile } from "./profile-store.ts";
import type { CallStanding } from "./protocol.ts";

/** @param units the classes that the call takes units of, which its headers show */
export function callStanding(parts: Parts, profile: Profile, units: RateUnits): CallStanding {
  const now = parts.ledger.standing(profile);
  return {
    neurons: neuronStanding(now, ZERO),
    rates: rateStandings(now, units),
    nowMs: now.nowMs,
  };
}
