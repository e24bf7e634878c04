import { limitInForce } from "../../src/domain/ledger/admission.ts";
import type { QuotaFailure } from "../../src/domain/ledger/failure.ts";
import { limitsObject } from "./limits.ts";
import type { TenantStores } from "./stores.ts";
import type { Profile } from "./profile-store.ts";
import { limits } from "./invariants.ts";

// Events of the day's quota, each at most once a day: what has been told is in the data, with the limits
// as they stood.

/** The share of the limit in force from which a tenant is warned. */
const THRESHOLD = 0.8;

/** After what was posted. */
export function recordThreshold(parts: TenantStores, profile: Profile): void {
  const now = parts.ledger.standing(profile);
  const { posted, nowMs } = now;
  const limit = limitInForce(now);
  if (limit === null || posted < limit * THRESHOLD) return;
  const data = () => ({ ...limitsObject(limits(parts, profile)), threshold: THRESHOLD });
  parts.outbox.recordOnceADay("quota.threshold", data, nowMs);
}

/** A refusal that stands until the day or month ends; one for others' pending holds is not told. */
export function recordExceeded(
  parts: TenantStores,
  profile: Profile,
  { kind, policy }: Pick<QuotaFailure, "kind" | "policy">,
): void {
  if (kind === "account_quota_exceeded") return;
  const { nowMs } = parts.ledger.standing(profile);
  const data = () => ({
    ...limitsObject(limits(parts, profile)),
    refused: kind,
    policy: policy ?? "daily",
  });
  parts.outbox.recordOnceADay("quota.exceeded", data, nowMs);
}
