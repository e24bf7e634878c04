import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/index.ts";

// What tests of pictures share: bytes as they are served, and buckets that fail.

export interface Served {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** A request whose reply is not text. `url` is a whole one, as links are. */
export async function fetchBytes(
  url: string,
  init: {
    readonly method?: string;
    readonly key?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Served> {
  const { method = "GET", key, headers = {} } = init;
  const request = new Request(new URL(url, "https://gateway.test"), {
    method,
    headers: { ...(key !== undefined && { Authorization: `Bearer ${key}` }), ...headers },
  });
  const ctx = createExecutionContext();
  const response = await worker.fetch(
    request as Parameters<typeof worker.fetch>[0],
    { ...env, ...init.env },
    ctx,
  );
  const bytes = new Uint8Array(await response.arrayBuffer());
  await waitOnExecutionContext(ctx);
  return { status: response.status, headers: response.headers, bytes };
}

/** Everything that lies in the bucket, by key. */
export async function storedKeys(prefix = ""): Promise<string[]> {
  const { objects } = await env.IMAGES.list({ prefix });
  return objects.map(({ key }) => key);
}

/** A bucket that loses the first `failures` writes of keys that match. */
export function failingBucket(match: RegExp, failures: number): { readonly IMAGES: R2Bucket } {
  let left = failures;
  const bucket: Pick<R2Bucket, "put" | "get" | "head" | "delete" | "list"> = {
    get: env.IMAGES.get.bind(env.IMAGES),
    head: env.IMAGES.head.bind(env.IMAGES),
    delete: env.IMAGES.delete.bind(env.IMAGES),
    list: env.IMAGES.list.bind(env.IMAGES),
    put: (async (key: string, ...rest: unknown[]) => {
      if (match.test(key) && left > 0) {
        left -= 1;
        throw new Error("internal error (10001)");
      }
      return (env.IMAGES.put as (...values: unknown[]) => unknown)(key, ...rest);
    }) as unknown as R2Bucket["put"],
  };
  return { IMAGES: bucket as R2Bucket };
}
