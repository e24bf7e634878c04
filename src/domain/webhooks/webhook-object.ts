import type { Webhook } from "./webhook.ts";
import { isDown, type Delivery } from "./delivery.ts";
import type { RecordedEvent } from "./event.ts";
import { isoTime, isoTimeOrNull } from "../ledger/period.ts";

/** An endpoint with what it needs to be shown. */
export interface WebhookView extends Webhook {
  /** Of one that wants its events in order: the delivery that the others wait for; null: none. */
  readonly blockedBy: string | null;
}

/** An endpoint as it is read, and as `webhook.disabled` tells of it: without its secret. */
export const webhookObject = (webhook: Webhook & Partial<Pick<WebhookView, "blockedBy">>) => ({
  id: webhook.id,
  object: "webhook" as const,
  url: webhook.url,
  description: webhook.description,
  events: webhook.events,
  decisions: webhook.decisions,
  enabled: webhook.enabled,
  disabled_reason: webhook.disabledReason,
  ordered: webhook.ordered,
  blocked_by: webhook.blockedBy ?? null,
  failing_since: isoTimeOrNull(webhook.failingSinceMs),
  down: webhook.enabled && isDown(webhook, webhook),
  old_secret_expires_at: isoTimeOrNull(webhook.oldSecret?.untilMs ?? null),
  replaying: webhook.replay !== null,
  created_at: isoTime(webhook.createdAtMs),
  updated_at: isoTime(webhook.updatedAtMs),
});

/** A delivery with what it needs to be shown. */
export interface DeliveryView extends Delivery {
  /** Null: the event is not stored any more. */
  readonly event: Pick<RecordedEvent, "type" | "subject" | "data"> | null;
  readonly createdAtMs: number;
  /** When it is tried next, with all that may be in its way; null: it is not. */
  readonly nextAttemptMs: number | null;
}

/** The id of what an event tells of, where that has one. */
function objectIdOf(event: DeliveryView["event"]): string | null {
  if (event === null || event.subject !== null) return event?.subject ?? null;
  const id = event.data?.["id"];
  return typeof id === "string" ? id : null;
}

/**
 * A delivery as it is listed, and as `message.attempt.exhausted` tells of it.
 *
 * @param replies with the receiver's replies, which are for the owner of the endpoint
 */
export const deliveryObject = (
  delivery: DeliveryView,
  { replies }: { readonly replies: boolean },
) => ({
  id: delivery.id,
  object: "delivery" as const,
  webhook_id: delivery.webhookId,
  event_id: delivery.eventId,
  event_type: delivery.event?.type ?? null,
  object_id: objectIdOf(delivery.event),
  state: delivery.state,
  attempt_count: delivery.tries,
  attempts: delivery.attempts.map(({ atMs, status, error, latencyMs, reply }) => ({
    at: isoTime(atMs),
    status,
    error,
    latency_ms: latencyMs,
    reply: replies ? reply : null,
  })),
  next_attempt_at: isoTimeOrNull(delivery.nextAttemptMs),
  created_at: isoTime(delivery.createdAtMs),
});
