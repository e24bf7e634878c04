import { retryAfterMs } from "../text/retry-after.ts";

// When an event is delivered, and what the receiver's answer means. Each message has its own schedule over
// several days. Random delays keep messages that failed together from being sent together again. Whether the
// endpoint as a whole is down is a separate question: `isDown`.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The delay after the attempt before: 75 h 35 min in all. The example of Standard Webhooks. */
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

/** At most this share of a delay is added to it. The sum is always less than the next delay. */
const JITTER = 0.1;

/** The least time between two attempts of a delivery, whatever makes it due. */
export const LEAST_GAP_MS = 5 * SECOND_MS;

/**
 * An endpoint is down when this many different messages failed in a row, none was accepted since, and no
 * answer said that the message itself was the reason.
 */
const DOWN_AFTER = 3;

/** `Retry-After` counts in full for this many messages; a single message may be the only one in trouble. */
const BELIEVED_AFTER = 2;

/** The pause of the whole endpoint when a single message asks for time. */
const PAUSE_MS = 5 * SECOND_MS;

/** With the 15 s of an attempt, an endpoint that is down is tried at least once a minute. */
const MOST_PROBE_GAP_MS = 45 * SECOND_MS;

/** After this many attempts in the first minutes, the next one is that of half an hour. */
const EARLY_TRIES = 3;

/** An endpoint that failed for this long without one success is disabled. */
export const MOST_FAILING_MS = 5 * 24 * HOUR_MS;

/** The longest pause that an endpoint can ask for with `Retry-After`. */
const MOST_RETRY_AFTER_MS = HOUR_MS;

/**
 * The largest share of retries and replays in what an endpoint is sent at once, and in a minute, while new
 * messages wait: new messages get most of the places.
 */
export const OLD_SHARE = 2 / 5;

/** The least limit of an endpoint a minute, however low the rate of its tenant. */
const LEAST_A_MINUTE = 600;

/**
 * The most attempts to one endpoint in any rolling minute; further ones wait in order. It is twice the rate
 * of stored items: each verdict causes one event, and there is room for retries, reviews and replays.
 *
 * @param requests the tenant's own rate; absent for the platform's endpoints
 */
export const deliveriesAMinute = (requests = 0): number => Math.max(LEAST_A_MINUTE, 2 * requests);

/** Why an attempt did not deliver. These are the words of the API; they never quote the answer. */
export const ATTEMPT_ERRORS = [
  /** A status other than 2xx; a 410 disables the endpoint. */
  "http_status",
  "redirect",
  "timeout",
  /** No connection, or one that broke. */
  "connection_failed",
  /** The host does not exist, or its address could not be looked up. */
  "unknown_host",
  /** The host is, or resolves to, an address that is not public. */
  "private_address",
  /** The object of the event is not stored any more. */
  "object_gone",
  /** The receiver asked for no further attempt: `webhook-delivery: abort-message`. */
  "aborted",
] as const;
export type AttemptError = (typeof ATTEMPT_ERRORS)[number];

/** One attempt, as it is stored and shown. */
export interface Attempt {
  readonly atMs: number;
  /** Null: there was no answer. */
  readonly status: number | null;
  /** Null: it was delivered. */
  readonly error: AttemptError | null;
  readonly latencyMs: number;
  /** The start of the reply's body, for the owner of the endpoint; null: none, or none was stored. */
  readonly reply: string | null;
}

/** The stored bytes of a reply's body. */
export const MOST_REPLY_BYTES = 1024;

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * When a delivery that has just failed is tried again; null: never.
 *
 * Each try has its time, counted from the first. A try outside the schedule (after the endpoint seemed to
 * recover) therefore does not use up a scheduled one, and a late try skips the times that have passed.
 *
 * Tries outside the schedule (a probe, a release) count only among the first ones: a message is tried three
 * times in its first half hour, whatever made it due.
 *
 * @param firstMs the time of the first try
 * @param made the number of tries, including the first
 * @param random at least 0, less than 1
 */
export function nextTryMs(
  { firstMs, made }: { readonly firstMs: number; readonly made: number },
  nowMs: number,
  random: number,
): number | null {
  let atMs = firstMs;
  for (const [at, delayMs] of DELAYS_MS.entries()) {
    atMs += delayMs;
    const isMade = at < Math.min(made, EARLY_TRIES);
    if (atMs > nowMs && !isMade) return atMs + Math.floor(delayMs * JITTER * random);
  }
  return null;
}

