import { decodeTime } from "ulid";
import { isoTime } from "../../src/domain/period.ts";
import type { Delivery } from "./delivery-store.ts";
import type { Webhook } from "./webhook-store.ts";

const ULID_AT = 4;

/** When an event was recorded, from its id or a delivery's. */
const timeOf = (id: string): string => isoTime(decodeTime(id.slice(ULID_AT)));

const isoOrNull = (atMs: number | null): string | null => (atMs === null ? null : isoTime(atMs));

/** An endpoint as it is read, and as `webhook.disabled` tells of it: without its secret. */
export const webhookObject = (webhook: Webhook) => ({
  id: webhook.id,
  object: "webhook" as const,
  url: webhook.url,
  description: webhook.description,
  events: webhook.events,
  decisions: webhook.decisions,
  enabled: webhook.enabled,
  disabled_reason: webhook.disabledReason,
  failing_since: isoOrNull(webhook.failingSinceMs),
  old_secret_expires_at: isoOrNull(webhook.oldSecret?.untilMs ?? null),
  replaying: webhook.replay !== null,
  created_at: isoTime(webhook.createdAtMs),
  updated_at: isoTime(webhook.updatedAtMs),
});

/** A delivery as it is listed. */
export const deliveryObject = (delivery: Delivery) => ({
  id: delivery.id,
  object: "delivery" as const,
  webhook_id: delivery.webhookId,
  event_id: delivery.eventId,
  state: delivery.state,
  attempts: delivery.attempts.map(({ atMs, status, error, latencyMs }) => ({
    at: isoTime(atMs),
    status,
    error,
    latency_ms: latencyMs,
  })),
  next_attempt_at: isoOrNull(delivery.nextTryAtMs),
  created_at: timeOf(delivery.eventId),
});
