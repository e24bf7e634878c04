/// <reference lib="esnext.typedarrays" />
import { invalid, type InvalidRequest } from "./field-errors.ts";

// What a call says of itself in headers: a key under which a repeat is the same call, and a label of the
// caller's own, by which it finds its calls in the log of inferences.
//
// The key: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07, a structured
// string in quotes. Users of Stripe send it without quotes, and that is the same key: `"a"` is `a`.

/** Visible ASCII but the quote and the backslash, which only mean something inside quotes. */
const BARE = /^[!#-[\]-~]{1,255}$/;
const QUOTED = /^"((?:[!#-[\]-~]|\\["\\])+)"$/;
const MAX_CHARS = 255;

export const IDEMPOTENCY_HEADER = "Idempotency-Key";

/** The key of `request.headers.get(IDEMPOTENCY_HEADER)`; null when there is none. */
export function parseIdempotencyKey(header: string | null): string | null | InvalidRequest {
  if (header === null) return null;
  const text = header.trim();
  const key = BARE.test(text) ? text : QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  if (key !== undefined && key.length <= MAX_CHARS) return key;
  return invalid(
    [IDEMPOTENCY_HEADER],
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
  const key = parseIdempotencyKey(call.request.headers.get(IDEMPOTENCY_HEADER));
  if (key === null) return { kind: "read", idempotency: null };
  if (typeof key !== "string") return key;
  return { kind: "read", idempotency: { key, fingerprint: await call.fingerprint() } };
}

export const CONTEXT_HEADER = "x-neurogate-context";

/** Letters, digits and `._:/@-`: no text, and nothing that a table or a log would take for more. */
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,63}$/;

/** The label; null: there is none. */
export function contextOf({ headers }: Request): string | null | InvalidRequest {
  const label = headers.get(CONTEXT_HEADER)?.trim() ?? "";
  if (label === "") return null;
  if (LABEL.test(label)) return label;
  return invalid(
    [CONTEXT_HEADER],
    "must be 1 to 64 characters, beginning with a letter or a digit: letters, digits and . _ : / @ -",
  );
}

interface Labels {
  readonly kind: "read";
  readonly key: string | null;
  readonly context: string | null;
}

export const NO_LABELS: Labels = { kind: "read", key: null, context: null };

/** Both, also where one has no use: a client that sends it relies on it. */
export function labelsOf(request: Request): Labels | InvalidRequest {
  const key = parseIdempotencyKey(request.headers.get(IDEMPOTENCY_HEADER));
  if (key !== null && typeof key !== "string") return key;
  const context = contextOf(request);
  if (context !== null && typeof context !== "string") return context;
  return { kind: "read", key, context };
}

const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex();
}
