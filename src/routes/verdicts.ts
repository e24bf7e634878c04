import * as v from "valibot";
import { CATEGORIES } from "../domain/moderation/category.ts";
import { DECISIONS, toExplained, toVerdict } from "../domain/moderation/verdict.ts";
import { ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { measuredContents } from "../moderation/content.ts";
import { moderationCall } from "../moderation/moderation-call.ts";
import { BODY_WEIGHT, MAX_BODY_BYTES, VerdictInput } from "../api/native/content.ts";
import { inOrder, list, listOf, name, pageAfterId, policyName, timeInput } from "../api/field.ts";
import { RevisionOutput, toRevision, VerdictOutput } from "../api/native/verdict.ts";
import {
  costHeaders,
  moderationDeps,
  toItsEnd,
  readContent,
  type VerdictBody,
} from "../edge/moderation-deps.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import {
  readTenant,
  objectCaller,
  type TenantRequest,
  GOVERNED,
  TENANT_READ,
} from "../edge/bindings.ts";

export const createVerdict = defineRoute({
  method: "POST",
  path: "/v1/verdicts",
  summary: "Moderate a text, pictures, or both",
  description: "200 whenever a verdict was stored, also when engines failed: read `coverage`.",
  surface: "native",
  admits: { kind: "moderation", route: "POST /v1/verdicts" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: VerdictInput, limitBytes: MAX_BODY_BYTES, weight: BODY_WEIGHT },
  reply: { status: 200, schema: VerdictOutput },
  failures: GOVERNED,
  handle: async (call) => {
    const content = readContent(call.body);
    if (content.kind === "invalid_request") return content;
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const moderated = await toItsEnd(
      call.ctx,
      moderationCall(moderationDeps(call), {
        callId: newId("jnl"),
        requestId: call.requestId,
        route: "POST /v1/verdicts",
        tenantId: call.caller.tenant,
        caller: objectCaller(call.caller),
        userId: call.body.user_id ?? null,
        policyName: call.body.policy ?? null,
        contents: [content.content],
        context: call.context,
        idempotency: read.idempotency,
      }),
    );
    if (moderated.kind !== "moderated") return moderated;
    const [verdict] = moderated.verdicts;
    if (verdict === undefined) return { kind: "settlement_unavailable" };
    return ok(toVerdict(verdict), { headers: costHeaders(moderated, call.config) });
  },
});

/** What a quote for such a call goes by. */
export function measureVerdict(body: VerdictBody) {
  const read = readContent(body);
  if (read.kind === "invalid_request") return read;
  const contents = measuredContents([read.content]);
  return { kind: "moderation" as const, policyName: body.policy ?? null, contents };
}

export const listVerdicts = defineRoute({
  method: "GET",
  path: "/v1/verdicts",
  mirror: "/admin/tenants/:tenant/verdicts",
  summary: "Verdicts, newest first",
  description:
    "A page looks at a bounded number of verdicts: it may hold fewer than `limit`, so go on while `has_more`.",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  query: v.pipe(
    v.strictObject({
      ...pageAfterId("vrd"),
      user_id: v.optional(name("Of this person.")),
      content_id: v.optional(name("Of this content.")),
      decision: v.optional(v.picklist(DECISIONS)),
      category: v.optional(v.picklist(CATEGORIES)),
      policy: v.optional(policyName),
      review: v.optional(v.picklist(["none", "open", "claimed", "done"])),
      batch_id: v.optional(name("Of this batch.")),
      from: v.optional(timeInput("Made at or after.")),
      to: v.optional(timeInput("Made before.")),
    }),
    inOrder(),
  ),
  reply: { status: 200, schema: listOf(VerdictOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { query: filter } = call;
    const query: TenantRequest<"listVerdicts"> = {
      before: filter.cursor ?? null,
      fromMs: filter.from ?? null,
      toMs: filter.to ?? null,
      userId: filter.user_id ?? null,
      contentId: filter.content_id ?? null,
      decision: filter.decision ?? null,
      category: filter.category ?? null,
      policy: filter.policy ?? null,
      review: filter.review ?? null,
      batchId: filter.batch_id ?? null,
      limit: filter.limit,
    };
    const page = await readTenant(call, (tenant, caller) => tenant.listVerdicts(caller, query));
    return page.kind === "verdicts" ? ok(list(page.verdicts.map(toExplained), page.next)) : page;
  },
});

const PARAMS = v.strictObject({ id: v.pipe(v.string(), v.description("`vrd_` and a ULID.")) });

export const getVerdict = defineRoute({
  method: "GET",
  path: "/v1/verdicts/:id",
  mirror: "/admin/tenants/:tenant/verdicts/:id",
  summary: "One verdict",
  surface: "native",
  auth: { kind: "key", roles: ["call", "review"] },
  params: PARAMS,
  reply: { status: 200, schema: VerdictOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readVerdict(caller, id));
    if (found.kind !== "verdict") return found;
    const shown = found.mayReview ? toExplained(found.verdict) : toVerdict(found.verdict);
    return ok(shown);
  },
});

export const listRevisions = defineRoute({
  method: "GET",
  path: "/v1/verdicts/:id/revisions",
  mirror: "/admin/tenants/:tenant/verdicts/:id/revisions",
  summary: "How a verdict came to be what it is, newest first",
  surface: "native",
  auth: { kind: "key", roles: ["call", "review"] },
  params: PARAMS,
  reply: { status: 200, schema: listOf(RevisionOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.listRevisions(caller, id));
    return found.kind === "revisions" ? ok(list(found.revisions.map(toRevision), null)) : found;
  },
});
