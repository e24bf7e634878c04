import * as v from "valibot";
import { limitsObject } from "../domain/ledger/limits.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";
import { inOrder, list, listOf, pageQuery, timeInput, parseIndex } from "../api/field.ts";
import {
  InvariantsOutput,
  LimitsOutput,
  RefusalOutput,
  toInvariants,
  toRefusal,
} from "../api/native/report.ts";

// What a tenant can read of itself: limits, refusals, invariants. None of it costs neurons.

const MINUTE_MS = 60_000;

const ROLES = ["call"] as const;

export const getLimits = defineRoute({
  method: "GET",
  path: "/v1/limits",
  mirror: "/admin/tenants/:tenant/limits",
  summary: "What is left of the day and of each rate",
  surface: "native",
  auth: { kind: "key", roles: ROLES },
  reply: { status: 200, schema: LimitsOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const limits = await readTenant(call, (tenant, caller) => tenant.readLimits(caller));
    return limits.kind === "limits" ? ok(limitsObject(limits)) : limits;
  },
});

export const listRefusals = defineRoute({
  method: "GET",
  path: "/v1/refusals",
  mirror: "/admin/tenants/:tenant/refusals",
  summary: "Refused calls by minute and kind",
  description: "The answer to: why was this tenant refused at 14:03? Kept for 30 days.",
  surface: "native",
  auth: { kind: "key", roles: ROLES },
  query: v.pipe(
    v.strictObject({
      ...pageQuery,
      from: v.optional(timeInput("Included.")),
      to: v.optional(timeInput("Not included.")),
    }),
    inOrder(),
  ),
  reply: { status: 200, schema: listOf(RefusalOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { from = 0, to, limit, cursor } = call.query;
    const skip = parseIndex(cursor);
    if (typeof skip !== "number") return skip;
    const fromMinute = Math.floor(from / MINUTE_MS);
    const toMinute = to === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(to / MINUTE_MS);
    const query = { fromMinute, toMinute, skip, limit };
    const page = await readTenant(call, (tenant, caller) => tenant.listRefusals(caller, query));
    if (page.kind !== "page") return page;
    return ok(list(page.data.map(toRefusal), page.more ? String(skip + limit) : null));
  },
});

export const getInvariants = defineRoute({
  method: "GET",
  path: "/v1/invariants",
  mirror: "/admin/tenants/:tenant/invariants",
  summary: "Counts what must always be zero",
  description:
    "Over today and yesterday. A request reads at most 5,000 lines of the journal; where there are more it says `complete: false` and how far it is, and the rest is looked at without it: ask again a moment later. Violations that an earlier look found stay until a whole one finds none.",
  surface: "native",
  auth: { kind: "key", roles: ROLES },
  reply: { status: 200, schema: InvariantsOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const reply = await readTenant(call, (tenant, caller) => tenant.countInvariants(caller));
    if (reply.kind !== "invariants") return reply;
    return ok(toInvariants(reply.tenant, reply));
  },
});
