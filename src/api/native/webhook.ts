import * as v from "valibot";
import { DISABLED_REASONS } from "../../domain/webhooks/webhook.ts";
import type { ListedEvent } from "../../domain/webhooks/event-object.ts";
import {
  deliveryObject,
  type DeliveryView,
  webhookObject,
  type WebhookView,
} from "../../domain/webhooks/webhook-object.ts";
import { ATTEMPT_ERRORS, DELIVERY_STATES } from "../../domain/webhooks/delivery.ts";
import {
  currentType,
  EVENT_TYPES,
  type EventType,
  OLD_BATCH_EVENT,
  PLATFORM_EVENT_TYPES,
  TEST_EVENT,
} from "../../domain/webhooks/event.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import { stated } from "../../http/field-errors.ts";
import { name, pageAfterId, time, timeInput, wholeNumber } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Endpoints, deliveries and events on the wire.

const url = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(2048),
  v.description("Where to deliver to: https, a public host, no credentials."),
);

const description = v.nullable(v.pipe(v.string(), v.maxLength(1000), v.description("For people.")));

const enabled = v.pipe(v.boolean(), v.description("Whether it is delivered to."));

const decisions = v.nullable(
  v.pipe(
    v.array(v.picklist(DECISIONS)),
    v.minLength(1),
    v.maxLength(DECISIONS.length),
    v.description("Of verdicts and reviews, these decisions only; null: all."),
  ),
);

const ordered = v.pipe(
  v.boolean(),
  v.description(
    "One event at a time, in order: nothing goes past a message that is still to be tried again. It is slower, and one event that is refused holds up those after it until it is given up.",
  ),
);

const eventsOf = <const Types extends readonly string[]>(types: Types) =>
  v.pipe(
    v.array(v.picklist(types)),
    v.minLength(1),
    v.maxLength(types.length),
    v.description(
      `What to deliver. \`${OLD_BATCH_EVENT}\` is the old name of \`verdict_batch.completed\`: an endpoint that has it keeps it; a new endpoint gets the event under the new name.`,
    ),
  );

const newWebhook = <const Types extends readonly string[]>(types: Types) =>
  strictObject({
    url,
    events: eventsOf(types),
    ordered: v.optional(ordered, false),
    decisions: v.optional(decisions, null),
    description: v.optional(description, null),
    enabled: v.optional(enabled, true),
  });

const webhookPatch = <const Types extends readonly string[]>(types: Types) =>
  strictObject({
    url: v.optional(url),
    events: v.optional(eventsOf(types)),
    ordered: v.optional(ordered),
    decisions: v.optional(decisions),
    description: v.optional(description),
    enabled: v.optional(enabled),
  });

export const NewWebhookInput = newWebhook([...EVENT_TYPES, OLD_BATCH_EVENT]);
export const WebhookPatchInput = webhookPatch([...EVENT_TYPES, OLD_BATCH_EVENT]);
export const NewPlatformWebhookInput = newWebhook(PLATFORM_EVENT_TYPES);
export const PlatformWebhookPatchInput = webhookPatch(PLATFORM_EVENT_TYPES);

export const RotateSecretInput = strictObject({
  overlap_s: v.optional(
    wholeNumber(0, 604_800, "How long the old secret signs beside the new one; 0 ends it now."),
    86_400,
  ),
});

export const ReplayInput = strictObject({
  from: timeInput("Events recorded at or after; not in the future."),
  to: v.optional(
    v.nullable(timeInput("Events recorded before, after `from`; now when absent.")),
    null,
  ),
  only: v.pipe(
    v.picklist(["failed", "all"]),
    v.description("`failed`: only messages that were not delivered, for any reason."),
  ),
});

export const deliveriesQuery = strictObject({
  ...pageAfterId("dlv"),
  state: v.optional(v.picklist(DELIVERY_STATES)),
});

export const eventsQuery = (types: readonly EventType[]) =>
  strictObject({
    ...pageAfterId("evt"),
    types: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(200),
        v.description("Events of these types only, separated by commas."),
        v.check(
          stated("must be types of events, separated by commas", (text: string) =>
            text.split(",").every((type) => types.includes(currentType(type as EventType))),
          ),
        ),
        v.transform((text) => text.split(",").map((type) => currentType(type as EventType))),
      ),
    ),
  });

