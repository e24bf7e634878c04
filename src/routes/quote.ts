import type { FieldError } from "../domain/ledger/failure.ts";
import { ok } from "../http/reply.ts";
import { mendBody, parseWith } from "../http/parse-call.ts";
import type { BodyFailure } from "../http/read-body.ts";
import { defineRoute } from "../http/route.ts";
import { QuoteInput, QuoteOutput, toQuote } from "../api/native/quote.ts";
import { MAX_BODY_BYTES } from "../api/native/content.ts";
import { type MeasuredCall, MISREAD } from "./measured-call.ts";
import { type Measured, QUOTABLE_PATHS, quotableAt } from "./quotable.ts";
import { fits, type GenerationRouteCall } from "../edge/generation-deps.ts";
import { invalid } from "../http/field-errors.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";

/** Why a call cannot be planned for this tenant. */
const UNPLANNED = ["model_not_allowed", "model_retired", "unpriced_model"] as const;

export const createQuote = defineRoute({
  method: "POST",
  path: "/v1/quote",
  summary: "What a call would cost: read and measured as the call itself, and not made",
  description:
    "Nothing is held and nothing is charged. No rate is taken, but for the history of a response: to read it takes a unit of `requests`. " +
    `For ${QUOTABLE_PATHS.join(", ")}; \`x-neurogate-fit\` and \`x-neurogate-compact\` count as they would there.`,
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  body: { schema: QuoteInput, limitBytes: MAX_BODY_BYTES },
  reply: { status: 200, schema: QuoteOutput },
  failures: [...TENANT_READ, ...MISREAD, ...UNPLANNED, "over_limit", "rate_limited"],
  handle: async (call) => {
    const { path } = call.body;
    const measured = await measureAt(path, call.body.body, call);
    if (!isMeasured(measured)) return measured;
    const fit = fits(call.request);
    const quoted = await readTenant(call, (tenant, caller) =>
      tenant.quote(caller, measured.kind === "generation" ? { ...measured, fit } : measured),
    );
    if (quoted.kind === "quoted") return ok(toQuote(quoted, path));
    return quoted.kind === "invalid_request" ? underBody(quoted.errors) : quoted;
  },
});

const isMeasured = (measured: Measured | BodyFailure): measured is MeasuredCall =>
  measured.kind === "generation" || measured.kind === "moderation";

async function measureAt(
  path: string,
  body: unknown,
  by: GenerationRouteCall,
): Promise<Measured | BodyFailure> {
  const quotable = quotableAt(path);
  if (quotable === null) return invalid(["path"], `must be one of ${QUOTABLE_PATHS.join(", ")}`);
  const { limitBytes } = quotable.body;
  const bytes = new TextEncoder().encode(JSON.stringify(body ?? null)).length;
  if (bytes > limitBytes) return { kind: "body_too_large", limitBytes };
  const mended = mendBody(quotable.body, body);
  const parsed = mended.kind === "parsed" ? parseWith(quotable.schema, mended.value) : mended;
  if (parsed.kind !== "parsed") {
    return parsed.kind === "invalid_request" ? underBody(parsed.errors) : parsed;
  }
  const measured = await quotable.ask(parsed.value, by);
  return measured.kind === "invalid_request" ? underBody(measured.errors) : measured;
}

/** Fields of the body that was sent within ours. */
const underBody = (errors: readonly FieldError[]) => ({
  kind: "invalid_request" as const,
  errors: errors.map(({ path, detail }) => ({ path: ["body", ...path], detail })),
});
