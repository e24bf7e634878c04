import type { Failure } from "../domain/ledger/failure.ts";
import type { Ok, Raw } from "./call.ts";
import { toOpenAiError } from "./openai-error.ts";
import { toPerspectiveError } from "./perspective-error.ts";
import { type ErrorContext, type ErrorReply, toProblem } from "./problem.ts";
import type { ReplySpec, Surface } from "./route.ts";
import { toWorkersAiError } from "./workers-ai-error.ts";

// Makes responses of outcomes.

type ToError = (failure: Failure, context: ErrorContext) => ErrorReply<object>;

const ERRORS: Readonly<Record<Surface, ToError>> = {
  native: toProblem,
  openai: toOpenAiError,
  "workers-ai": toWorkersAiError,
  perspective: toPerspectiveError,
};

export function failureResponse(
  surface: Surface,
  failure: Failure,
  context: ErrorContext,
): Response {
  const { status, headers, body } = ERRORS[surface](failure, context);
  return new Response(JSON.stringify(body), { status, headers });
}

/** Statuses that forbid a body (RFC 9110, 15). */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

export function successResponse(outcome: Ok<unknown> | Raw, spec: ReplySpec): Response {
  if (outcome.kind === "raw") return new Response(outcome.response.body, outcome.response);
  const status = outcome.status ?? spec.status;
  if (EMPTY.has(status)) return new Response(null, { status, headers: { ...outcome.headers } });
  return new Response(JSON.stringify(outcome.body), {
    status,
    headers: { "Content-Type": spec.contentType ?? "application/json", ...outcome.headers },
  });
}

const INERT = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * Sets the headers that every reply has, and removes the body for HEAD. They are set in place: a second
 * `Response` around the first one's body would cost more than the first did.
 *
 * @param response one that was made here: the headers of a response of `fetch` cannot be set
 */
export function finish(
  response: Response,
  request: Request,
  extra: Readonly<Record<string, string>>,
): Response {
  const { headers, status } = response;
  // A reply is the tenant's own: no cache may keep it, unless a route says otherwise.
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  // Only a route with its own policy answers with a page: any other reply can do nothing as a page.
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", INERT);
  for (const [name, value] of Object.entries(extra)) {
    // A reply may have a Vary of its own.
    if (name === "Vary") headers.append(name, value);
    else headers.set(name, value);
  }
  if (request.method !== "HEAD") return response;
  response.body?.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}
