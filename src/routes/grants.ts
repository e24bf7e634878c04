import * as v from "valibot";
import { fromNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import { acted, ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageAfterId } from "../api/field.ts";
import { GrantOutput, NewGrantInput, toGrant } from "../api/native/grant.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { KEY_USED, readTenant, writeTenant, TENANT_READ } from "../edge/bindings.ts";
import { TENANT_PARAMS } from "./tenants.ts";

// One-off neurons that the platform gives a tenant. The tenant reads them; it makes and ends none.

const LIMIT_BYTES = 8192;

export const createGrant = defineRoute({
  method: "POST",
  path: "/admin/tenants/:tenant/grants",
  summary: "Grant a tenant neurons beside its quota, once, until they expire",
  description:
    "Calls draw on the day's quota first, then on grants, the one that ends first before the others.",
  surface: "native",
  auth: { kind: "platform" },
  params: TENANT_PARAMS,
  body: { schema: NewGrantInput, limitBytes: LIMIT_BYTES },
  reply: { status: 201, schema: GrantOutput },
  failures: [...TENANT_READ, ...KEY_USED, "over_limit"],
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { neurons, expires_at: expiresAtMs, reason } = call.body;
    const request = {
      route: "POST /admin/tenants/{tenant}/grants",
      id: newId("grt"),
      amount: fromNeurons(neurons) ?? ZERO,
      reason,
      expiresAtMs,
      idempotency: read.idempotency,
    };
    const made = await writeTenant(call, (tenant, caller) => tenant.createGrant(caller, request));
    if (made.kind !== "grant") return made;
    const { grant, repeated, nowMs } = made;
    const detail = { grant: grant.id, micro_neurons: grant.amount, reason: grant.reason };
    return acted(
      detail,
      ok(toGrant(grant, nowMs), {
        ...(repeated && { headers: { "idempotency-replayed": "true" } }),
      }),
    );
  },
});

export const listGrants = defineRoute({
  method: "GET",
  path: "/v1/grants",
  mirror: "/admin/tenants/:tenant/grants",
  summary: "The grants, newest first",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfterId("grt")),
  reply: { status: 200, schema: listOf(GrantOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listGrants(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    const next = page.more ? (page.data.at(-1)?.grant.id ?? null) : null;
    return ok(
      list(
        page.data.map(({ grant, nowMs }) => toGrant(grant, nowMs)),
        next,
      ),
    );
  },
});

export const getGrant = defineRoute({
  method: "GET",
  path: "/v1/grants/:id",
  mirror: "/admin/tenants/:tenant/grants/:id",
  summary: "One grant",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.string() }),
  reply: { status: 200, schema: GrantOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readGrant(caller, id));
    return found.kind === "grant" ? ok(toGrant(found.grant, found.nowMs)) : found;
  },
});

export const deleteGrant = defineRoute({
  method: "DELETE",
  path: "/admin/tenants/:tenant/grants/:id",
  summary: "End what remains of a grant",
  description: "What calls drew on it stays; a call in progress may still draw on it.",
  surface: "native",
  auth: { kind: "platform" },
  params: v.strictObject({ ...TENANT_PARAMS.entries, id: v.string() }),
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id: grant } = call.params;
    const ended = await writeTenant(call, (tenant, caller) => tenant.endGrant(caller, grant));
    if (ended.kind !== "grant") return ended;
    return acted({ grant }, ok(null));
  },
});
