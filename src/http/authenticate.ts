import type { Config } from "../config.ts";
import type { AccessFailure, LookupFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import type { KeyCaller, LinkCaller, PlatformCaller } from "./call.ts";
import { ACCESS_HEADER, isFromElsewhere, verifyAccessToken } from "./access-token.ts";
import { isAllowedOrigin } from "./cors.ts";
import { googleKey } from "./google-key.ts";
import { verifyAdminToken, verifyKey } from "./key-format.ts";
import type { Auth } from "./route.ts";
import { isLink, readLink } from "./signed-link.ts";

// Finds the caller from the key alone, without a call to an object. Every refusal is the same failure, so
// that a stranger learns nothing from it.

export const KEY_HEADER = "x-api-key";

const BEARER = /^Bearer +(\S+)$/i;

/** The header in which clients of other providers send a key. A bearer token takes precedence. */
const namedKey = (headers: Headers): string | undefined => headers.get(KEY_HEADER)?.trim();

type InvalidKey = Extract<AccessFailure, { kind: "invalid_key" }>;

export const INVALID_KEY: InvalidKey = { kind: "invalid_key" };

/** Not known: the service that would check the caller does not answer. */
type Unknown = Extract<ServiceFailure, { kind: "unavailable" }>;

export async function authenticate(
  request: Request,
  auth: Auth,
  config: Config,
): Promise<KeyCaller | PlatformCaller | LinkCaller | null | InvalidKey | NoSuchLink | Unknown> {
  if (auth.kind === "none") return null;
  const { headers, url } = request;
  if (auth.kind === "key" && auth.orLink !== undefined && !headers.has("authorization")) {
    const link = new URL(url);
    if (isLink(link)) return byLink(link, auth.orLink, config);
  }
  if (auth.kind === "platform" && !headers.has("authorization")) return byAccess(request, config);
  if (auth.kind === "key" && auth.asGoogle === true) {
    return byGoogleKey(request, auth.roles, config);
  }
  const bearer = BEARER.exec(headers.get("authorization")?.trim() ?? "")?.[1];
  const token = bearer ?? (auth.kind === "key" ? namedKey(headers) : undefined);
  if (token === undefined) return INVALID_KEY;
  if (auth.kind === "platform") {
    const valid = await verifyAdminToken(token, config);
    return valid ? { kind: "platform", actor: "admin_token" } : INVALID_KEY;
  }
  const key = await verifyKey(token, config.keySecrets);
  return key === null ? INVALID_KEY : { kind: "key", ...key, roles: auth.roles };
}

/**
 * A key as Google's clients send it. A key in an address gets into logs and histories, and anybody can read
 * a key in the page of another site: for both the tenant's object takes only a key of role `score`.
 */
async function byGoogleKey(
  request: Request,
  roles: KeyCaller["roles"],
  config: Config,
): Promise<KeyCaller | InvalidKey> {
  const sent = googleKey(request);
  if (sent === null) return { kind: "invalid_key", why: "missing" };
  const key = await verifyKey(sent.key, config.keySecrets);
  if (key === null) return INVALID_KEY;
  const isOfPage = isFromElsewhere(request) && !isAllowedOrigin(request, config.corsOrigins);
  const scoreOnly = sent.inQuery || isOfPage;
  return { kind: "key", ...key, roles, ...(scoreOnly && { scoreOnly: true }) };
}

/** Methods that change nothing. Only our own pages can read their replies. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * Authenticates by the token of Cloudflare Access, where there is no admin token. For a request with
 * `Authorization` that header alone counts: no other credential makes up for a wrong one, and the admin
 * token works while Access is out of order.
 */
async function byAccess(
  request: Request,
  { access }: Config,
): Promise<PlatformCaller | InvalidKey | Unknown> {
  const token = request.headers.get(ACCESS_HEADER);
  if (access === null || token === null) return INVALID_KEY;
  if (!SAFE.has(request.method) && isFromElsewhere(request)) return INVALID_KEY;
  const outcome = await verifyAccessToken(token, access);
  if (outcome.kind === "unavailable") return outcome;
  if (outcome.kind === "refused") return INVALID_KEY;
  return { kind: "platform", actor: `access:${outcome.name}` };
}

type NoSuchLink = Extract<LookupFailure, { kind: "not_found" }>;

/** A link that is forged, that has expired, or whose target is gone gets the same reply. */
async function byLink(url: URL, what: string, config: Config): Promise<LinkCaller | NoSuchLink> {
  const claim = await readLink(url, config.keySecrets, Date.now());
  if (claim === null) return { kind: "not_found", what };
  const { tenant, generation, expiresAtS } = claim;
  return { kind: "link", tenant, generation, expiresAtS };
}
