import * as v from "valibot";
import { NO_EVENT } from "../../durable-objects/outbox/event-id.ts";
import { EVENT_TYPES, TEST_EVENT } from "../domain/webhooks/event.ts";
import { acted, ok } from "../http/call.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import {
  deliveriesQuery,
  DeliveryOutput,
  EventOutput,
  eventsQuery,
  ReplayInput,
  toDelivery,
  toEvent,
  toWebhook,
  WebhookOutput,
} from "../api/native/webhook.ts";
import { TENANT_READ } from "../edge/shared.ts";
import { readTenant, writeTenant } from "../edge/tenant-object.ts";

// What was delivered and what happened: read back, and delivered once more.

const LIMIT_BYTES = 4096;

const PARAMS = v.strictObject({ id: v.pipe(v.string(), v.description("`whk_` and a ULID.")) });

export const listDeliveries = defineRoute({
  method: "GET",
  path: "/v1/webhooks/:id/deliveries",
  mirror: "/admin/tenants/:tenant/webhooks/:id/deliveries",
  summary: "Deliveries to an endpoint with their attempts, newest event first",
  description:
    "What is behind the endpoint's cursor was not tried yet and is not listed. A page looks at a bounded number: it may hold fewer than `limit`, so go on while `has_more`.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  query: deliveriesQuery,
  reply: { status: 200, schema: listOf(DeliveryOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = null, limit, state = null } = call.query;
    const query = { webhookId: call.params.id, before: cursor, state, limit };
    const page = await readTenant(call, (tenant, caller) => tenant.listDeliveries(caller, query));
    if (page.kind !== "deliveries") return page;
    return ok(
      list(
        page.deliveries.map((delivery) => toDelivery(delivery, call)),
        page.next,
      ),
    );
  },
});

export const replayWebhook = defineRoute({
  method: "POST",
  path: "/v1/webhooks/:id/replay",
  mirror: "/admin/tenants/:tenant/webhooks/:id/replay",
  summary: "Deliver the events of a time once more",
  description:
    "Under the same `webhook-id`, the oldest first, after what is new. One range at a time: a later one replaces it. A wait that the endpoint had asked for ends. While it is disabled the replay waits until it is enabled.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: ReplayInput, limitBytes: LIMIT_BYTES },
  reply: { status: 202, schema: WebhookOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const { from: fromMs, to: toMs, only } = call.body;
    const request = { id, fromMs, toMs, only };
    const found = await writeTenant(call, (tenant, caller) =>
      tenant.replayWebhook(caller, request),
    );
    if (found.kind !== "webhook") return found;
    return acted({ webhook: id, only }, ok(toWebhook(found.webhook)));
  },
});

export const replayDelivery = defineRoute({
  method: "POST",
  path: "/v1/deliveries/:id/replay",
  mirror: "/admin/tenants/:tenant/deliveries/:id/replay",
  summary: "Deliver one event to one endpoint once more",
  description:
    "At once, whatever the endpoint asked for, and then by the whole schedule. If it is accepted, all that waits goes out. Of a disabled endpoint: 409.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`dlv_` and a ULID.")) }),
  reply: { status: 202, schema: DeliveryOutput },
  failures: [...TENANT_READ, "webhook_disabled"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const found = await writeTenant(call, (tenant, caller) => tenant.replayDelivery(caller, id));
    if (found.kind !== "delivery") return found;
    return acted({ delivery: id }, ok(toDelivery(found.delivery, call)));
  },
});

export const listEvents = defineRoute({
  method: "GET",
  path: "/v1/events",
  mirror: "/admin/tenants/:tenant/events",
  summary: "What happened, oldest first",
  description:
    "Only what an endpoint had subscribed to is recorded. The id of the last event is the cursor of what follows, also after the last page. A page looks at a bounded number of events: it may hold fewer than `limit`, so go on while `has_more`.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: eventsQuery([...EVENT_TYPES, TEST_EVENT]),
  reply: { status: 200, schema: listOf(EventOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor: after = NO_EVENT, limit, types = null } = call.query;
    const query = { after, types, limit };
    const page = await readTenant(call, (tenant, caller) => tenant.listEvents(caller, query));
    return page.kind === "events" ? ok(list(page.events.map(toEvent), page.next)) : page;
  },
});

export const getEvent = defineRoute({
  method: "GET",
  path: "/v1/events/:id",
  mirror: "/admin/tenants/:tenant/events/:id",
  summary: "One event",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`evt_` and a ULID.")) }),
  reply: { status: 200, schema: EventOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readEvent(caller, id));
    return found.kind === "event" ? ok(toEvent(found.event)) : found;
  },
});
