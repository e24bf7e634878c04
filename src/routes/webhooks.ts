import * as v from "valibot";
import { newSecret } from "../../durable-objects/outbox/sign-delivery.ts";
import { acted, ok } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import {
  DeliveryOutput,
  NewWebhookInput,
  RotateSecretInput,
  toDelivery,
  toWebhook,
  WebhookOutput,
  WebhookPatchInput,
  WebhookWithSecretOutput,
} from "../api/native/webhook.ts";
import { idempotencyOf, TENANT_READ } from "../edge/shared.ts";
import { readTenant, writeTenant } from "../edge/tenant-object.ts";
import { given, judgedUrl } from "./webhook-fields.ts";

// Where a tenant's events are delivered to. Secrets are drawn here and shown once.

const LIMIT_BYTES = 8192;

const PARAMS = v.strictObject({ id: v.pipe(v.string(), v.description("`whk_` and a ULID.")) });

export const createWebhook = defineRoute({
  method: "POST",
  path: "/v1/webhooks",
  mirror: "/admin/tenants/:tenant/webhooks",
  summary: "Add an endpoint; its secret is shown once",
  surface: "native",
  auth: { kind: "key", roles: [] },
  body: { schema: NewWebhookInput, limitBytes: LIMIT_BYTES },
  reply: { status: 201, schema: WebhookWithSecretOutput },
  failures: [...TENANT_READ, "over_limit", "idempotency_key_reused"],
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const judged = judgedUrl(call.body.url, call.config);
    if (judged.kind !== "judged") return judged;
    const secret = newSecret();
    const request = {
      route: "POST /v1/webhooks",
      webhook: { ...call.body, url: judged.url, id: newId("whk"), secret },
      idempotency: read.idempotency,
    };
    const made = await writeTenant(call, (tenant, caller) => tenant.createWebhook(caller, request));
    if (made.kind !== "webhook") return made;
    const { webhook, repeated } = made;
    return acted(
      { webhook: webhook.id },
      ok({ ...toWebhook(webhook), secret: repeated ? null : secret }),
    );
  },
});

export const listWebhooks = defineRoute({
  method: "GET",
  path: "/v1/webhooks",
  mirror: "/admin/tenants/:tenant/webhooks",
  summary: "All endpoints, newest first, without their secrets",
  surface: "native",
  auth: { kind: "key", roles: [] },
  reply: { status: 200, schema: listOf(WebhookOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const found = await readTenant(call, (tenant, caller) => tenant.listWebhooks(caller));
    if (found.kind !== "webhooks") return found;
    return ok(list(found.webhooks.map(toWebhook).toReversed(), null));
  },
});

export const getWebhook = defineRoute({
  method: "GET",
  path: "/v1/webhooks/:id",
  mirror: "/admin/tenants/:tenant/webhooks/:id",
  summary: "One endpoint",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  reply: { status: 200, schema: WebhookOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readWebhook(caller, id));
    return found.kind === "webhook" ? ok(toWebhook(found.webhook)) : found;
  },
});

export const patchWebhook = defineRoute({
  method: "PATCH",
  path: "/v1/webhooks/:id",
  mirror: "/admin/tenants/:tenant/webhooks/:id",
  summary: "Change an endpoint; one that was disabled goes on from now",
  description:
    "Another `url`, and `enabled: true`, end a wait that the endpoint had asked for: all that waits goes out.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: WebhookPatchInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: WebhookOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const judged = judgedUrl(call.body.url, call.config);
    if (judged.kind !== "judged") return judged;
    const change = given({ ...call.body, url: judged.url });
    const changed = await writeTenant(call, (tenant, caller) =>
      tenant.changeWebhook(caller, id, change),
    );
    if (changed.kind !== "webhook") return changed;
    const detail = { webhook: id, changed: Object.keys(change) };
    return acted(detail, ok(toWebhook(changed.webhook)));
  },
});

export const deleteWebhook = defineRoute({
  method: "DELETE",
  path: "/v1/webhooks/:id",
  mirror: "/admin/tenants/:tenant/webhooks/:id",
  summary: "Delete an endpoint; nothing is delivered to it any more",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const deleted = await writeTenant(call, (tenant, caller) => tenant.deleteWebhook(caller, id));
    if (deleted.kind !== "deleted") return deleted;
    return acted({ webhook: id }, ok(null));
  },
});

export const rotateWebhook = defineRoute({
  method: "POST",
  path: "/v1/webhooks/:id/rotate",
  mirror: "/admin/tenants/:tenant/webhooks/:id/rotate",
  summary: "Replace an endpoint's secret; both sign for an overlap",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: RotateSecretInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 201, schema: WebhookWithSecretOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const secret = newSecret();
    const request = { id, secret, overlapMs: call.body.overlap_s * 1000 };
    const rotated = await writeTenant(call, (tenant, caller) =>
      tenant.rotateWebhook(caller, request),
    );
    if (rotated.kind !== "webhook") return rotated;
    return acted({ webhook: id }, ok({ ...toWebhook(rotated.webhook), secret }));
  },
});

export const testWebhook = defineRoute({
  method: "POST",
  path: "/v1/webhooks/:id/test",
  mirror: "/admin/tenants/:tenant/webhooks/:id/test",
  summary: "Deliver a test event at once, and say how that went",
  description:
    "One attempt, whether the endpoint is enabled or not. It is not tried again. If it is accepted, a wait that the endpoint had asked for ends, and all that waits goes out.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  reply: { status: 200, schema: DeliveryOutput },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const tried = await writeTenant(call, (tenant, caller) => tenant.tryWebhook(caller, id));
    if (tried.kind !== "delivery") return tried;
    return acted({ webhook: id }, ok(toDelivery(tried.delivery, call)));
  },
});
