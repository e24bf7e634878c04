import type { Config } from "../config.ts";
import type { FailureKind } from "../domain/ledger/failure.ts";
import { usable } from "../domain/ledger/quota.ts";
import { textJudge } from "../engines/embedded/text-model.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import {
  type CacheMode,
  type Generation,
  generationCall,
  type GenerationCaller,
  type GenerationCallFailure,
  type GenerationDeps,
  type GenerationRequest,
} from "../generation/generation-call.ts";
import { CACHE_ENGINE } from "../generation/cached-run.ts";
import type { KeyCaller } from "../http/call.ts";
import { raw, type Raw } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { writtenBody } from "../http/written-body.ts";
import { callHeaders, openAiRateHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import { engineOf, recordInferences, objectCaller, tenantObject, GOVERNED } from "./bindings.ts";
import { toItsEnd } from "./moderation-deps.ts";
import { idempotencyOf } from "../http/call-labels.ts";

// Shared by the routes that generate.

/** Chat, embeddings and documents. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

export const GENERATED = [
  ...GOVERNED,
  "unsupported_parameter",
  "engine_unsupported",
  "upstream_rejected",
  "engine_failed",
  "engine_busy",
  "engine_timeout",
] as const satisfies readonly FailureKind[];

export interface GenerationRouteCall {
  readonly request: Request;
  readonly fingerprint: () => Promise<string>;
  readonly moreRoom: (bytes: number) => boolean | Promise<boolean>;
  readonly context: string | null;
  readonly caller: KeyCaller;
  readonly config: Config;
  readonly env: Env;
  readonly ctx: ExecutionContext;
  readonly requestId: string;
}

/** What a generation needs of this deployment. */
export const generationDeps = (call: {
  readonly config: Config;
  readonly env: Env;
  readonly caller: { readonly tenant: string };
  readonly ctx: Pick<ExecutionContext, "waitUntil">;
}): GenerationDeps => ({
  config: call.config,
  engine: engineOf(call.config, call.env),
  tenant: () => tenantObject(call.env, call.caller.tenant),
  judgeText: textJudge(call.env.ASSETS),
  cache: { store: call.env.CACHE, later: (work) => call.ctx.waitUntil(work) },
  observe: recordInferences(call.env, call.caller.tenant),
});

/** To its end, even when the client leaves. */
export const generate = <Kind extends GenerationKind>(
  call: GenerationRouteCall,
  request: GenerationRequest<Kind>,
): Promise<Generation | GenerationCallFailure> =>
  toItsEnd(call.ctx, generationCall(generationDeps(call), request));

const CACHE_MODES: readonly CacheMode[] = ["skip", "refresh"];

/** `x-neurogate-cache` of a request; anything else uses the cache as the tenant has set. */
function cacheModeOf({ headers }: Request): CacheMode {
  const said = headers.get("x-neurogate-cache")?.trim().toLowerCase();
  return CACHE_MODES.find((mode) => mode === said) ?? "use";
}

/** Whether an answer is to be cut to what is left of the day, rather than refused. */
export const fits = ({ headers }: Request): boolean =>
  headers.get("x-neurogate-fit")?.trim().toLowerCase() === "true";

/** `x-neurogate-compact`: whether the prompt is sent with fewer blanks; null: not said. */
export function compacts({ headers }: Request): boolean | null {
  const said = headers.get("x-neurogate-compact")?.trim().toLowerCase();
  if (said === "true") return true;
  return said === "false" ? false : null;
}

/** Who calls, and under which names; a wrong name is the caller's mistake. */
export async function callerOf(
  call: GenerationRouteCall,
  route: string,
  userId: string | null,
): Promise<
  | { readonly kind: "read"; readonly who: GenerationCaller & { readonly fit: boolean } }
  | Exclude<Awaited<ReturnType<typeof idempotencyOf>>, { kind: "read" }>
> {
  const read = await idempotencyOf(call);
  if (read.kind !== "read") return read;
  const who = {
    callId: newId("jnl"),
    requestId: call.requestId,
    route,
    caller: objectCaller(call.caller),
    userId,
    context: call.context,
    idempotency: read.idempotency,
    fit: fits(call.request),
    cacheMode: cacheModeOf(call.request),
  };
  return { kind: "read", who };
}

/**
 * What was made, with OpenAI's headers and ours.
 *
 * @param taken headers that say what was asked for and done otherwise
 */
export function openAiReply(
  generation: Generation,
  config: Config,
  startedMs: number,
  taken: Readonly<Record<string, string>> = {},
): Raw {
  const { standing } = generation;
  return renderedReply(generation, config, {
    ...taken,
    ...(standing !== null && openAiRateHeaders(standing.rates, standing.nowMs)),
    "openai-processing-ms": String(Date.now() - startedMs),
  });
}

/** What was made, with our headers. A long reply holds its memory until it was read. */
export function renderedReply(
  generation: Generation,
  config: Config,
  more: Readonly<Record<string, string>> = {},
): Raw {
  const { contentType, body, pieces } = generation.rendered;
  const headers = {
    "Content-Type": contentType,
    ...generationHeaders(generation, config),
    ...more,
  };
  if (pieces === undefined) return raw(new Response(body, { headers }));
  const long = writtenBody(pieces);
  return raw(new Response(long.body, { headers }), long.written, long);
}

/** The headers of every reply that was generated. */
export const generationHeaders = (
  made: Omit<Generation, "kind" | "callId" | "rendered">,
  config: Config,
): Record<string, string> => {
  const { microNeurons, standing, replayed, maxTokens, clamped, cache } = made;
  return {
    ...callHeaders({
      microNeurons,
      ...(standing !== null && { available: usable(standing.neurons) }),
      engine: cache === "hit" ? CACHE_ENGINE : config.inference,
      ...(cache !== undefined && { cache }),
      ...(clamped && maxTokens !== null && { clampedMaxTokens: maxTokens }),
      replayed,
    }),
    ...(standing !== null && rateLimitHeaders(standing)),
  };
};
