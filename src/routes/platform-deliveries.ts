import * as v from "valibot";
import { NO_EVENT } from "../../durable-objects/outbox/event-id.ts";
import { PLATFORM_EVENT_TYPES, TEST_EVENT } from "../domain/webhooks/event.ts";
import { acted, ok } from "../http/call.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import {
  deliveriesQuery,
  DeliveryOutput,
  EventOutput,
  eventsQuery,
  ReplayInput,
  toOwnDelivery,
  toEvent,
  toWebhook,
  WebhookOutput,
} from "../api/native/webhook.ts";
import { readAccount, writeAccount } from "../edge/tenant-object.ts";

// What was delivered to the platform's endpoints and what happened, as a tenant reads its own.

const LIMIT_BYTES = 4096;

const AUTH = { kind: "platform" } as const;

const PARAMS = v.strictObject({ id: v.pipe(v.string(), v.description("`whk_` and a ULID.")) });

export const listPlatformDeliveries = defineRoute({
  method: "GET",
  path: "/admin/webhooks/:id/deliveries",
  summary: "Deliveries to an endpoint of the platform, newest event first",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  query: deliveriesQuery,
  reply: { status: 200, schema: listOf(DeliveryOutput) },
  failures: ["not_found"],
  handle: async (call) => {
    const { cursor = null, limit, state = null } = call.query;
    const query = { webhookId: call.params.id, before: cursor, state, limit };
    const page = await readAccount(call.env, (account) => account.listDeliveries(query));
    if (page.kind !== "deliveries") return page;
    return ok(list(page.deliveries.map(toOwnDelivery), page.next));
  },
});

export const replayPlatformWebhook = defineRoute({
  method: "POST",
  path: "/admin/webhooks/:id/replay",
  summary: "Deliver the events of a time to an endpoint of the platform once more",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  body: { schema: ReplayInput, limitBytes: LIMIT_BYTES },
  reply: { status: 202, schema: WebhookOutput },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const { from: fromMs, to: toMs, only } = call.body;
    const request = { id, fromMs, toMs, only };
    const found = await writeAccount(call.env, (account) => account.replayWebhook(request));
    if (found.kind !== "webhook") return found;
    const detail = { webhook: id, only };
    return acted(detail, ok(toWebhook(found.webhook)));
  },
});

export const replayPlatformDelivery = defineRoute({
  method: "POST",
  path: "/admin/deliveries/:id/replay",
  summary: "Deliver one event to one endpoint of the platform once more",
  surface: "native",
  auth: AUTH,
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`dlv_` and a ULID.")) }),
  reply: { status: 202, schema: DeliveryOutput },
  failures: ["not_found", "webhook_disabled"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const found = await writeAccount(call.env, (account) => account.replayDelivery(id));
    if (found.kind !== "delivery") return found;
    const detail = { delivery: id };
    return acted(detail, ok(toOwnDelivery(found.delivery)));
  },
});

export const listPlatformEvents = defineRoute({
  method: "GET",
  path: "/admin/events",
  summary: "What happened that the platform subscribed to, oldest first",
  description: "The id of the last event is the cursor of what follows, also after the last page.",
  surface: "native",
  auth: AUTH,
  query: eventsQuery([...PLATFORM_EVENT_TYPES, TEST_EVENT]),
  reply: { status: 200, schema: listOf(EventOutput) },
  failures: [],
  handle: async (call) => {
    const { cursor: after = NO_EVENT, limit, types = null } = call.query;
    const query = { after, types, limit };
    const page = await readAccount(call.env, (account) => account.listEvents(query));
    return "kind" in page ? page : ok(list(page.events.map(toEvent), page.next));
  },
});

export const getPlatformEvent = defineRoute({
  method: "GET",
  path: "/admin/events/:id",
  summary: "One event of the platform",
  surface: "native",
  auth: AUTH,
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`evt_` and a ULID.")) }),
  reply: { status: 200, schema: EventOutput },
  failures: ["not_found"],
  handle: async (call) => {
    const { id } = call.params;
    const found = await readAccount(call.env, (account) => account.readEvent(id));
    return found.kind === "event" ? ok(toEvent(found.event)) : found;
  },
});
