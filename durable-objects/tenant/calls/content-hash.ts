import type { Verdict } from "../../../src/domain/moderation/verdict.ts";

const UTF8 = new TextEncoder();

/**
 * The verdicts with their content digests keyed by the tenant's own secret (HMAC-SHA-256, hex):
 * the same content hashes alike within the tenant, and tells nothing outside it.
 */
export async function keyed(verdicts: readonly Verdict[], secret: string): Promise<Verdict[]> {
  const hash = await hasher(secret);
  return Promise.all(
    verdicts.map(async (verdict) => ({
      ...verdict,
      contentHash: await hash(verdict.contentHash),
    })),
  );
}

/** Digests of contents, keyed alike; 128 bits, since each is stored twice. */
export async function keyedDigests(
  digests: readonly (string | null)[],
  secret: string,
): Promise<(string | null)[]> {
  const hash = await hasher(secret);
  return Promise.all(
    digests.map(async (digest) =>
      digest === null ? null : (await hash(`reuse:${digest}`)).slice(0, 32),
    ),
  );
}

/** What stands for a person's id where it may no longer stand itself. */
export const personHash = async (userId: string, secret: string): Promise<string> =>
  (await hasher(secret))(`person:${userId}`);

async function hasher(secret: string): Promise<(text: string) => Promise<string>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", UTF8.encode(secret), algorithm, false, ["sign"]);
  return async (text) =>
    new Uint8Array(await crypto.subtle.sign("HMAC", key, UTF8.encode(text))).toHex();
}

/** How contents are hashed; a simulation has hashes of its own, which take no turn of the event loop. */
export interface ContentHashes {
  readonly keyed: typeof keyed;
  readonly keyedDigests: typeof keyedDigests;
}

export const CONTENT_HASHES: ContentHashes = { keyed, keyedDigests };
