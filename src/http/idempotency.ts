/// <reference lib="esnext.typedarrays" />
import { invalid, type InvalidRequest } from "./field-errors.ts";

// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07: a structured
// string in quotes. Users of Stripe send it without quotes, and that is the same key: `"a"` is `a`.

/** Visible ASCII but the quote and the backslash, which only mean something inside quotes. */
const BARE = /^[!#-[\]-~]{1,255}$/;
const QUOTED = /^"((?:[!#-[\]-~]|\\["\\])+)"$/;
const MAX_CHARS = 255;

/** The key of `request.headers.get("Idempotency-Key")`; null when there is none. */
export function parseIdempotencyKey(header: string | null): string | null | InvalidRequest {
  if (header === null) return null;
  const text = header.trim();
  const key = BARE.test(text) ? text : QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  if (key !== undefined && key.length <= MAX_CHARS) return key;
  return invalid(
    ["Idempotency-Key"],
    `must be 1 to ${MAX_CHARS} visible ASCII characters, bare or in double quotes`,
  );
}

/** Tells a repeat from another request under the same key: a hash of the body's bytes as sent. */
export const fingerprint = (body: Uint8Array): Promise<string> => sha256Hex(body);

interface Identified {
  readonly kind: "read";
  /** The key, and the fingerprint of the body; null: the request has no key. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
}

/** The `Idempotency-Key` of a request with a body. */
export async function idempotencyOf(call: {
  readonly request: Request;
  readonly fingerprint: () => Promise<string>;
}): Promise<Identified | InvalidRequest> {
  const key = parseIdempotencyKey(call.request.headers.get("Idempotency-Key"));
  if (key === null) return { kind: "read", idempotency: null };
  if (typeof key !== "string") return key;
  return { kind: "read", idempotency: { key, fingerprint: await call.fingerprint() } };
}

const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex();
}
