import { neuronBalance, rateStatuses } from "../../../src/domain/ledger/admission.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import type { LimitStatus } from "../protocol.ts";

/** @param units the classes that the call takes units of, which its headers show */
export function limitStatus(parts: TenantStores, profile: Profile, units: RateUnits): LimitStatus {
  const now = parts.ledger.standing(profile);
  return {
    neurons: neuronBalance(now, ZERO),
    rates: rateStatuses(now, units),
    nowMs: now.nowMs,
  };
}
