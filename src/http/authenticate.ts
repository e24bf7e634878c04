import type { Config } from "../config.ts";
import type { AccessFailure, LookupFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import { ACCESS_HEADER, isFromElsewhere, verifyAccessToken } from "./access-token.ts";
import type { KeyCaller, LinkCaller, PlatformCaller } from "./call.ts";
import { isAllowedOrigin } from "./reply.ts";
import { shaped } from "./field-errors.ts";
import { sha256Hex, utf8 } from "./call-labels.ts";
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

// A tenant key is `ng_<tenant>_<secret><checksum>`. The checksum is an HMAC by a server secret over
// tenant and secret, so a forged or mistyped key is refused here, before any Durable Object is called:
// nobody can create objects for tenants that do not exist. Only the tenant's object knows whether a key
// is still valid, and its role; it keeps the secret's hash.

export const TENANT_ID = shaped(
  /^[a-z0-9][a-z0-9-]{0,38}$/,
  "must be a tenant id: lower-case letters, digits and hyphens, at most 39",
);

/** 62^32 is 190 bits. */
const SECRET_CHARS = 32;
/** 62^11 is a little more than 2^64: the checksum's first 64 bits, always this many characters. */
const CHECKSUM_CHARS = 11;
/** The longest key has 86; a much longer text is refused without a hash. */
const MAX_KEY_CHARS = 200;
/** How much of the secret lists show, so that people can tell keys apart. */
const PREFIX_CHARS = 4;

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The largest multiple of 62 in a byte. Bytes above are drawn again, or 0 to 7 would be more frequent. */
const UNBIASED_BELOW = 248;

const KEY = new RegExp(
  `^ng_([a-z0-9][a-z0-9-]{0,38})_([0-9A-Za-z]{${SECRET_CHARS}})([0-9A-Za-z]{${CHECKSUM_CHARS}})$`,
);

export interface IssuedKey {
  /** Shown once, stored nowhere. */
  readonly key: string;
  readonly secretHash: string;
  readonly prefix: string;
}

export interface VerifiedKey {
  readonly tenant: string;
  readonly secretHash: string;
}

function randomSecret(): string {
  let secret = "";
  while (secret.length < SECRET_CHARS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(SECRET_CHARS))) {
      if (byte < UNBIASED_BELOW && secret.length < SECRET_CHARS) secret += BASE62.charAt(byte % 62);
    }
  }
  return secret;
}

function base62(value: bigint): string {
  let text = "";
  for (let rest = value; rest > 0n; rest /= 62n) text = BASE62.charAt(Number(rest % 62n)) + text;
  return text.padStart(CHECKSUM_CHARS, "0");
}

/** A deployment has a few secrets at most; to import one costs more than to sign with it. */
const importedKeys = new Map<string, CryptoKey>();

async function hmacKey(serverSecret: string): Promise<CryptoKey> {
  const known = importedKeys.get(serverSecret);
  if (known !== undefined) return known;
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8(serverSecret), hmac, false, ["sign"]);
  importedKeys.set(serverSecret, key);
  return key;
}

async function checksum(serverSecret: string, tenant: string, secret: string): Promise<string> {
  const key = await hmacKey(serverSecret);
  // A tenant id has no underscore, so no two pairs make the same text.
  const mac = await crypto.subtle.sign("HMAC", key, utf8(`neurogate-key:${tenant}_${secret}`));
  return base62(new DataView(mac).getBigUint64(0));
}

/** The hash that the tenant's object keeps of a key. The prefix separates it from every other hash here. */
const hashOf = (secret: string): Promise<string> => sha256Hex(utf8(`neurogate-secret:${secret}`));

/** @param secrets `config.keySecrets`: the first signs. */
export async function issueKey(tenant: string, secrets: readonly string[]): Promise<IssuedKey> {
  const [signing] = secrets;
  if (signing === undefined || !TENANT_ID.test(tenant)) {
    throw new RangeError("a key needs a tenant id and a server secret");
  }
  const secret = randomSecret();
  return {
    key: `ng_${tenant}_${secret}${await checksum(signing, tenant, secret)}`,
    secretHash: await hashOf(secret),
    prefix: secret.slice(0, PREFIX_CHARS),
  };
}

/** Null for anything that this deployment did not issue. Every secret is tried, match or not. */
export async function verifyKey(
  text: string,
  secrets: readonly string[],
): Promise<VerifiedKey | null> {
  const parts = text.length > MAX_KEY_CHARS ? null : KEY.exec(text);
  if (parts === null) return null;
  const [, tenant = "", secret = "", given = ""] = parts;
  const matches = await Promise.all(
    secrets.map(async (serverSecret) => {
      const expected = await checksum(serverSecret, tenant, secret);
      return crypto.subtle.timingSafeEqual(utf8(expected), utf8(given));
    }),
  );
  return matches.includes(true) ? { tenant, secretHash: await hashOf(secret) } : null;
}

/** Whether two texts are equal, in a time that depends on neither: their digests are compared. */
async function equalInConstantTime(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([
    crypto.subtle.digest("SHA-256", utf8(a)),
    crypto.subtle.digest("SHA-256", utf8(b)),
  ]);
  return crypto.subtle.timingSafeEqual(digestA, digestB);
}

export const verifyAdminToken = (
  text: string,
  config: Pick<Config, "adminToken">,
): Promise<boolean> => equalInConstantTime(text, config.adminToken);

// Where a key of the Perspective surface may be: as a bearer token, in Google's header, in the header of the
// other surfaces, or in the query. If several are sent, the first of these counts, and no other makes up for
// a wrong one.

export const GOOGLE_KEY_HEADER = "x-goog-api-key";
export const GOOGLE_KEY_PARAM = "key";

export interface GoogleKey {
  readonly key: string;
  readonly inQuery: boolean;
}

/** Null: none was sent. */
function googleKey({ headers, url }: Request): GoogleKey | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    // Another scheme is no key.
    return { key: BEARER.exec(authorization.trim())?.[1] ?? "", inQuery: false };
  }
  const named = headers.get(GOOGLE_KEY_HEADER)?.trim() ?? namedKey(headers);
  if (named !== undefined) return { key: named, inQuery: false };
  const key = new URL(url).searchParams.get(GOOGLE_KEY_PARAM);
  return key === null || key === "" ? null : { key, inQuery: true };
}
