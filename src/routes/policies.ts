import * as v from "valibot";
import { shaped } from "../http/field-errors.ts";
import type { PolicyVersion } from "../domain/moderation/policy.ts";
import { acted, ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageAfter, POLICY_NAME, policyName } from "../api/field.ts";
import {
  changeOf,
  PolicyInput,
  policyOf,
  PolicyOutput,
  PolicyPatch,
  type PolicyPatchBody,
  toPolicy,
} from "../api/native/policy.ts";
import { readTenant, writeTenant, TENANT_READ } from "../edge/bindings.ts";

const PARAMS = v.strictObject({ name: policyName });

/** The longest body that is a policy. */
export const LIMIT_BYTES = 524_288;

export const listPolicies = defineRoute({
  method: "GET",
  path: "/v1/policies",
  mirror: "/admin/tenants/:tenant/policies",
  summary: "The latest version of each policy",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfter(POLICY_NAME)),
  reply: { status: 200, schema: listOf(PolicyOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
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
    version: v.optional(
      v.pipe(
        v.string(),
        v.regex(shaped(/^[1-9]\d{0,8}$/, "must be a whole number from 1 on")),
        v.transform(Number),
      ),
    ),
  }),
  reply: { status: 200, schema: PolicyOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { name } = call.params;
    const version = call.query.version ?? null;
    const found = await readTenant(call, (tenant, caller) =>
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
  description:
    "What is absent is as in the `preset` that is named, or the default: to change a part, PATCH. What a GET gave may be put back. Verdicts keep naming the version that made them.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: PolicyInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: PolicyOutput },
  failures: [...TENANT_READ, "over_limit"],
  audit: "act",
  handle: async (call) => {
    const { name } = call.params;
    const wrong = wrongName(call.body, name);
    if (wrong !== null) return wrong;
    const policy = policyOf(call.body, call.config.inference);
    const change = { name, policy, expected: call.body.version ?? null };
    const put = await writeTenant(call, (tenant, caller) => tenant.putPolicy(caller, change));
    if (put.kind !== "policy") return put;
    return newVersion(put.policy);
  },
});

export const patchPolicy = defineRoute({
  method: "PATCH",
  path: "/v1/policies/:name",
  mirror: "/admin/tenants/:tenant/policies/:name",
  summary: "Change a part of a policy",
  description:
    "What is absent stays as it is, also within a category; a list is replaced as a whole. A threshold of null means never. It makes a new version, unless nothing changes.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  body: { schema: PolicyPatch, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: PolicyOutput },
  failures: [...TENANT_READ, "over_limit"],
  audit: "act",
  handle: async (call) => {
    const { name } = call.params;
    const wrong = wrongName(call.body, name);
    if (wrong !== null) return wrong;
    const change = { name, change: changeOf(call.body), expected: call.body.version ?? null };
    const patched = await writeTenant(call, (tenant, caller) => tenant.patchPolicy(caller, change));
    if (patched.kind !== "policy") return patched;
    return newVersion(patched.policy);
  },
});

export const deletePolicy = defineRoute({
  method: "DELETE",
  path: "/v1/policies/:name",
  mirror: "/admin/tenants/:tenant/policies/:name",
  summary: "End a policy; `default` cannot be ended",
  description:
    "Calls that name it are refused from then on. Its versions can be read for as long as verdicts name them.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { name } = call.params;
    const deleted = await writeTenant(call, (tenant, caller) => tenant.deletePolicy(caller, name));
    if (deleted.kind !== "deleted") return deleted;
    return acted({ policy: name }, ok(null));
  },
});

/** A policy that was read under another name is not put here by mistake. */
function wrongName({ name }: PolicyPatchBody, inPath: string) {
  if (name === undefined || name === inPath) return null;
  const detail = "must be the name in the path, or absent";
  return { kind: "invalid_request" as const, errors: [{ path: ["name"], detail }] };
}

const newVersion = (policy: PolicyVersion) =>
  acted({ policy: policy.name, version: policy.version }, ok(toPolicy(policy)));