/** Statuses of the 400s that are about the endpoint at this moment, not about the message. */
const NOT_OF_THE_MESSAGE: readonly number[] = [408, 425, 429];

/**
 * Whether an attempt failed as all attempts fail while the endpoint is away: without an answer, or with one
 * of the 500s. Any other answer is about the message.
 */
export function isOutage({ error, status }: Pick<Attempt, "error" | "status">): boolean {
  if (error === null || error === "object_gone" || error === "aborted") return false;
  return status === null || status >= 500 || NOT_OF_THE_MESSAGE.includes(status);
}

/** The state of an endpoint after its latest attempts. */
export interface EndpointHealth {
  /** When the first failure after the last success began; null: there is none. */
  readonly failingSinceMs: number | null;
  /**
   * Different messages, first tried since then, that failed as in an outage; at most as many as `isDown`
   * needs.
   */
  readonly outage: readonly string[];
  /** Nothing is sent before this time; 0: no pause. */
  readonly notBeforeMs: number;
}

export const WELL: EndpointHealth = { failingSinceMs: null, outage: [], notBeforeMs: 0 };

/** An attempt, as far as the endpoint's health depends on it. */
export interface Tried {
  readonly eventId: string;
  /** When this message was first tried. */
  readonly firstTryAtMs: number;
  readonly attempt: Attempt;
  /** The endpoint asked for a pause until then (`Retry-After`); null: it did not. */
  readonly notBeforeMs: number | null;
}

/**
 * The health after one more attempt. A message that already failed while others were accepted does not change
 * it; nor does a message that the receiver told us to drop.
 */
export function standingAfter(before: EndpointHealth, tried: Tried, nowMs: number): EndpointHealth {
  const { attempt, eventId, firstTryAtMs, notBeforeMs } = tried;
  if (attempt.error === null) return WELL;
  if (attempt.error === "object_gone" || attempt.error === "aborted") return before;
  const failingSinceMs = before.failingSinceMs ?? attempt.atMs;
  const isOfOutage = isOutage(attempt) && firstTryAtMs >= failingSinceMs;
  const outage =
    isOfOutage && !before.outage.includes(eventId)
      ? [...before.outage, eventId].slice(-DOWN_AFTER)
      : before.outage;
  if (notBeforeMs === null) return { ...before, failingSinceMs, outage };
  const untilMs = outage.length >= BELIEVED_AFTER ? notBeforeMs : nowMs + PAUSE_MS;
  return {
    failingSinceMs,
    outage,
    notBeforeMs: Math.max(before.notBeforeMs, Math.min(untilMs, notBeforeMs)),
  };
}

/** @param ordered messages are delivered in order, so one failed message is enough */
export const isDown = (
  { outage }: Pick<EndpointHealth, "outage">,
  { ordered }: { readonly ordered: boolean },
): boolean => outage.length >= (ordered ? 1 : DOWN_AFTER);

/** The time until the next probe of an endpoint that is down: short at first. */
export const probeGapMs = (failingSinceMs: number, nowMs: number): number =>
  Math.min(MOST_PROBE_GAP_MS, Math.max(LEAST_GAP_MS, Math.floor((nowMs - failingSinceMs) / 4)));

/** What a receiver can ask for beside its status, in the header `webhook-delivery`. */
export type DeliveryControl = "abort-message" | "disable";

export function deliveryControl(header: string | null): DeliveryControl | null {
  const word = header?.trim().toLowerCase();
  return word === "abort-message" || word === "disable" ? word : null;
}

/** Statuses with which an endpoint may ask for a pause. */
const MAY_ASK_FOR_TIME = [429, 503];

/** The end of the pause that `Retry-After` asks for, within bounds; null: no pause. */
export function pauseUntilMs(status: number, header: string | null, nowMs: number): number | null {
  const waitMs = MAY_ASK_FOR_TIME.includes(status) ? retryAfterMs(header, nowMs) : null;
  return waitMs === null ? null : nowMs + Math.min(waitMs, MOST_RETRY_AFTER_MS);
}

/** One event to one endpoint. */
export interface Delivery {
  /** `dlv_` and a ULID that names both. */
  readonly id: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly state: DeliveryState;
  /** When it was first tried, or first since it was last replayed; null: not yet. */
  readonly firstTryAtMs: number | null;
  /** Of a pending one; `ASKED_FOR`: its owner asked for it. */
  readonly nextTryAtMs: number | null;
  /** All that were made. */
  readonly tries: number;
  /** The latest, oldest first: at most `MAX_ATTEMPTS_KEPT`. */
  readonly attempts: readonly Attempt[];
}
