import { utf8 } from "./call-labels.ts";

// A link that opens one address of one tenant for a while, for anybody who has it. It is signed with a key
// that is derived from the server's secret for this purpose only, so that no signature of another kind is
// ever valid for a link, nor the other way round.

const CONTEXT = "neurogate:link:v1";
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** An hour, as OpenAI's links. */
export const LINK_LIFETIME_S = 3600;

/** The most that clocks of two machines differ. A link that claims to last longer is refused. */
const CLOCK_SKEW_S = 60;

export interface LinkClaim {
  readonly tenant: string;
  /** The tenant's generation: a link of an earlier one opens nothing. */
  readonly generation: number;
  readonly path: string;
  /**
   * The rest of the query, in any order. A link opens exactly these: with one more, one less or another
   * value it is no link.
   */
  readonly query?: Readonly<Record<string, string>>;
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
    ...claim.query,
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
  const link = claimOf(url);
  if (link === null) return null;
  // All secrets are tried, match or not, and the time is checked last, so that a forger learns nothing.
  const matches = await Promise.all(
    secrets.map(async (secret) => {
      const expected = await signature(link.claim, secret);
      return crypto.subtle.timingSafeEqual(expected, link.signature);
    }),
  );
  const leftS = link.claim.expiresAtS - nowMs / 1000;
  return matches.includes(true) && leftS > 0 && leftS <= LINK_LIFETIME_S + CLOCK_SKEW_S
    ? link.claim
    : null;
}

const OWN_PARAMETERS: ReadonlySet<string> = new Set(["tenant", "life", "expires", "signature"]);

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
    new Set(searchParams.keys()).size !== searchParams.size ||
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
    query: Object.fromEntries([...searchParams].filter(([name]) => !OWN_PARAMETERS.has(name))),
    expiresAtS: Number(expires),
  };
  return { claim, signature: Uint8Array.fromBase64(text ?? "", { alphabet: "base64url" }) };
}

/** JSON separates the parts, for any content. */
async function signature(
  { tenant, generation, path, query = {}, expiresAtS }: LinkClaim,
  secret: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const derived = await mac(utf8(secret), utf8(CONTEXT));
  const parameters = Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rest = parameters.length === 0 ? [] : [parameters];
  return mac(derived, utf8(JSON.stringify([tenant, generation, path, expiresAtS, ...rest])));
}

async function mac(key: Uint8Array, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, HMAC, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}
