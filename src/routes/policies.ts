import * as v from "valibot";
import { defaultPolicy } from "../domain/policy.ts";
import { ok } from "../http/call.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageQuery, policyName } from "../wire/field.ts";
import { PolicyInput, policyOf, PolicyOutput, toPolicy } from "../wire/policy.ts";
import { recordAct } from "./audit.ts";
import { TENANT_READ } from "./shared.ts";
import { askTenant, tellTenant, UNAVAILABLE } from "./tenant-object.ts";

const PARAMS = v.strictObject({ name: policyName });

/** The contract, section 5: a policy is at most 64 KB. */
export const LIMIT_BYTES = 65_536;

export const listPolicies = defineRoute({
  method: "GET",
  path: "/v1/policies",
  mirror: "/admin/tenants/:tenant/policies",
  summary: "The latest version of each policy",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(PolicyOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "", limit } = call.query;
    const page = await askTenant(call, (tenant, caller) =>
      tenant.listPolicies(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    return ok(list(page.data.map(toPolicy), page.more ? (page.data.at(-1)?.name ?? null) : null));
  },
});

export const getPolicy = defineRoute({
  method: "GET",
  path: "/v1/policies/:name",
  mirror: "/admin/tenants/:tenant/policies/:name",
  summary: "A policy, in its latest version or the one named",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  query: v.strictObject({
    version: v.optional(v.pipe(v.string(), v.regex(/^[1-9]\d{0,8}$/), v.transform(Number))),
  }),
  reply: { status: 200, schema: PolicyOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { name } = call.params;
    const version = call.query.version ?? null;
    const found = await askTenant(call, (tenant, caller) =>
      tenant.readPolicy(caller, name, version),
    );
    return found.kind === "policy" ? ok(toPolicy(found.policy)) : found;
  },
});

export const putPolicy = defineRoute({
  method: "PUT",
  path: "/v1/policies/:name",
  mirror: "/admin/tenants/:tenant/policies/:name",
  summary: "A new version of a policy",
  description: "What is absent takes its default. Verdicts keep naming the version that made them.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: PolicyInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: PolicyOutput },
  failures: [...TENANT_READ, "over_limit"],
  handle: async (call) => {
    const { name } = call.params;
    const { models } = defaultPolicy(call.config.inference === "workers-ai");
    const policy = policyOf(call.body, models);
    const put = await tellTenant(call, (tenant, caller) => tenant.putPolicy(caller, name, policy));
    if (put.kind !== "policy") return put;
    const detail = { policy: name, version: put.policy.version };
    const action = "PUT /admin/tenants/{tenant}/policies/{name}";
    return (await recordAct(call, action, detail)) ? ok(toPolicy(put.policy)) : UNAVAILABLE;
  },
});
