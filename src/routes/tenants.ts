import * as v from "valibot";
import { microNeurons } from "../domain/ledger/micro-neurons.ts";
import {
  promisedBy,
  type Settings,
  type SettingsPatch,
  withDefaults,
} from "../domain/tenant/settings.ts";
import { tenantWarnings } from "../domain/tenant/tenant-warnings.ts";
import type { Warning } from "../domain/account/account-warnings.ts";
import type { Config } from "../config.ts";
import { acted, ok } from "../http/reply.ts";
import { TENANT_ID } from "../http/authenticate.ts";
import { defineRoute } from "../http/route.ts";
import {
  given,
  SettingsInput,
  SettingsPatchInput,
  TenantOutput,
  toTenant,
} from "../api/native/settings.ts";
import { toWarning, WarningOutput } from "../api/native/warning.ts";
import { forgetAnswers } from "../generation/response-cache.ts";
import { invalid, type InvalidRequest } from "../http/field-errors.ts";
import { writeAccount, readTenant, writeTenant, type TenantAnswer } from "../edge/bindings.ts";

// Tenants, by the platform. The `Account` object makes and ends them; everything else about one is
// asked of its own object.

export const TENANT_PARAMS = v.strictObject({
  tenant: v.pipe(v.string(), v.regex(TENANT_ID), v.description("The tenant's id.")),
});

const LIMIT_BYTES = 65_536;

const auth = { kind: "platform" } as const;

const etag = (version: number): Record<string, string> => ({ ETag: `"${version}"` });

type Profile = TenantAnswer<"readProfile", "profile">["profile"];

const replyWith = (profile: Profile, status: number) =>
  ok(toTenant(profile), { status, headers: etag(profile.version) });

/**
 * What a change promises may be more than the account has, or cost more than was meant: that is said,
 * and refuses nothing.
 */
const ChangedTenant = v.object({ ...TenantOutput.entries, warnings: v.array(WarningOutput) });

const changedReply = (
  { config }: { readonly config: Config },
  profile: Profile,
  status: number,
  ofAccount: readonly Warning[],
) => {
  const warnings = [...tenantWarnings(profile.settings, config.workersPlan), ...ofAccount];
  const body = { ...toTenant(profile), warnings: warnings.map(toWarning) };
  return ok(body, { status, headers: etag(profile.version) });
};

export const putTenant = defineRoute({
  method: "PUT",
  path: "/admin/tenants/:tenant",
  summary: "Make a tenant, or replace its settings",
  description:
    'An absent field takes its default; the paid plan needs `overage_cap_neurons`, a number or `"unlimited"`. `If-Match` with the version is honoured; `"0"` makes a tenant and replaces none. `warnings` says what may cost more, or be had less, than was meant.',
  surface: "native",
  auth,
  params: TENANT_PARAMS,
  body: { schema: SettingsInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, otherStatus: 201, schema: ChangedTenant },
  failures: ["version_conflict", "tenant_suspended", "role_required", "not_found"],
  audit: "act",
  handle: async (call) => {
    const { tenant: id } = call.params;
    const ifMatch = parseIfMatch(call.request.headers.get("If-Match"));
    if (typeof ifMatch === "object" && ifMatch !== null) return ifMatch;
    const settings: Settings = withDefaults(given(call.body));
    const change = { kind: "replace", settings } as const;
    const put = await writeAccount(call.env, (account) => account.putTenant(id, change, ifMatch));
    if (put.kind !== "configured") return put;
    const detail = { created: put.created, version: put.profile.version };
    return acted(detail, changedReply(call, put.profile, put.created ? 201 : 200, put.warnings));
  },
});

export const patchTenant = defineRoute({
  method: "PATCH",
  path: "/admin/tenants/:tenant",
  summary: "Change some settings",
  description:
    "RFC 7396: null means the default; `rpm` merges by key. A tenant that is moved to the paid plan is given its `overage_cap_neurons` in the same change; one that is moved to the free plan loses it.",
  surface: "native",
  auth,
  params: TENANT_PARAMS,
  body: { schema: SettingsPatchInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: ChangedTenant },
  failures: ["version_conflict", "tenant_suspended", "role_required", "not_found"],
  audit: "act",
  handle: async (call) => {
    const { tenant: id } = call.params;
    const ifMatch = parseIfMatch(call.request.headers.get("If-Match"));
    if (typeof ifMatch === "object" && ifMatch !== null) return ifMatch;
    const patch: SettingsPatch = given(call.body);
    const patched = await writeTenant(call, (tenant) =>
      tenant.configure({ birth: NOBODY, change: { kind: "patch", patch }, ifMatch }),
    );
    if (patched.kind !== "configured") return patched;
    const detail = { fields: Object.keys(call.body), version: patched.profile.version };
    const { profile } = patched;
    return acted(detail, async () => {
      const warnings = await writeAccount(call.env, (account) =>
        account.promise(id, profile.generation, promisedBy(profile)),
      );
      if ("kind" in warnings) return warnings;
      return changedReply(call, profile, 200, warnings);
    });
  },
});

/** A patch brings no tenant into being. */
const NOBODY = {
  id: "",
  generation: 1,
  carried: { day: 0, posted: microNeurons(0) },
  contentSecret: "",
};

export const getTenant = defineRoute({
  method: "GET",
  path: "/admin/tenants/:tenant",
  summary: "A tenant's settings",
  surface: "native",
  auth,
  params: TENANT_PARAMS,
  reply: { status: 200, schema: TenantOutput },
  failures: ["tenant_suspended", "role_required", "not_found"],
  handle: async (call) => {
    const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
    return read.kind === "profile" ? replyWith(read.profile, 200) : read;
  },
});

export const deleteTenant = defineRoute({
  method: "DELETE",
  path: "/admin/tenants/:tenant",
  summary: "End a tenant and erase what it stores",
  description:
    "Keys end at once, open holds end, then everything is erased; daily totals stay, so that statements still add up.",
  surface: "native",
  auth,
  params: TENANT_PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { tenant: id } = call.params;
    const deleted = await writeAccount(call.env, (account) => account.deleteTenant(id));
    if (typeof deleted !== "boolean") return deleted;
    if (!deleted) return { kind: "not_found", what: "tenant" };
    call.ctx.waitUntil(forgetAnswers(call.env.CACHE, id));
    return acted({}, ok(null));
  },
});

/** `If-Match: "3"` names a version; `*` any. Null: not given. */
function parseIfMatch(header: string | null): number | null | InvalidRequest {
  if (header === null || header.trim() === "*") return null;
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim())?.[1];
  return version === undefined
    ? invalid(["If-Match"], "must be a version in quotes")
    : Number(version);
}
