// When an event is delivered, and what an answer means. An endpoint that answers is asked at once; one
// that does not is asked again on a schedule of days, a little later each time than it says, so that
// those who failed together do not come back together.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long after the attempt before: 75 h 35 min in all. The example of Standard Webhooks. */
const DELAYS_MS = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** At most this much of a delay is added to it. It is less than the next delay, always. */
const JITTER = 0.1;

/** No two attempts of a delivery are closer together, whatever makes it due. */
export const LEAST_GAP_MS = 5 * SECOND_MS;

/** An endpoint that failed for so long without one success is disabled. */
export const MOST_FAILING_MS = 5 * 24 * HOUR_MS;

/** What an endpoint can ask for with `Retry-After`. */
const MOST_RETRY_AFTER_MS = HOUR_MS;

/** An endpoint is sent at least so much in a minute, however little its tenant may call. */
const LEAST_A_MINUTE = 600;

/**
 * Attempts to one endpoint in any rolling minute; the rest waits in order. Twice the rate of what is
 * stored: a verdict is told of once, and there is room for retries, reviews and replays.
 *
 * @param requests the tenant's own rate; absent for the platform's endpoints
 */
export const deliveriesAMinute = (requests = 0): number => Math.max(LEAST_A_MINUTE, 2 * requests);

/** How an attempt ended that did not deliver. The wire's words; never a word of the answer. */
export const ATTEMPT_ERRORS = [
  /** Another status than 2xx; a 410 disables the endpoint. */
  "http_status",
  "redirect",
  "timeout",
  /** No connection, or one that broke. */
  "connection_failed",
  /** There is no such host, or it could not be asked for. */
  "unknown_host",
  /** The host is, or leads to, an address that is not public. */
  "private_address",
  /** What the event tells of is not stored any more. */
  "object_gone",
] as const;
export type AttemptError = (typeof ATTEMPT_ERRORS)[number];

/** One attempt, as it is kept and shown. */
export interface Attempt {
  readonly atMs: number;
  /** Null: there was no answer. */
  readonly status: number | null;
  /** Null: it was delivered. */
  readonly error: AttemptError | null;
  readonly latencyMs: number;
}

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * When a delivery that has just failed is tried again; null: it was the last time.
 *
 * Each try has its time, counted from the first. A try beside the schedule (the endpoint had
 * recovered, it seemed) therefore takes none of the others away, and one that came late skips what
 * it is too late for.
 *
 * @param firstMs when the first try was
 * @param random at least 0, less than 1
 */
export function nextTryMs(firstMs: number, nowMs: number, random: number): number | null {
  let atMs = firstMs;
  for (const delayMs of DELAYS_MS) {
    atMs += delayMs;
    if (atMs > nowMs) return atMs + Math.floor(delayMs * JITTER * random);
  }
  return null;
}

/** Statuses with which an endpoint may say how long it wants to be left alone. */
const MAY_ASK_FOR_TIME = [429, 503];

/** Until when it is to be left alone: `Retry-After` in seconds or as a date, within bounds. */
export function retryAfterMs(status: number, header: string | null, nowMs: number): number | null {
  if (header === null || !MAY_ASK_FOR_TIME.includes(status)) return null;
  const text = header.trim();
  const untilMs = /^\d{1,9}$/.test(text) ? nowMs + Number(text) * SECOND_MS : Date.parse(text);
  if (!Number.isFinite(untilMs) || untilMs <= nowMs) return null;
  return Math.min(untilMs, nowMs + MOST_RETRY_AFTER_MS);
}