const ALL_TYPES = [...new Set([...EVENT_TYPES, ...PLATFORM_EVENT_TYPES, TEST_EVENT])] as const;

export const WebhookOutput = v.object({
  id: name("`whk_` and a ULID."),
  object: v.literal("webhook"),
  url: v.string(),
  description: v.nullable(v.string()),
  events: v.array(v.picklist([...ALL_TYPES, OLD_BATCH_EVENT])),
  decisions: v.nullable(v.array(v.picklist(DECISIONS))),
  enabled,
  disabled_reason: v.pipe(
    v.nullable(v.picklist(DISABLED_REASONS)),
    v.description(
      "`gone`: it answered 410; `receiver`: it asked for it (`webhook-delivery: disable`); `failing`: five days without a success.",
    ),
  ),
  ordered,
  blocked_by: v.pipe(
    v.nullable(v.string()),
    v.description(
      "Of an endpoint in order: the delivery that failed and that the others wait for.",
    ),
  ),
  failing_since: v.nullable(time("When its last success was followed by a failure.")),
  down: v.pipe(
    v.boolean(),
    v.description(
      "Several messages failed in a row and none was accepted since: it is asked one thing at a time, at least once a minute, until one is accepted.",
    ),
  ),
  old_secret_expires_at: v.nullable(time("Until when the old secret signs too.")),
  replaying: v.pipe(v.boolean(), v.description("A replay of a range is not at its end yet.")),
  created_at: time("When it was made."),
  updated_at: time("When it was last changed."),
});

export const WebhookWithSecretOutput = v.object({
  ...WebhookOutput.entries,
  secret: v.pipe(
    v.nullable(v.string()),
    v.description("What signs, once; null when an idempotency key was repeated."),
  ),
});

export const DeliveryOutput = v.object({
  id: name("`dlv_` and a ULID."),
  object: v.literal("delivery"),
  webhook_id: v.string(),
  event_id: v.string(),
  event_type: v.pipe(
    v.nullable(v.picklist(ALL_TYPES)),
    v.description("Null: the event is not stored any more."),
  ),
  object_id: v.pipe(
    v.nullable(v.string()),
    v.description("The id of the event's object: a verdict, a batch, an endpoint."),
  ),
  state: v.pipe(
    v.picklist(DELIVERY_STATES),
    v.description("`pending`: it is tried again; `failed`: it waits for a replay."),
  ),
  attempt_count: v.pipe(
    v.number(),
    v.description("All attempts that were made, also those not listed."),
  ),
  attempts: v.pipe(
    v.array(
      v.object({
        at: time("When it began."),
        status: v.nullable(v.number()),
        error: v.nullable(v.picklist(ATTEMPT_ERRORS)),
        latency_ms: v.number(),
        reply: v.pipe(
          v.nullable(v.string()),
          v.description(
            "The first kilobyte of the reply's body, for a key of the tenant; null: none, or not for this caller.",
          ),
        ),
      }),
    ),
    v.description("The latest 20, oldest first."),
  ),
  next_attempt_at: v.nullable(
    time(
      "When it is tried again: its own time, or what the endpoint asked for, whichever is later.",
    ),
  ),
  created_at: time("When the event was recorded."),
});

export const EventOutput = v.object({
  id: name("`evt_` and a ULID, in the order in which they were recorded."),
  type: v.picklist(ALL_TYPES),
  timestamp: time("When it was recorded."),
  data: v.pipe(
    v.nullable(v.record(v.string(), v.unknown())),
    v.description("The event's object, as its GET returns it; null: not stored any more."),
  ),
});

export const toWebhook = (webhook: WebhookView) => webhookObject(webhook);
/** @param replies whether with what the receiver replied, which is for the owner of the endpoint */
export const toDelivery = (delivery: DeliveryView, replies: boolean) =>
  deliveryObject(delivery, { replies });
export const toEvent = ({ id, type, timestamp, data }: ListedEvent) => ({
  id,
  type,
  timestamp,
  data,
});
