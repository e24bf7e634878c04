import { limitInForce } from "../../src/domain/ledger/admission.ts";
import type { QuotaFailure } from "../../src/domain/ledger/failure.ts";
import { limitsObject } from "../../src/domain/ledger/limits.ts";
import type { Tx } from "./transactions.ts";
import { limits } from "./invariants.ts";

// Events of the day's quota, each at most once a day. The data has the limits as they stood.

/** The share of the limit in force from which a tenant is warned. */
const THRESHOLD = 0.8;

/** After what was posted. */
export function recordThreshold(tx: Tx): void {
  const now = tx.stores.ledger.standing(tx.profile);
  const { posted } = now;
  const limit = limitInForce(now);
  if (limit === null || posted < limit * THRESHOLD) return;
  const data = () => ({ ...limitsObject(limits(tx)), threshold: THRESHOLD });
  tx.stores.outbox.recordOnceADay("quota.threshold", data, tx.nowMs);
}

/** A refusal that stands until the day or month ends. One for others' pending holds makes no event. */
export function recordExceeded(
  tx: Tx,
  { kind, policy }: Pick<QuotaFailure, "kind" | "policy">,
): void {
  if (kind === "account_quota_exceeded") return;
  const data = () => ({
    ...limitsObject(limits(tx)),
    refused: kind,
    policy: policy ?? "daily",
  });
  tx.stores.outbox.recordOnceADay("quota.exceeded", data, tx.nowMs);
}
