import type { RequestFailure } from "../domain/ledger/failure.ts";
import { sha256Hex } from "./hash.ts";

// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07: a structured
// string in quotes. Users of Stripe send it without quotes, and that is the same key: `"a"` is `a`.

/** Visible ASCII but the quote and the backslash, which only mean something inside quotes. */
const BARE = /^[!#-[\]-~]{1,255}$/;
const QUOTED = /^"((?:[!#-[\]-~]|\\["\\])+)"$/;
const MAX_CHARS = 255;

type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;

/** The key of `request.headers.get("Idempotency-Key")`; null when there is none. */
export function parseIdempotencyKey(header: string | null): string | null | InvalidRequest {
  if (header === null) return null;
  const text = header.trim();
  const key = BARE.test(text) ? text : QUOTED.exec(text)?.[1]?.replace(/\\(.)/g, "$1");
  if (key !== undefined && key.length <= MAX_CHARS) return key;
  return {
    kind: "invalid_request",
    errors: [
      {
        path: ["Idempotency-Key"],
        detail: `must be 1 to ${MAX_CHARS} visible ASCII characters, bare or in double quotes`,
      },
    ],
  };
}

/** Tells a repeat from another request under the same key: a hash of the body's bytes as sent. */
export const fingerprint = (body: Uint8Array): Promise<string> => sha256Hex(body);
