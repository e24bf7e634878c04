import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { AccessConfig } from "../config.ts";
import { logError } from "./request-log.ts";

// A person or a service whom Cloudflare Access has let in. Access puts a signed token on every
// request that it passes on:
// https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/
//
// Only its header is read, never the cookie of the same content: a browser sends cookies wherever a
// page sends it. But Access makes the header out of that cookie, so a request that another site's
// page has sent carries it too: `isFromElsewhere` keeps those out of everything that changes
// something.

export const ACCESS_HEADER = "Cf-Access-Jwt-Assertion";

/** Those of Access have about 1,000 characters; anything far above is not worth a look. */
const MAX_TOKEN_CHARS = 8192;

/** Clocks of Cloudflare's machines agree to within a second. */
const CLOCK_TOLERANCE_S = 5;

/** The key server is Cloudflare's own, next door. */
const KEYS_TIMEOUT_MS = 3000;

/** Keys are kept so long: Access goes on with the last ones for a week after it has made new ones. */
const KEYS_MAX_AGE_MS = 600_000;

/** A token of an unknown key has them read anew, but not more often than this. */
const KEYS_COOLDOWN_MS = 30_000;

/** After a failure nobody waits for the key server for so long: tokens are refused at once. */
const FAILURE_COOLDOWN_MS = 5000;

/** Two or three keys have 4 KB. */
const MAX_KEYS_BYTES = 65_536;

/** The longest address is 254 characters, a service token's client id about 40. */
const ACTOR = /^[\x21-\x7e\u00a0-\uffff]{1,254}$/;

export type AccessOutcome =
  | { readonly kind: "person"; readonly name: string }
  | { readonly kind: "refused" }
  /** The keys could not be had: whether the token is good is not known, so it opens nothing. */
  | { readonly kind: "unavailable" };

const REFUSED: AccessOutcome = { kind: "refused" };

/** Who the token says that it is: an address, or a service token's client id. */
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

/** What jose says of a token; of the key server it throws `JOSEError` itself, or others' errors. */
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
 * Whether a browser sent this for the page of another site. The request of a page of our own says
 * so; one that no browser sent says nothing.
 */
export function isFromElsewhere({ headers, url }: Request): boolean {
  const origin = headers.get("Origin");
  const site = headers.get("Sec-Fetch-Site");
  if (origin !== null && origin !== new URL(url).origin) return true;
  return site !== null && site !== "same-origin" && site !== "none";
}

/** A deployment has one issuer. */
let known: { readonly issuer: string; readonly keys: JWTVerifyGetKey } | null = null;

function keysOf(issuer: string): JWTVerifyGetKey {
  if (known?.issuer === issuer) return known.keys;
  const url = new URL(`${issuer}/cdn-cgi/access/certs`);
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: KEYS_TIMEOUT_MS,
    cacheMaxAge: KEYS_MAX_AGE_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    [customFetch]: guardedFetch(),
  });
  known = { issuer, keys };
  return keys;
}

/** One that gives a failing server a rest, and takes no more than a key set can be. */
function guardedFetch(): typeof fetch {
  let failedAtMs = -FAILURE_COOLDOWN_MS;
  return async (input, init) => {
    if (Date.now() < failedAtMs + FAILURE_COOLDOWN_MS) throw new Error("the key server rests");
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
    if (text.length > MAX_KEYS_BYTES) throw new Error("more than a key set can be");
  }
  return text;
}
