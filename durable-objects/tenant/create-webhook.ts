import type { ConflictFailure } from "../../src/domain/ledger/failure.ts";
import { createWebhook, type NewWebhook, readWebhook } from "../outbox/webhooks.ts";
import type { TenantStores } from "./stores.ts";
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
export function createWebhookOnce(
  parts: TenantStores,
  { route, webhook, idempotency }: CreateWebhook,
  nowMs: number,
) {
  const earlier =
    idempotency === null ? null : parts.idempotency.find(route, idempotency.key, nowMs);
  if (earlier !== null && idempotency !== null) {
    if (earlier.fingerprint !== idempotency.fingerprint) return REUSED;
    const found = readWebhook(parts.outbox, earlier.subject);
    const repeated = earlier.subject !== webhook.id;
    return found.kind === "webhook" ? { ...found, repeated } : found;
  }
  const made = createWebhook(parts.outbox, webhook, nowMs);
  if (made.kind !== "webhook") return made;
  if (idempotency !== null) {
    const { key, fingerprint } = idempotency;
    const kept = { fingerprint, subject: webhook.id, verdictIds: [] };
    parts.idempotency.remember({ route, key, nowMs }, kept);
  }
  return { ...made, repeated: false };
}

const REUSED: Extract<ConflictFailure, { kind: "idempotency_key_reused" }> = {
  kind: "idempotency_key_reused",
};
