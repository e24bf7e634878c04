// `Retry-After` of a server that we call (RFC 9110, 10.2.3): seconds, or a date.

const SECOND_MS = 1000;

/** Fractions are not in the RFC, and some servers send them. */
const NUMBER = /^\d+(?:\.\d+)?$/;

/** @returns milliseconds, above 0 and without an upper bound; null: no wait is named, or it is over */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const text = (header ?? "").trim();
  const ms = NUMBER.test(text) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return ms > 0 ? Math.ceil(ms) : null;
}

/** `retry-after-ms`, which OpenAI's clients read first; as above. */
export function retryAfterMsHeader(header: string | null): number | null {
  const text = (header ?? "").trim();
  const ms = NUMBER.test(text) ? Number(text) : 0;
  return ms > 0 ? Math.ceil(ms) : null;
}
