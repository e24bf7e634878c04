import * as v from "valibot";
import type { Config } from "../config.ts";
import { NO_EVENT } from "../domain/webhooks/event.ts";
import { acted, ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { checkPublicUrl } from "../io/public-url.ts";
import { newWebhookSecret } from "../io/webhook-secret.ts";
import { list, listOf } from "../api/field.ts";
import { given } from "../api/native/settings.ts";
import {
  deliveriesQuery,
  DeliveryOutput,
  EventOutput,
  eventsQuery,
  ReplayInput,
  RotateSecretInput,
  toDelivery,
  toEvent,
  toWebhook,
  WebhookOutput,
  WebhookWithSecretOutput,
} from "../api/native/webhook.ts";
import { invalid } from "../http/field-errors.ts";
import { PLATFORM_OWNER, TENANT_OWNER, type WebhookOwner } from "./webhook-owners.ts";

// Endpoints, what was delivered to them, and the events: a tenant's own, and the platform's. Secrets are
// drawn here and shown once.

const ENDPOINT_BYTES = 8192;
const REPLAY_BYTES = 4096;

const WEBHOOK = v.strictObject({ id: v.pipe(v.string(), v.description("`whk_` and a ULID.")) });
const DELIVERY = v.strictObject({ id: v.pipe(v.string(), v.description("`dlv_` and a ULID.")) });
const EVENT = v.strictObject({ id: v.pipe(v.string(), v.description("`evt_` and a ULID.")) });

const webhookRoutes = (owner: WebhookOwner) => {
  const { auth, words, objectOf } = owner;
  const at = <const Rest extends `/${string}`>(rest: Rest) => ({
    path: `${owner.base}${rest}` as const,
    mirror: owner.mirror === null ? undefined : (`${owner.mirror}${rest}` as const),
    surface: "native" as const,
    auth,
  });
  const { refusals } = owner;
  const lookups = [...refusals, "not_found"] as const;

  const create = defineRoute({
    method: "POST",
    ...at("/webhooks"),
    ...words.create,
    body: { schema: owner.newWebhook, limitBytes: ENDPOINT_BYTES },
    reply: { status: 201, schema: WebhookWithSecretOutput },
    failures: [...refusals, ...owner.keyRefusals, "over_limit"],
    audit: "act",
    handle: async (call) => {
      const judged = judgedUrl(call.body.url, call.config);
      if (judged.kind !== "judged") return judged;
      const secret = newWebhookSecret();
      const webhook = { ...call.body, url: judged.url, id: newId("whk"), secret };
      const made = await objectOf(call).create(webhook);
      if (made.kind !== "webhook") return made;
      const shown = made.repeated ? null : secret;
      return acted({ webhook: made.webhook.id }, ok({ ...toWebhook(made.webhook), secret: shown }));
    },
  });

  const listAll = defineRoute({
    method: "GET",
    ...at("/webhooks"),
    ...words.list,
    reply: { status: 200, schema: listOf(WebhookOutput) },
    failures: refusals,
    handle: async (call) => {
      const found = await objectOf(call).list();
      if (found.kind !== "webhooks") return found;
      return ok(list(found.webhooks.map(toWebhook).toReversed(), null));
    },
  });

  const get = defineRoute({
    method: "GET",
    ...at("/webhooks/:id"),
    ...words.get,
    params: WEBHOOK,
    reply: { status: 200, schema: WebhookOutput },
    failures: lookups,
    handle: async (call) => {
      const found = await objectOf(call).read(call.params.id);
      return found.kind === "webhook" ? ok(toWebhook(found.webhook)) : found;
    },
  });

  const patch = defineRoute({
    method: "PATCH",
    ...at("/webhooks/:id"),
    ...words.patch,
    params: WEBHOOK,
    body: { schema: owner.webhookPatch, limitBytes: ENDPOINT_BYTES },
    reply: { status: 200, schema: WebhookOutput },
    failures: lookups,
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const judged = judgedUrl(call.body.url, call.config);
      if (judged.kind !== "judged") return judged;
      const change = given({ ...call.body, url: judged.url });
      const changed = await objectOf(call).change(id, change);
      if (changed.kind !== "webhook") return changed;
      const detail = { webhook: id, changed: Object.keys(change) };
      return acted(detail, ok(toWebhook(changed.webhook)));
    },
  });

  const remove = defineRoute({
    method: "DELETE",
    ...at("/webhooks/:id"),
    ...words.remove,
    params: WEBHOOK,
    reply: { status: 204, schema: v.null() },
    failures: lookups,
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const deleted = await objectOf(call).remove(id);
      return deleted.kind === "deleted" ? acted({ webhook: id }, ok(null)) : deleted;
    },
  });

  const rotate = defineRoute({
    method: "POST",
    ...at("/webhooks/:id/rotate"),
    ...words.rotate,
    params: WEBHOOK,
    body: { schema: RotateSecretInput, limitBytes: ENDPOINT_BYTES, optional: true },
    reply: { status: 201, schema: WebhookWithSecretOutput },
    failures: [...lookups, ...owner.keyRefusals],
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const secret = newWebhookSecret();
      const request = { id, secret, overlapMs: call.body.overlap_s * 1000 };
      const rotated = await objectOf(call).rotate(request);
      if (rotated.kind !== "webhook") return rotated;
      const shown = rotated.repeated ? null : secret;
      return acted({ webhook: id }, ok({ ...toWebhook(rotated.webhook), secret: shown }));
    },
  });

  const test = defineRoute({
    method: "POST",
    ...at("/webhooks/:id/test"),
    ...words.test,
    params: WEBHOOK,
    reply: { status: 200, schema: DeliveryOutput },
    failures: lookups,
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const tried = await objectOf(call).test(id);
      if (tried.kind !== "delivery") return tried;
      return acted({ webhook: id }, ok(toDelivery(tried.delivery, owner.ownsReplies(call))));
    },
  });

  const listDeliveries = defineRoute({
    method: "GET",
    ...at("/webhooks/:id/deliveries"),
    ...words.deliveries,
    params: WEBHOOK,
    query: deliveriesQuery,
    reply: { status: 200, schema: listOf(DeliveryOutput) },
    failures: lookups,
    handle: async (call) => {
      const { cursor = null, limit, state = null } = call.query;
      const query = { webhookId: call.params.id, before: cursor, state, limit };
      const page = await objectOf(call).listDeliveries(query);
      if (page.kind !== "deliveries") return page;
      const replies = owner.ownsReplies(call);
      const shown = page.deliveries.map((delivery) => toDelivery(delivery, replies));
      return ok(list(shown, page.next));
    },
  });

  const replay = defineRoute({
    method: "POST",
    ...at("/webhooks/:id/replay"),
    ...words.replay,
    params: WEBHOOK,
    body: { schema: ReplayInput, limitBytes: REPLAY_BYTES },
    reply: { status: 202, schema: WebhookOutput },
    failures: lookups,
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const { from: fromMs, to: toMs, only } = call.body;
      const found = await objectOf(call).replay({ id, fromMs, toMs, only });
      if (found.kind !== "webhook") return found;
      return acted({ webhook: id, only }, ok(toWebhook(found.webhook)));
    },
  });

  const replayDelivery = defineRoute({
    method: "POST",
    ...at("/deliveries/:id/replay"),
    ...words.replayDelivery,
    params: DELIVERY,
    reply: { status: 202, schema: DeliveryOutput },
    failures: [...lookups, "webhook_disabled"],
    audit: "act",
    handle: async (call) => {
      const { id } = call.params;
      const found = await objectOf(call).replayDelivery(id);
      if (found.kind !== "delivery") return found;
      return acted({ delivery: id }, ok(toDelivery(found.delivery, owner.ownsReplies(call))));
    },
  });

  const listEvents = defineRoute({
    method: "GET",
    ...at("/events"),
    ...words.events,
    query: eventsQuery(owner.eventTypes),
    reply: { status: 200, schema: listOf(EventOutput) },
    failures: refusals,
    handle: async (call) => {
      const { cursor: after = NO_EVENT, limit, types = null } = call.query;
      const page = await objectOf(call).listEvents({ after, types, limit });
      return page.kind === "events" ? ok(list(page.events.map(toEvent), page.next)) : page;
    },
  });

  const getEvent = defineRoute({
    method: "GET",
    ...at("/events/:id"),
    ...words.event,
    params: EVENT,
    reply: { status: 200, schema: EventOutput },
    failures: lookups,
    handle: async (call) => {
      const found = await objectOf(call).readEvent(call.params.id);
      return found.kind === "event" ? ok(toEvent(found.event)) : found;
    },
  });

  return [
    create,
    listAll,
    get,
    patch,
    remove,
    rotate,
    test,
    listDeliveries,
    replay,
    replayDelivery,
    listEvents,
    getEvent,
  ];
};

export const TENANT_WEBHOOK_ROUTES = webhookRoutes(TENANT_OWNER);
export const PLATFORM_WEBHOOK_ROUTES = webhookRoutes(PLATFORM_OWNER);

type Judged<Text> =
  | { readonly kind: "judged"; readonly url: Text | string }
  | ReturnType<typeof invalid>;

/** The URL of an endpoint in the form in which it is called; undefined stays undefined. */
function judgedUrl<Text extends string | undefined>(
  text: Text,
  { webhookTargets }: Pick<Config, "webhookTargets">,
): Judged<Text> {
  if (text === undefined) return { kind: "judged", url: text };
  const checked = webhookTargets === "any" ? checkAnyUrl(text) : checkPublicUrl(text);
  return checked.kind === "allowed"
    ? { kind: "judged", url: checked.url.href }
    : invalid(["url"], checked.detail);
}

/** On a developer's own machine: any host, http too. */
function checkAnyUrl(text: string): ReturnType<typeof checkPublicUrl> {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { kind: "refused", detail: "must be a URL that starts with https: or http:" };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "refused", detail: "must not contain a user name or a password" };
  }
  return { kind: "allowed", url };
}
