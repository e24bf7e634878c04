import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { AccessConfig } from "../config.ts";
import { logError } from "./request-log.ts";

// A person or a service that Cloudflare Access has let in. Access adds a signed token to every request
// that it passes on:
// https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
//
// Only the header is read, never the cookie with the same content, since a browser adds cookies to the
// requests of any page. But Access makes the header from that cookie, so a request from another site's
// page has the header too: `isFromElsewhere` keeps such requests out of everything that changes
// something.

export const ACCESS_HEADER = "Cf-Access-Jwt-Assertion";

/** Tokens of Access have about 1,000 characters; a much longer one is refused unread. */
const MAX_TOKEN_CHARS = 8192;

/** Clocks of Cloudflare's machines agree to within a second. */
const CLOCK_TOLERANCE_S = 5;

/** The key server is Cloudflare's own and near. */
const KEYS_TIMEOUT_MS = 3000;

/** How long keys are kept: Access accepts the old ones for a week after it has made new ones. */
const KEYS_MAX_AGE_MS = 600_000;

/** For a token of an unknown key they are read again, but not more often than this. */
const KEYS_COOLDOWN_MS = 30_000;

/** For so long after a failure nobody waits for the key server: tokens are refused at once. */
const FAILURE_COOLDOWN_MS = 5000;

/** Two or three keys have 4 KB. */
const MAX_KEYS_BYTES = 65_536;

/** The longest address is 254 characters, a service token's client id about 40. */
const ACTOR = /^[\x21-\x7e\u00a0-\uffff]{1,254}$/;

export type AccessOutcome =
  | { readonly kind: "person"; readonly name: string }
  | { readonly kind: "refused" }
  /** The keys could not be read, so the token could not be checked and is not accepted. */
  | { readonly kind: "unavailable" };

const REFUSED: AccessOutcome = { kind: "refused" };

/** The name in a valid token: an email address, or a service token's client id. */
export async function verifyAccessToken(
  token: string,
  { issuer, audiences }: AccessConfig,
): Promise<AccessOutcome> {
  if (token.length > MAX_TOKEN_CHARS) return REFUSED;
  try {
    const { payload } = await jwtVerify(token, keysOf(issuer), {
      algorithms: ["RS256"],
      issuer,
      audience: [...audiences],
      clockTolerance: CLOCK_TOLERANCE_S,
      requiredClaims: ["exp"],
    });
    const name = payload["email"] ?? payload["common_name"];
    return typeof name === "string" && ACTOR.test(name) ? { kind: "person", name } : REFUSED;
  } catch (error) {
    return isAboutToken(error) ? REFUSED : { kind: "unavailable" };
  }
}

/** Errors of jose about a token; for the key server it throws `JOSEError` itself, or other errors. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWTClaimValidationFailed ||
  error instanceof errors.JWTExpired ||
  error instanceof errors.JWTInvalid ||
  error instanceof errors.JWSInvalid ||
  error instanceof errors.JWSSignatureVerificationFailed ||
  error instanceof errors.JOSEAlgNotAllowed ||
  error instanceof errors.JOSENotSupported ||
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys;

/**
 * Whether a browser sent this for the page of another site. Requests of our own pages have headers that
 * say so; requests without a browser have no such headers.
 */
export function isFromElsewhere({ headers, url }: Request): boolean {
  const origin = headers.get("Origin");
  const site = headers.get("Sec-Fetch-Site");
  if (origin !== null && origin !== new URL(url).origin) return true;
  return site !== null && site !== "same-origin" && site !== "none";
}

/** A deployment has one issuer. */
let cached: { readonly issuer: string; readonly keys: JWTVerifyGetKey } | null = null;

function keysOf(issuer: string): JWTVerifyGetKey {
  if (cached?.issuer === issuer) return cached.keys;
  const url = new URL(`${issuer}/cdn-cgi/access/certs`);
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: KEYS_TIMEOUT_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    [customFetch]: guardedFetch(),
  });
  cached = { issuer, keys };
  return keys;
}

/** Does not call a server that has just failed, and limits the size of a reply. */
function guardedFetch(): typeof fetch {
  let failedAtMs = -FAILURE_COOLDOWN_MS;
  return async (input, init) => {
    if (Date.now() < failedAtMs + FAILURE_COOLDOWN_MS) {
      throw new Error("the key server has just failed");
    }
    try {
      const response = await fetch(input, init);
      if (response.status !== 200) throw new Error("the key server gave no keys");
      return new Response(await readBounded(response));
    } catch (error) {
      failedAtMs = Date.now();
      logError({ level: "error", event: "access_keys_unavailable" });
      throw error;
    }
  };
}

async function readBounded({ body }: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_KEYS_BYTES) throw new Error("the key set is too large");
  }
  return text;
}
