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
