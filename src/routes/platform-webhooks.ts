import * as v from "valibot";
import { newSecret } from "../../durable-objects/outbox/sign-delivery.ts";
import { acted, ok } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import {
  DeliveryOutput,
  NewPlatformWebhookInput,
  PlatformWebhookPatchInput,
  RotateSecretInput,
  toOwnDelivery,
  toWebhook,
  WebhookOutput,
  WebhookWithSecretOutput,
} from "../api/native/webhook.ts";
import { readAccount, writeAccount } from "../edge/tenant-object.ts";
import { given, judgedUrl } from "./webhook-fields.ts";

// The platform's own endpoints: the same resource as a tenant's, of the `Account` object.

const LIMIT_BYTES = 8192;

const AUTH = { kind: "platform" } as const;

const PARAMS = v.strictObject({ id: v.pipe(v.string(), v.description("`whk_` and a ULID.")) });

export const createPlatformWebhook = defineRoute({
  method: "POST",
  path: "/admin/webhooks",
  summary: "Add an endpoint of the platform; its secret is shown once",
  surface: "native",
  auth: AUTH,
  body: { schema: NewPlatformWebhookInput, limitBytes: LIMIT_BYTES },
  reply: { status: 201, schema: WebhookWithSecretOutput },
  failures: ["over_limit"],
  audit: "act",
  handle: async (call) => {
    const judged = judgedUrl(call.body.url, call.config);
    if (judged.kind !== "judged") return judged;
    const secret = newSecret();
    const webhook = { ...call.body, url: judged.url, id: newId("whk"), secret };
    const made = await writeAccount(call.env, (account) => account.createWebhook(webhook));
    if (made.kind !== "webhook") return made;
    const detail = { webhook: webhook.id };
    return acted(detail, ok({ ...toWebhook(made.webhook), secret }));
  },
});

export const listPlatformWebhooks = defineRoute({
  method: "GET",
  path: "/admin/webhooks",
  summary: "All endpoints of the platform, newest first, without their secrets",
  surface: "native",
  auth: AUTH,
  reply: { status: 200, schema: listOf(WebhookOutput) },
  failures: [],
  handle: async (call) => {
    const found = await readAccount(call.env, (account) => account.listWebhooks());
    return "kind" in found ? found : ok(list(found.map(toWebhook).toReversed(), null));
  },
});

export const getPlatformWebhook = defineRoute({
  method: "GET",
  path: "/admin/webhooks/:id",
  summary: "One endpoint of the platform",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  reply: { status: 200, schema: WebhookOutput },
  failures: ["not_found"],
  handle: async (call) => {
    const found = await readAccount(call.env, (account) => account.readWebhook(call.params.id));
    return found.kind === "webhook" ? ok(toWebhook(found.webhook)) : found;
  },
});

export const patchPlatformWebhook = defineRoute({
  method: "PATCH",
  path: "/admin/webhooks/:id",
  summary: "Change an endpoint of the platform; one that was disabled goes on from now",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  body: { schema: PlatformWebhookPatchInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: WebhookOutput },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const judged = judgedUrl(call.body.url, call.config);
    if (judged.kind !== "judged") return judged;
    const change = given({ ...call.body, url: judged.url });
    const changed = await writeAccount(call.env, (account) => account.changeWebhook(id, change));
    if (changed.kind !== "webhook") return changed;
    const detail = { webhook: id, changed: Object.keys(change) };
    return acted(detail, ok(toWebhook(changed.webhook)));
  },
});

export const deletePlatformWebhook = defineRoute({
  method: "DELETE",
  path: "/admin/webhooks/:id",
  summary: "Delete an endpoint of the platform",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const deleted = await writeAccount(call.env, (account) => account.deleteWebhook(id));
    if (deleted.kind !== "deleted") return deleted;
    const detail = { webhook: id };
    return acted(detail, ok(null));
  },
});

export const rotatePlatformWebhook = defineRoute({
  method: "POST",
  path: "/admin/webhooks/:id/rotate",
  summary: "Replace the secret of an endpoint of the platform; both sign for an overlap",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  body: { schema: RotateSecretInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 201, schema: WebhookWithSecretOutput },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const secret = newSecret();
    const request = { id, secret, overlapMs: call.body.overlap_s * 1000 };
    const rotated = await writeAccount(call.env, (account) => account.rotateWebhook(request));
    if (rotated.kind !== "webhook") return rotated;
    const detail = { webhook: id };
    return acted(detail, ok({ ...toWebhook(rotated.webhook), secret }));
  },
});

export const testPlatformWebhook = defineRoute({
  method: "POST",
  path: "/admin/webhooks/:id/test",
  summary: "Deliver a test event to an endpoint of the platform, and say how that went",
  surface: "native",
  auth: AUTH,
  params: PARAMS,
  reply: { status: 200, schema: DeliveryOutput },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const tried = await writeAccount(call.env, (account) => account.tryWebhook(id));
    if (tried.kind !== "delivery") return tried;
    const detail = { webhook: id };
    return acted(detail, ok(toOwnDelivery(tried.delivery)));
  },
});
