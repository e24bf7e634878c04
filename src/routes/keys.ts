import * as v from "valibot";
import type { KeyCaller, MirrorCaller } from "../http/call.ts";
import { acted, ok } from "../http/reply.ts";
import type { Config } from "../config.ts";
import { newId } from "../http/ids.ts";
import { issueKey } from "../http/authenticate.ts";
import { defineRoute } from "../http/route.ts";
import { listById, listOf, pageAfterId } from "../api/field.ts";
import {
  IssuedKeyOutput,
  KeyOutput,
  NewKeyInput,
  RotateKeyInput,
  toKey,
} from "../api/native/key.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import {
  KEY_USED,
  readTenant,
  writeTenant,
  type TenantAnswer,
  type TenantRequest,
  TENANT_READ,
} from "../edge/bindings.ts";

// Keys of a tenant: by its own `manage` key, or by the platform. The key itself is drawn here,
// where the checksum's secret is, and shown once; the tenant's object keeps a hash.

const LIMIT_BYTES = 4096;

const FAILURES = [...TENANT_READ, ...KEY_USED, "over_limit"] as const;

interface Drawn {
  /** Shown once. */
  readonly text: string;
  readonly newKey: TenantRequest<"issueKey">["newKey"];
}

async function drawKey(caller: KeyCaller | MirrorCaller, config: Config): Promise<Drawn> {
  const { key: text, secretHash, prefix } = await issueKey(caller.tenant, config.keySecrets);
  return { text, newKey: { id: newId("key"), secretHash, prefix } };
}

const toIssued = (issued: TenantAnswer<"issueKey", "issued">, { text }: Drawn) => ({
  ...toKey(issued.key),
  key: issued.repeated ? null : text,
  replaces: issued.replaces,
});

export const createKey = defineRoute({
  method: "POST",
  path: "/v1/keys",
  mirror: "/admin/tenants/:tenant/keys",
  summary: "Issue a key; it is shown once",
  surface: "native",
  auth: { kind: "key", roles: [] },
  body: { schema: NewKeyInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 201, schema: IssuedKeyOutput },
  failures: FAILURES,
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const drawn = await drawKey(call.caller, call.config);
    const { name = null, role, expires_at: expiresAtMs = null } = call.body;
    const request = {
      route: "POST /v1/keys",
      newKey: drawn.newKey,
      name,
      role,
      expiresAtMs,
      idempotency: read.idempotency,
    };
    const issued = await writeTenant(call, (tenant, caller) => tenant.issueKey(caller, request));
    if (issued.kind !== "issued") return issued;
    const detail = { key: issued.key.id, role };
    return acted(detail, ok(toIssued(issued, drawn)));
  },
});

export const rotateKey = defineRoute({
  method: "POST",
  path: "/v1/keys/:id/rotate",
  mirror: "/admin/tenants/:tenant/keys/:id/rotate",
  summary: "Replace a key by a new one; the old one goes on for an overlap",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.string() }),
  body: { schema: RotateKeyInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 201, schema: IssuedKeyOutput },
  failures: FAILURES,
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const drawn = await drawKey(call.caller, call.config);
    const { id } = call.params;
    const request = {
      route: `POST /v1/keys/${id}/rotate`,
      id,
      newKey: drawn.newKey,
      overlapMs: call.body.overlap_s * 1000,
      idempotency: read.idempotency,
    };
    const issued = await writeTenant(call, (tenant, caller) => tenant.rotateKey(caller, request));
    if (issued.kind !== "issued") return issued;
    const detail = { key: issued.key.id, replaces: id };
    return acted(detail, ok(toIssued(issued, drawn)));
  },
});

export const listKeys = defineRoute({
  method: "GET",
  path: "/v1/keys",
  mirror: "/admin/tenants/:tenant/keys",
  summary: "The keys, without their secrets",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfterId("key")),
  reply: { status: 200, schema: listOf(KeyOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) => tenant.listKeys(caller, cursor, limit));
    if (page.kind !== "page") return page;
    return ok(listById(page, toKey));
  },
});

export const deleteKey = defineRoute({
  method: "DELETE",
  path: "/v1/keys/:id",
  mirror: "/admin/tenants/:tenant/keys/:id",
  summary: "End a key with the next call",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.string() }),
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const ended = await writeTenant(call, (tenant, caller) => tenant.endKey(caller, id));
    if (ended.kind !== "ended") return ended;
    return acted({ key: id }, ok(null));
  },
});
