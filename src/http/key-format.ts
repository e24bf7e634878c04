import { shaped } from "./field-sentence.ts";
import type { Config } from "../config.ts";
import { equalInConstantTime, sha256Hex, utf8 } from "./hash.ts";

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

export const verifyAdminToken = (
  text: string,
  config: Pick<Config, "adminToken">,
): Promise<boolean> => equalInConstantTime(text, config.adminToken);
