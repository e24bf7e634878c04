import * as v from "valibot";
import type { CacheTerms } from "../../durable-objects/tenant/protocol.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Answered } from "../engines/inference.ts";

// Cached answers for exactly equal requests, in KV, for tenants that turn the cache on.
//
// An entry's key is an HMAC with the tenant's own secret, over the tenant's generation and everything that
// the engine would be asked: any difference makes another key. The stored answer is content of the tenant:
// it expires, and is never read after that. A store that fails, is slow or returns something else is a miss.

/** Raise it when the stored value, or the data in the key, changes. */
const FORMAT = "a1";

/** A hundred vectors are longer than this; a chat never is. */
const MAX_BYTES = 1_048_576;

/** KV's own minimum; `made_at_ms` enforces shorter times. */
const MIN_TTL_S = 60;

/** Much longer than KV normally takes; a call does not wait for a broken cache. */
const READ_TIMEOUT_MS = 1000;

/** The part of KV's interface that is used. */
export interface Store {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export interface CacheUse {
  readonly store: Store;
  /** Lets a write continue after the reply. */
  readonly later: (work: Promise<void>) => void;
}

/** The cache entry of one request. */
export interface CacheEntry<Kind extends GenerationKind> {
  read(): Promise<readonly Answered<Kind>[] | null>;
  write(answers: readonly Answered<Kind>[]): void;
}

const Stored = v.object({
  made_at_ms: v.number(),
  answers: v.array(
    v.object({ kind: v.literal("answered"), model: v.string(), output: v.looseObject({}) }),
  ),
});

/**
 * @param question everything that the answer depends on
 * @param nowMs by the clock of the tenant's object, which never goes back
 */
export async function cacheEntry<Kind extends GenerationKind>(
  { store, later }: CacheUse,
  terms: CacheTerms,
  { question, answers: count, nowMs }: { question: unknown; answers: number; nowMs: number },
): Promise<CacheEntry<Kind>> {
  const key = await entryKey(terms, question);
  return {
    async read() {
      const text = await withinTime(store, key);
      const stored = text === null ? null : parseStored(text);
      if (stored === null || stored.answers.length !== count) return null;
      const ageMs = nowMs - stored.made_at_ms;
      if (ageMs < 0 || ageMs >= terms.ttlS * 1000) return null;
      return stored.answers.map((answer) => ({
        ...answer,
        usage: null,
      })) as unknown as Answered<Kind>[];
    },
    write(answers) {
      const kept = answers.map(({ kind, model, output }) => ({ kind, model, output }));
      const value = JSON.stringify({ made_at_ms: nowMs, answers: kept });
      if (new TextEncoder().encode(value).length > MAX_BYTES) return;
      const expirationTtl = Math.max(MIN_TTL_S, terms.ttlS);
      later(written(store, key, { value, expirationTtl }));
    },
  };
}

/** Catches what `put` throws, synchronously or later. */
async function written(
  store: Store,
  key: string,
  { value, expirationTtl }: { readonly value: string; readonly expirationTtl: number },
): Promise<void> {
  try {
    await store.put(key, value, { expirationTtl });
  } catch {
    // The next request asks the engine again.
  }
}

async function withinTime(store: Store, key: string): Promise<string | null> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), READ_TIMEOUT_MS);
  });
  try {
    return await Promise.race([store.get(key), late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function parseStored(text: string): v.InferOutput<typeof Stored> | null {
  try {
    const parsed = v.safeParse(Stored, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

async function entryKey({ tenant, generation, secret }: CacheTerms, question: unknown) {
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromHex(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const named = canonicalJson([FORMAT, tenant, generation, question]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(named));
  // The prefix names the tenant, so that its entries can be found.
  return `${FORMAT}/${tenant}/${generation}/${new Uint8Array(mac).toHex()}`;
}

/** JSON with the keys of objects in order, so that equal requests are written equally. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** The part of KV's interface for deleting a tenant's entries. */
export interface Listing {
  list(options: { prefix: string; limit: number }): Promise<{ keys: readonly { name: string }[] }>;
  delete(key: string): Promise<void>;
}

/** KV allows 1,000 operations in one request. */
const MAX_FORGOTTEN = 900;

/**
 * Deletes the entries of a tenant that ended. Nobody can read them any more, since its secret is gone.
 * Entries beyond the limit of one request, or with a failed deletion, expire.
 */
export async function forgetAnswers(store: Listing, tenant: string): Promise<void> {
  try {
    const prefix = `${FORMAT}/${tenant}/`;
    const { keys } = await store.list({ prefix, limit: MAX_FORGOTTEN });
    await Promise.all(keys.map(({ name }) => store.delete(name)));
  } catch {
    // The entries expire.
  }
}
