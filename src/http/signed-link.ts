import { utf8 } from "./hash.ts";

// A link that opens one path of one tenant for a while, to whoever has it. It is signed with a key
// derived from the server's secret for this purpose alone, so that no signature of another kind can
// ever be taken for one of a link, nor the other way round.

const CONTEXT = "neurogate:link:v1";
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** As OpenAI's: an hour. */
export const LINK_LIFETIME_S = 3600;

/** The clocks of two machines differ by no more. A link that claims to last longer is refused. */
const CLOCK_SKEW_S = 60;

export interface LinkClaim {
  readonly tenant: string;
  /** Which life of the tenant: a link to what an earlier one had opens nothing. */
  readonly generation: number;
  readonly path: string;
  /** Unix seconds. */
  readonly expiresAtS: number;
}

/** @param secrets `config.keySecrets`: the first signs. */
export async function signedLink(
  origin: string,
  claim: LinkClaim,
  secrets: readonly string[],
): Promise<string> {
  const [signing] = secrets;
  if (signing === undefined) throw new RangeError("a link needs a server secret");
  const url = new URL(claim.path, origin);
  url.search = new URLSearchParams({
    tenant: claim.tenant,
    life: String(claim.generation),
    expires: String(claim.expiresAtS),
    signature: (await signature(claim, signing)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    }),
  }).toString();
  return url.href;
}

export const isLink = (url: URL): boolean => url.searchParams.has("signature");

/** Null for anything but a link that this deployment signed and that has not ended. */
export async function readLink(
  url: URL,
  secrets: readonly string[],
  nowMs: number,
): Promise<LinkClaim | null> {
  const given = claimOf(url);
  if (given === null) return null;
  // All secrets are tried, match or not, and time is looked at last: what a forger sees is the same.
  const matches = await Promise.all(
    secrets.map(async (secret) => {
      const expected = await signature(given.claim, secret);
      return crypto.subtle.timingSafeEqual(expected, given.signature);
    }),
  );
  const leftS = given.claim.expiresAtS - nowMs / 1000;
  return matches.includes(true) && leftS > 0 && leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S
    ? given.claim
    : null;
}

const DIGITS = /^(?:0|[1-9]\d{0,14})$/;
const SIGNATURE = /^[\w-]{43}$/;

function claimOf(
  url: URL,
): { readonly claim: LinkClaim; readonly signature: Uint8Array<ArrayBuffer> } | null {
  const { searchParams, pathname } = url;
  const [tenant, generation, expires, text] = ["tenant", "life", "expires", "signature"].map(
    (name) => searchParams.get(name) ?? "",
  );
  if (
    !DIGITS.test(generation ?? "") ||
    !DIGITS.test(expires ?? "") ||
    !SIGNATURE.test(text ?? "")
  ) {
    return null;
  }
  const claim = {
    tenant: tenant ?? "",
    generation: Number(generation),
    path: pathname,
    expiresAtS: Number(expires),
  };
  return { claim, signature: Uint8Array.fromBase64(text ?? "", { alphabet: "base64url" }) };
}

/** JSON keeps the parts apart, whatever they hold. */
async function signature(
  { tenant, generation, path, expiresAtS }: LinkClaim,
  secret: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const derived = await mac(utf8(secret), utf8(CONTEXT));
  return mac(derived, utf8(JSON.stringify([tenant, generation, path, expiresAtS])));
}

async function mac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, HMAC, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}
