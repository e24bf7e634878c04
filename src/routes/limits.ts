import * as v from "valibot";
import { limitsObject } from "../../durable-objects/tenant/limits-object.ts";
import { ok } from "../http/call.ts";
import { defineRoute } from "../http/route.ts";
import { parseIndex, TENANT_READ } from "./shared.ts";
import { askTenant } from "./tenant-object.ts";
import { dayInput, list, listOf, pageQuery, timeInput } from "../wire/field.ts";
import {
  InvariantsOutput,
  LimitsOutput,
  RefusalOutput,
  toInvariants,
  toRefusal,
} from "../wire/report.ts";
import { GROUPS, toUsage, UsageOutput } from "../wire/usage.ts";

// What a tenant can read of itself: limits, usage, refusals, invariants. None of it costs neurons.

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Days of one usage report. */
const MAX_DAYS = 400;

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
    const limits = await askTenant(call, (tenant, caller) => tenant.readLimits(caller));
    return limits.kind === "limits" ? ok(limitsObject(limits)) : limits;
  },
});

export const getUsage = defineRoute({
  method: "GET",
  path: "/v1/usage",
  mirror: "/admin/tenants/:tenant/usage",
  summary: "Usage by day and model, with exact totals",
  surface: "native",
  auth: { kind: "key", roles: ROLES },
  query: v.strictObject({
    ...pageQuery,
    from: v.optional(dayInput("The first day; today when absent.")),
    to: v.optional(dayInput("The last day, included; today when absent.")),
    group_by: v.optional(v.picklist(GROUPS), "day,model"),
  }),
  reply: { status: 200, schema: UsageOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { query } = call;
    const today = Math.floor(Date.now() / DAY_MS);
    const to = query.to ?? Math.max(today, query.from ?? today);
    const from = query.from ?? Math.min(today, to);
    if (from > to || to - from >= MAX_DAYS) {
      const detail = `must be a day at most ${MAX_DAYS - 1} days before to`;
      return { kind: "invalid_request", errors: [{ path: ["from"], detail }] };
    }
    const skip = parseIndex(query.cursor);
    if (typeof skip !== "number") return skip;
    const reply = await askTenant(call, (tenant, caller) => tenant.listPeriods(caller, from, to));
    if (reply.kind !== "periods") return reply;
    const { group_by: group, limit } = query;
    const { tenant, nowMs } = reply;
    return ok(toUsage(reply.periods, { tenant, from, to, group, skip, limit, nowMs }));
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
  query: v.strictObject({
    ...pageQuery,
    from: v.optional(timeInput("Included.")),
    to: v.optional(timeInput("Not included.")),
  }),
  reply: { status: 200, schema: listOf(RefusalOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { from = 0, to, limit, cursor } = call.query;
    const skip = parseIndex(cursor);
    if (typeof skip !== "number") return skip;
    const fromMinute = Math.floor(from / MINUTE_MS);
    const toMinute = to === undefined ? Number.MAX_SAFE_INTEGER : Math.ceil(to / MINUTE_MS);
    const query = { fromMinute, toMinute, skip, limit };
    const page = await askTenant(call, (tenant, caller) => tenant.listRefusals(caller, query));
    if (page.kind !== "page") return page;
    return ok(list(page.data.map(toRefusal), page.more ? String(skip + limit) : null));
  },
});

export const getInvariants = defineRoute({
  method: "GET",
  path: "/v1/invariants",
  mirror: "/admin/tenants/:tenant/invariants",
  summary: "Counts what must always be zero",
  surface: "native",
  auth: { kind: "key", roles: ROLES },
  reply: { status: 200, schema: InvariantsOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const reply = await askTenant(call, (tenant, caller) => tenant.countInvariants(caller));
    if (reply.kind !== "invariants") return reply;
    return ok(toInvariants(reply.tenant, reply.counts, reply.nowMs));
  },
});
