import * as v from "valibot";
import { canonicalJson } from "../generation/response-cache.ts";
import type { PlatformCaller } from "../http/call.ts";
import { acted, ok } from "../http/reply.ts";
import { sha256Hex, utf8 } from "../http/call-labels.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageQuery, NOT_A_CURSOR } from "../api/field.ts";
import { given } from "../api/native/settings.ts";
import type { StateInput } from "../api/native/state.ts";
import {
  applyId,
  ApplyTenantOutput,
  stageOf,
  StateApplyOutput,
  statusQuery,
  toApplyTenant,
  toStateApply,
} from "../api/native/state-apply.ts";
import { readTenantCursor, tenantCursor } from "../api/native/tenant-cursor.ts";
import { recordAct } from "../edge/audit.ts";
import { invalid } from "../http/field-errors.ts";
import { callApplies, UNAVAILABLE } from "../edge/bindings.ts";

// A document of tenants that comes in parts. The routes store parts and tell how far it is; the object
// that keeps them does the rest, whether anybody asks or not.

const auth = { kind: "platform" } as const;

const ORDER = { list: "apply_tenants", sort: "id" } as const;

const PARAMS = v.strictObject({ id: applyId });

const NO_APPLY = { kind: "not_found", what: "apply" } as const;

const SHOWN_ONCE =
  "needs a document that comes whole: keys are shown in its reply and never again, so none is issued while nobody waits for one";

const NAMES_NOBODY = "must name at least one tenant";

interface PartCall {
  readonly env: Env;
  readonly caller: PlatformCaller;
  readonly requestId: string;
  readonly query: { readonly dry_run: boolean };
  readonly body: v.InferOutput<typeof StateInput>;
}

/** `PUT /admin/state` with a part: stores it. */
export async function storePart(
  call: PartCall,
  { apply: id, part, parts }: { apply: string; part: number; parts: number },
) {
  const { prune, issue_keys: issueKeys } = call.body;
  const tenants = Object.entries(call.body.tenants).map(
    ([tenant, fields]) => [tenant, given(fields)] as const,
  );
  if (issueKeys) return invalid(["issue_keys"], SHOWN_ONCE);
  if (tenants.length === 0) return invalid(["tenants"], NAMES_NOBODY);
  const dryRun = call.query.dry_run;
  const digest = await sha256Hex(utf8(canonicalJson(call.body.tenants)));
  const sender = { actor: call.caller.actor, requestId: call.requestId };
  const sent = { id, part, parts, prune, dryRun, digest, tenants, ...sender };
  const stored = await callApplies(call.env, (applies) => applies.storePart(sent));
  if (stored.kind !== "stored") return stored;
  const detail = { act: "store_part", apply: id, part, parts, tenants: tenants.length };
  if (!dryRun && !(await recordAct(call, "PUT /admin/state", detail))) return UNAVAILABLE;
  return ok(toStateApply(stored));
}

export const getApply = defineRoute({
  method: "GET",
  path: "/admin/state/applies/:id",
  summary: "The progress of a document that is applied in parts",
  surface: "native",
  auth,
  params: PARAMS,
  reply: { status: 200, schema: StateApplyOutput },
  failures: ["not_found"],
  handle: async (call) => {
    const read = await callApplies(call.env, async (applies) => ({
      view: await applies.readApply(call.params.id),
    }));
    if ("kind" in read) return read;
    return read.view === null ? NO_APPLY : ok(toStateApply(read.view));
  },
});

export const listApplyTenants = defineRoute({
  method: "GET",
  path: "/admin/state/applies/:id/tenants",
  summary: "The outcome of each tenant of a document that is applied in parts",
  description: "By id. With `status=failed` those of which something failed.",
  surface: "native",
  auth,
  params: PARAMS,
  query: v.strictObject({ ...pageQuery, status: statusQuery }),
  reply: { status: 200, schema: listOf(ApplyTenantOutput) },
  failures: ["not_found"],
  handle: async (call) => {
    const { cursor, limit, status } = call.query;
    const place = cursor === undefined ? { id: "" } : readTenantCursor(cursor, ORDER);
    if (place === null) return NOT_A_CURSOR;
    const stage = status === undefined ? null : stageOf(status);
    const read = await callApplies(call.env, async (applies) => ({
      page: await applies.listTenants(call.params.id, { stage, after: place.id, limit }),
    }));
    if ("kind" in read) return read;
    if (read.page === null) return NO_APPLY;
    const { rows, more } = read.page;
    const last = rows.at(-1);
    const next =
      more && last !== undefined ? tenantCursor(ORDER, { amount: 0, id: last.tenant }) : null;
    return ok(list(rows.map(toApplyTenant), next));
  },
});

export const deleteApply = defineRoute({
  method: "DELETE",
  path: "/admin/state/applies/:id",
  summary: "Stop a document that is applied in parts",
  description:
    "What was done stays done, and what was just begun is finished. One that has ended stays as it is.",
  surface: "native",
  auth,
  params: PARAMS,
  reply: { status: 204, schema: v.null() },
  failures: ["not_found"],
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const stopped = await callApplies(call.env, async (applies) => ({
      there: await applies.cancel(id),
    }));
    if ("kind" in stopped) return stopped;
    if (!stopped.there) return NO_APPLY;
    const detail = { apply: id };
    return acted(detail, ok(null));
  },
});
