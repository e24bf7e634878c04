import type { AuditDetail } from "../domain/account/audit-entry.ts";
import type { Failure } from "../domain/ledger/failure.ts";
import { toOpenAiError } from "./openai-error.ts";
import { toPerspectiveError } from "./perspective-error.ts";
import { type ErrorContext, type ErrorReply, toProblem } from "./problem.ts";
import type { ReplySpec, Surface } from "./route.ts";
import { toWorkersAiError } from "./workers-ai-error.ts";
import type { Reader } from "./written-body.ts";

// What a route's handler returns, and the responses that are made of it.

export interface Ok<T> {
  readonly kind: "ok";
  readonly body: T;
  /** The reply's declared status when absent. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A stream or a file: sent as it is, with the headers that every reply has. */
export interface Raw {
  readonly kind: "raw";
  readonly response: Response;
  /** For a stream: resolves when its call has ended completely. Never rejects. */
  readonly running?: Promise<void>;
  /** For a reply whose memory is counted until it was read: a slow reader gives way to others. */
  readonly reader?: Reader;
}

/**
 * An act that was done, on a route that says `audit: "act"`. If the platform did it, the runner records
 * it, and only then makes the reply; without a record the reply is `unavailable`.
 */
export interface Acted<Reply> {
  readonly kind: "acted";
  readonly detail: AuditDetail;
  readonly reply: () => Reply | Promise<Reply>;
}

/** @param reply a function, where something is still to be done after the act was recorded */
export const acted = <const Reply extends { readonly kind: string }>(
  detail: AuditDetail,
  reply: Reply | (() => Promise<Reply>),
): Acted<Reply> => ({
  kind: "acted",
  detail,
  reply: typeof reply === "function" ? reply : () => reply,
});

/** Keeps literals: `ok({ object: "list" })` is an `Ok` of just that. */
export const ok = <const T>(body: T, extra: Omit<Ok<T>, "kind" | "body"> = {}): Ok<T> => ({
  kind: "ok",
  body,
  ...extra,
});

export const raw = (response: Response, running?: Promise<void>, reader?: Reader): Raw => ({
  kind: "raw",
  response,
  ...(running !== undefined && { running }),
  ...(reader !== undefined && { reader }),
});

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

// Calls from browsers, for the origins that CORS_ORIGINS lists; without it this adds nothing.
// Pages of any site may call the routes with `cors: "any"`, with a key of role `score` and no other.
// Keys are in a header and no cookie is ever read, so credentials are never allowed.

/** The headers of a reply that a page may read, beside those that every page may. */
const EXPOSED = [
  "x-request-id",
  "x-should-retry",
  "retry-after",
  "retry-after-ms",
  "ratelimit",
  "ratelimit-policy",
  "x-ratelimit-limit-requests",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-reset-requests",
  "x-neurogate-engine",
  "x-neurogate-micro-neurons",
  "x-neurogate-available-micro-neurons",
  "x-neurogate-cache",
  "x-neurogate-clamped-max-tokens",
  "x-neurogate-reasoning-effort",
  "x-neurogate-store",
  "idempotency-replayed",
].join(", ");

/** How long a browser may remember a preflight: short, since CORS_ORIGINS may change. */
const MAX_AGE_S = 600;

/** The official clients send a dozen `x-stainless-*` headers, so names are not listed here. */
const HEADER_NAMES = /^[\w-]+(?:\s*,\s*[\w-]+)*$/;
const MAX_HEADER_NAMES_CHARS = 2000;

type Origins = readonly string[];

function allowedOrigin(request: Request, origins: Origins): string | null {
  if (origins.includes("*")) return "*";
  const origin = request.headers.get("origin");
  return origin !== null && origins.includes(origin) ? origin : null;
}

export const isAllowedOrigin = (request: Request, origins: Origins): boolean =>
  allowedOrigin(request, origins) !== null;

export function corsHeaders(request: Request, origins: Origins): Record<string, string> {
  if (origins.length === 0) return {};
  const origin = allowedOrigin(request, origins);
  if (origin === null) return { Vary: "Origin" };
  return {
    Vary: "Origin",
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Expose-Headers": EXPOSED,
  };
}

/** The answer to a preflight; null when this is no preflight, or from an origin that is not allowed. */
export function preflight(
  request: Request,
  origins: Origins,
  methods: readonly string[],
): Response | null {
  const asks = request.method === "OPTIONS" && request.headers.has("access-control-request-method");
  if (!asks || methods.length === 0 || allowedOrigin(request, origins) === null) return null;
  const names = request.headers.get("access-control-request-headers") ?? "";
  const safe = names.length <= MAX_HEADER_NAMES_CHARS && HEADER_NAMES.test(names);
  return new Response(null, {
    status: 204,
    headers: {
      "Access-Control-Allow-Methods": methods.join(", "),
      ...(safe && { "Access-Control-Allow-Headers": names }),
      "Access-Control-Max-Age": String(MAX_AGE_S),
    },
  });
}
