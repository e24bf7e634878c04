import * as v from "valibot";
import type { CacheTerms } from "../../durable-objects/tenant/protocol.ts";
import type { GenerationKind } from "../domain/generation/plan-generation.ts";
import type { Answered } from "../engines/inference.ts";

// Answers that may be given again to exactly the same question, in KV, for tenants that turn it on.
//
// An entry's key is an HMAC under the tenant's own secret, of its life and of everything that the
// engine would be asked: whatever differs there is another key. What is stored is what the engine
// answered, which is content of the tenant: it ends by its time, and is never read after that.
// A store that fails, is slow or holds something else is a miss.

/** Grows when what is stored, or what the key is made of, changes. */
const FORMAT = "a1";

/** A hundred vectors are longer than this; a chat never is. */
const MAX_BYTES = 1_048_576;

/** KV's own least; shorter times are kept by `made_at_ms`. */
const MIN_TTL_S = 60;

/** Longer than KV takes by far; a call does not wait for a cache that is ill. */
const READ_TIMEOUT_MS = 1000;

/** As much of KV as is used. */
export interface Store {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export interface CacheUse {
  readonly store: Store;
  /** Lets a write go on after the reply. */
  readonly later: (work: Promise<void>) => void;
}

/** One question's place in the cache. */
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
 * @param asked everything that the answer depends on
 * @param nowMs by the clock of the tenant's object, which never goes back
 */
export async function cacheEntry<Kind extends GenerationKind>(
  { store, later }: CacheUse,
  terms: CacheTerms,
  { asked, answers: count, nowMs }: { asked: unknown; answers: number; nowMs: number },
): Promise<CacheEntry<Kind>> {
  const key = await entryKey(terms, asked);
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

/** Also for what is thrown at once, rather than later. */
async function written(
  store: Store,
  key: string,
  { value, expirationTtl }: { readonly value: string; readonly expirationTtl: number },
): Promise<void> {
  try {
    await store.put(key, value, { expirationTtl });
  } catch {
    // It is asked again next time.
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

async function entryKey({ tenant, generation, secret }: CacheTerms, asked: unknown) {
  const key = await crypto.subtle.importKey(
    "raw",
    Uint8Array.fromHex(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const named = canonicalJson([FORMAT, tenant, generation, asked]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(named));
  // What is before the digest names whose it is, so that a tenant's entries can be found.
  return `${FORMAT}/${tenant}/${generation}/${new Uint8Array(mac).toHex()}`;
}

/** JSON with the keys of objects in order: two requests that mean the same are written the same. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** As much of KV as is used to find what a tenant has left. */
export interface Listing {
  list(options: { prefix: string; limit: number }): Promise<{ keys: readonly { name: string }[] }>;
  delete(key: string): Promise<void>;
}

/** KV lets one request do 1,000 things. */
const MAX_FORGOTTEN = 900;

/**
 * Takes out what a tenant that ended has left. Nobody can read it any more: its secret is gone. What
 * is more than one request may take out, or fails to be, ends by its time.
 */
export async function forgetAnswers(store: Listing, tenant: string): Promise<void> {
  try {
    const prefix = `${FORMAT}/${tenant}/`;
    const { keys } = await store.list({ prefix, limit: MAX_FORGOTTEN });
    await Promise.all(keys.map(({ name }) => store.delete(name)));
  } catch {
    // It ends by its time.
  }
}
