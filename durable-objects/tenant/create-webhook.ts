import type { ConflictFailure } from "../../src/domain/ledger/failure.ts";
import { createWebhook, type NewWebhook, readWebhook } from "../outbox/webhooks.ts";
import type { Tx } from "./transactions.ts";
import type { Idempotency } from "./protocol.ts";

export interface CreateWebhook {
  readonly route: string;
  readonly webhook: NewWebhook;
  readonly idempotency: Idempotency | null;
}

/**
 * Makes an endpoint, once for an idempotency key. `repeated`: an earlier request made it, so its secret
 * is not shown again.
 */
export function createWebhookOnce(tx: Tx, { route, webhook, idempotency }: CreateWebhook) {
  const earlier =
    idempotency === null ? null : tx.stores.idempotency.find(route, idempotency.key, tx.nowMs);
  if (earlier !== null && idempotency !== null) {
    if (earlier.fingerprint !== idempotency.fingerprint) return REUSED;
    const found = readWebhook(tx.stores.outbox, earlier.subject);
    const repeated = earlier.subject !== webhook.id;
    return found.kind === "webhook" ? { ...found, repeated } : found;
  }
  const made = createWebhook(tx.stores.outbox, webhook, tx.nowMs);
  if (made.kind !== "webhook") return made;
  if (idempotency !== null) {
    const { key, fingerprint } = idempotency;
    const kept = { fingerprint, subject: webhook.id, verdictIds: [] };
    tx.stores.idempotency.remember({ route, key, nowMs: tx.nowMs }, kept);
  }
  return { ...made, repeated: false };
}

const REUSED: Extract<ConflictFailure, { kind: "idempotency_key_reused" }> = {
  kind: "idempotency_key_reused",
};
