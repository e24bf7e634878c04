import * as v from "valibot";
import { toExplained } from "../domain/moderation/verdict.ts";
import { idempotencyOf } from "../http/call-labels.ts";
import { acted, ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import { ClaimInput, ReviewInput, VerdictOutput } from "../api/native/verdict.ts";
import { writeTenant, TENANT_READ } from "../edge/bindings.ts";

// Reviews of verdicts by people. The queue is `GET /v1/verdicts?review=open`.

const LIMIT_BYTES = 8192;

export const reviewVerdict = defineRoute({
  method: "POST",
  path: "/v1/verdicts/:id/review",
  mirror: "/admin/tenants/:tenant/verdicts/:id/review",
  summary: "Open a verdict for review, claim it, or decide it",
  description:
    "A claim lasts 15 minutes. A decision is the next revision of the verdict, is sent to endpoints as `moderation.review`, and names the revision that was looked at.",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`vrd_` and a ULID.")) }),
  body: { schema: ReviewInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: VerdictOutput },
  failures: [...TENANT_READ, "review_conflict"],
  audit: "act",
  handle: async (call) => {
    const request = { id: call.params.id, act: call.body };
    const reviewed = await writeTenant(call, (tenant, caller) =>
      tenant.reviewVerdict(caller, request),
    );
    if (reviewed.kind !== "reviewed") return reviewed;
    const detail = { verdict: call.params.id, state: call.body.state };
    return acted(detail, ok(toExplained(reviewed.verdict)));
  },
});

export const claimVerdicts = defineRoute({
  method: "POST",
  path: "/v1/verdicts/claim",
  mirror: "/admin/tenants/:tenant/verdicts/claim",
  summary: "Claim the oldest verdicts that are open for review",
  description:
    "A claim lasts 15 minutes. A repeat with the same `Idempotency-Key` gets the same verdicts, as they are by then.",
  surface: "native",
  auth: { kind: "key", roles: ["review"] },
  body: { schema: ClaimInput, limitBytes: LIMIT_BYTES, optional: true },
  reply: { status: 200, schema: listOf(VerdictOutput) },
  failures: [...TENANT_READ, "idempotency_key_reused"],
  audit: "act",
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { limit } = call.body;
    const { idempotency } = read;
    const request = { route: "POST /v1/verdicts/claim", limit, idempotency };
    const claimed = await writeTenant(call, (tenant, caller) =>
      tenant.claimVerdicts(caller, request),
    );
    if (claimed.kind !== "verdicts") return claimed;
    const detail = { verdicts: claimed.verdicts.length };
    return acted(detail, ok(list(claimed.verdicts.map(toExplained), null)));
  },
});
