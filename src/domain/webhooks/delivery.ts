// When an event is delivered, and what an answer means. Each message has a schedule of its own, of days,
// a little later each time than it says, so that those that failed together do not come back together.
// Whether the endpoint as a whole is down is another question: `isDown`.

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

/**
 * An endpoint is down when so many different messages failed in a row, none was accepted since, and no
 * answer said that it was the message's own fault.
 */
const DOWN_AFTER = 3;

/** So many messages that ask for time are believed; one alone may be the message's own trouble. */
const BELIEVED_AFTER = 2;

/** What one message that asks for time gets for the whole endpoint. */
const PAUSE_MS = 5 * SECOND_MS;

/** With the 15 s of an attempt, an endpoint that is down is asked at least once a minute. */
const MOST_PROBE_GAP_MS = 45 * SECOND_MS;

/** After so many tries in the first minutes, the next one is that of half an hour. */
const EARLY_TRIES = 3;

/** An endpoint that failed for so long without one success is disabled. */
export const MOST_FAILING_MS = 5 * 24 * HOUR_MS;

/** What an endpoint can ask for with `Retry-After`. */
const MOST_RETRY_AFTER_MS = HOUR_MS;

/**
 * Of what an endpoint is sent at once, and in a minute, retries and replays together have at most this
 * share while something new is there: new messages have most of the places.
 */
export const OLD_SHARE = 2 / 5;

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
  /** The receiver asked for no further attempt: `webhook-delivery: abort-message`. */
  "aborted",
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
  /** The beginning of the reply's body, for who owns the endpoint; null: none, or none was kept. */
  readonly reply: string | null;
}

/** Bytes of a reply's body that are kept. */
export const MOST_REPLY_BYTES = 1024;

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * When a delivery that has just failed is tried again; null: it was the last time.
 *
 * Each try has its time, counted from the first. A try beside the schedule (the endpoint had
 * recovered, it seemed) therefore takes none of the others away, and one that came late skips what
 * it is too late for.
 *
 * Tries beside the schedule (a probe, a release) count only among the first ones: a message is tried
 * three times in its first half hour, whatever made it due.
 *
 * @param firstMs when the first try was
 * @param made tries since then, with the first
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

/** Statuses of the 400s that tell of the endpoint at this moment, not of the message. */
const NOT_OF_THE_MESSAGE: readonly number[] = [408, 425, 429];

/**
 * Whether an attempt failed in the way in which all would fail while the endpoint is away: no answer,
 * or one of the 500s. Any other answer is about the message that it was given to.
 */
export function isOutage({ error, status }: Pick<Attempt, "error" | "status">): boolean {
  if (error === null || error === "object_gone" || error === "aborted") return false;
  return status === null || status >= 500 || NOT_OF_THE_MESSAGE.includes(status);
}

/** How an endpoint stands after what it was last sent. */
export interface EndpointHealth {
  /** When the first of the failures after the last success began; null: none. */
  readonly failingSinceMs: number | null;
  /** Different messages, first tried since then, that failed as in an outage: no more than count. */
  readonly outage: readonly string[];
  /** Nothing is sent before; 0: at once. */
  readonly notBeforeMs: number;
}

export const WELL: EndpointHealth = { failingSinceMs: null, outage: [], notBeforeMs: 0 };

/** What an attempt was, as far as the endpoint's standing is concerned. */
export interface Tried {
  readonly eventId: string;
  /** When this message was first tried. */
  readonly firstTryAtMs: number;
  readonly attempt: Attempt;
  /** It asked to be left alone until then (`Retry-After`); null: it did not. */
  readonly notBeforeMs: number | null;
}

/**
 * How it stands after one more attempt. A message that had failed already while others were accepted
 * tells nothing of the endpoint; nor does what the receiver told us to drop.
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

/** @param ordered nothing goes past the message that failed: one is enough */
export const isDown = (
  { outage }: Pick<EndpointHealth, "outage">,
  { ordered }: { readonly ordered: boolean },
): boolean => outage.length >= (ordered ? 1 : DOWN_AFTER);

/** How long after a probe of an endpoint that is down the next one is: soon at first. */
export const probeGapMs = (failingSinceMs: number, nowMs: number): number =>
  Math.min(MOST_PROBE_GAP_MS, Math.max(LEAST_GAP_MS, Math.floor((nowMs - failingSinceMs) / 4)));

/** What a receiver can ask for beside its status, in the header `webhook-delivery`. */
export type DeliveryControl = "abort-message" | "disable";

export function deliveryControl(header: string | null): DeliveryControl | null {
  const word = header?.trim().toLowerCase();
  return word === "abort-message" || word === "disable" ? word : null;
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
