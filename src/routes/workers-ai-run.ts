import type { Config } from "../config.ts";
import { type ResolvedModel, resolveModel } from "../domain/catalogue/catalogue.ts";
import type { EngineFailure } from "../domain/ledger/failure.ts";
import { sha256Hex, utf8 } from "../http/call-labels.ts";
import { defineRoute } from "../http/route.ts";
import { plainModel } from "../api/openai/drop-in.ts";
import { Envelope, readRunBody, RunInput } from "../api/workers-ai/envelope.ts";
import { callerOf, GENERATED } from "../edge/generation-deps.ts";
import { jsonLimitOf, runTaskOf } from "./run-tasks.ts";

/** The longest that any task takes: sounds, and pictures as numbers. */
const MAX_RUN_BYTES = 25 * 1024 * 1024;

/** What some models answer with as it is, and streams. */
const BARE = ["image/png", "image/jpeg", "audio/mpeg", "audio/wav", "text/event-stream"];

export const NO_TASK = {
  kind: "engine_unsupported",
  detail: "Models of that task are not run here.",
} as const satisfies EngineFailure;

export const runModelRoute = defineRoute({
  method: "POST",
  path: "/client/v4/accounts/:account/ai/run/:model+",
  summary: "Cloudflare's Workers AI endpoint",
  description:
    "The account is the tenant. The model stands in the path as `@cf/a/b`, with its slashes as they are or as `%2F`.",
  surface: "workers-ai",
  admits: { kind: "generation", route: "POST /ai/run" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: RunInput, limitBytes: MAX_RUN_BYTES, as: "unread" },
  reply: { status: 200, schema: Envelope, otherTypes: BARE },
  failures: GENERATED,
  handle: async (call) => {
    const model = plainModel(call.params.model);
    const contentType = call.request.headers.get("content-type");
    const body = readRunBody(call.rawBody, { contentType, maxJsonBytes: jsonLimitOf(model) });
    if (body.kind !== "json" && body.kind !== "bytes") return body;
    const task = runTaskOf(model, body);
    if (task === null) return withoutTask(model, call.config);
    const read = await callerOf(named(model, call), "POST /ai/run", null);
    if (read.kind !== "read") return read;
    return task({ call, who: read.who, model, body });
  },
});

/** For an idempotency key the model is a part of what is asked, though not of the body. */
const named = <Of extends { readonly fingerprint: () => Promise<string> }>(
  model: string,
  call: Of,
): Of => ({
  ...call,
  fingerprint: async () => sha256Hex(utf8(`${model}\n${await call.fingerprint()}`)),
});

/** Why a model is not run that has no task here. */
function withoutTask(
  model: string,
  { workersPlan, prices }: Config,
): Exclude<ResolvedModel, { kind: "found" }> | EngineFailure {
  const resolved = resolveModel(model, { workersPlan, prices });
  return resolved.kind === "found" ? NO_TASK : resolved;
}
