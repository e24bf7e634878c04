import { PASSING } from "../../../src/domain/moderation/batch.ts";
import { BATCH_ROUTE } from "../../../src/domain/ledger/rate-limit.ts";
import {
  type Failure,
  QUOTA_KINDS,
  type QuotaFailure,
} from "../../../src/domain/ledger/failure.ts";
import { inTheWay } from "../../../src/domain/ledger/quota.ts";
import type { Tx } from "../transactions.ts";
import type { AdmitFailure, AdmitReply, AdmitRequest } from "../protocol.ts";
import type { RefusedNeurons } from "../ledger/refusal-counter.ts";
import { recordExceeded } from "../quota-events.ts";

/** Refusals with a valid key are counted; what never named a tenant's key is not its refusal. */
export function countRefusal(
  tx: Tx,
  request: Pick<AdmitRequest, "route" | "requestId">,
  reply: AdmitReply,
): void {
  if (!isCounted(reply)) return;
  // A batch that waits for its turn is not turned away.
  if (request.route === BATCH_ROUTE && (PASSING as readonly string[]).includes(reply.kind)) return;
  const refused = {
    kind: reply.kind,
    policies: violatedPolicies(reply),
    neurons: figures(reply),
    keyId: tx.keyId,
    requestId: request.requestId,
    settingsVersion: tx.profile.version,
  };
  tx.stores.refusals.add(refused, tx.nowMs);
  if (isQuota(reply)) recordExceeded(tx, reply);
}

const isQuota = (reply: AdmitReply): reply is Extract<AdmitFailure, QuotaFailure> =>
  (QUOTA_KINDS as readonly string[]).includes(reply.kind);

const COUNTED = [
  "tenant_suspended",
  "role_required",
  "model_not_allowed",
  "over_limit",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "storage_full",
] as const satisfies readonly Failure["kind"][];

const isCounted = (
  reply: AdmitReply,
): reply is Extract<AdmitFailure, { kind: (typeof COUNTED)[number] }> =>
  (COUNTED as readonly string[]).includes(reply.kind);

/** How things stood: of the limit that had no room. */
function figures(reply: AdmitFailure): RefusedNeurons | null {
  if (!("neurons" in reply)) return null;
  return isQuota(reply) || reply.kind === "quota_reserved" ? inTheWay(reply) : reply.neurons;
}

function violatedPolicies(failure: AdmitFailure): readonly string[] {
  if ("policy" in failure && failure.policy !== undefined) return [failure.policy];
  if (failure.kind === "rate_limited") return failure.violated;
  return "neurons" in failure && failure.kind !== "concurrency_exceeded" ? ["daily"] : [];
}
