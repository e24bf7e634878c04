import type { Failure } from "../domain/failure.ts";
import type { Ok, Raw } from "./call.ts";
import { REASONS } from "./failure-status.ts";
import { toOpenAiError } from "./openai-error.ts";
import { type ErrorContext, toProblem } from "./problem.ts";
import type { ReplySpec, Surface } from "./route.ts";

// Outcomes as responses. The Workers AI surface's shape (Cloudflare's envelope) joins here.

export function failureResponse(
  surface: Surface,
  failure: Failure,
  context: ErrorContext,
): Response {
  const toError = surface === "openai" ? toOpenAiError : toProblem;
  const { status, headers, body } = toError(failure, context);
  return new Response(JSON.stringify(body), { status, headers });
}

const NO_SUCH_PATH: Failure = { kind: "not_found", what: "path" };

/**
 * A path that is not there, or not under that method: RFC 9110, 15.5.6 wants 405 with `Allow`.
 * The contract has no kind for it, so it stays `not_found`.
 */
export function noSuchPath(
  surface: Surface,
  allow: readonly string[],
  context: ErrorContext,
): Response {
  if (allow.length === 0) return failureResponse(surface, NO_SUCH_PATH, context);
  const detail = "This path does not take that method; see Allow.";
  const problem = toProblem(NO_SUCH_PATH, context);
  const openAi = toOpenAiError(NO_SUCH_PATH, context);
  const [headers, body] =
    surface === "openai"
      ? [openAi.headers, { error: { ...openAi.body.error, message: detail } }]
      : [problem.headers, { ...problem.body, title: REASONS[405], status: 405, detail }];
  return new Response(JSON.stringify(body), {
    status: 405,
    headers: { ...headers, Allow: allow.join(", ") },
  });
}

/** Statuses that forbid a body (RFC 9110, 15). */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

export function successResponse(outcome: Ok<unknown> | Raw, spec: ReplySpec): Response {
  if (outcome.kind === "raw") return outcome.response;
  const status = outcome.status ?? spec.status;
  if (EMPTY.has(status)) return new Response(null, { status, headers: { ...outcome.headers } });
  return new Response(JSON.stringify(outcome.body), {
    status,
    headers: { "Content-Type": spec.contentType ?? "application/json", ...outcome.headers },
  });
}

/** The headers that every reply has, and no body for HEAD. */
export function finish(
  response: Response,
  request: Request,
  extra: Readonly<Record<string, string>>,
): Response {
  const headers = new Headers(response.headers);
  // What a tenant reads is its own: nothing on the way keeps it, unless a route says otherwise.
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  for (const [name, value] of Object.entries(extra)) {
    // A reply may vary with more than what is said here.
    if (name === "Vary") headers.append(name, value);
    else headers.set(name, value);
  }
  const { status } = response;
  if (request.method !== "HEAD") return new Response(response.body, { status, headers });
  response.body?.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}
