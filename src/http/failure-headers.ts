import { DAILY_IMAGES_PER_USER } from "../domain/ledger/admission.ts";
import type {
  Failure,
  QuotaFailure,
  RateFailure,
  ThrottleFailure,
} from "../domain/ledger/failure.ts";
import { inTheWay } from "../domain/ledger/quota.ts";
import { limitHeaders, neuronLimits, rateLimit, secondsUntil } from "./rate-headers.ts";

// The headers of a failure that tell a client whether and when to retry. The official clients retry 409,
// 429 and every 5xx (501 too) twice, sleep exactly as long as `Retry-After` says, and obey
// `x-should-retry`. The one for Node sleeps for any time; those for Python and Go give up beyond two
// minutes. So we send `x-should-retry: false` wherever a repeat cannot help, comes after too long a wait or
// would be charged again, and `Retry-After` only where the moment is known: without it the clients back off
// with jitter, which is what an overloaded object or engine needs.

type Headers = Record<string, string>;
type BusyFailure = Extract<Failure, { kind: "engine_busy" }>;

export const NO_RETRY: Readonly<Headers> = { "x-should-retry": "false" };

/** The longest wait that is sent without `x-should-retry: false`: one-second buckets cover 61 s. */
const MAX_WAIT_MS = 61_000;
/** The same for what an engine asks for. */
const MAX_ENGINE_WAIT_MS = 60_000;
/** Holds end within seconds; the exact moment is unknown. */
const SOON_MS = 1000;

/** The wait for a throttled caller: after exactly so long a call is not refused for that limit. */
function waitMs(failure: ThrottleFailure): number {
  if (failure.kind === "concurrency_exceeded") return SOON_MS;
  return Math.max(1, resetsAtMs(failure) - failure.nowMs);
}

/** When one such call would fit. */
export function resetsAtMs(failure: QuotaFailure | ThrottleFailure): number {
  switch (failure.kind) {
    case "rate_limited":
      return failure.fitsAtMs;
    case "quota_reserved":
      return failure.againAtMs ?? failure.nowMs + SOON_MS;
    case "concurrency_exceeded":
      return failure.nowMs + SOON_MS;
    case "quota_exceeded":
    case "overage_cap_exceeded":
    case "account_quota_exceeded":
      return failure.againAtMs ?? inTheWay(failure).anewAtMs;
    default:
      return failure satisfies never;
  }
}

/** `t` of the limit that refused the call is the same moment as `Retry-After`. */
function throttleLimits(failure: ThrottleFailure, resetS: number): Headers {
  const neurons = neuronLimits(failure.neurons, failure.nowMs);
  switch (failure.kind) {
    case "rate_limited":
      return limitHeaders([
        ...failure.rates.map((rate) => {
          const limit = rateLimit(rate, failure.nowMs);
          return failure.violated.includes(rate.name) ? { ...limit, resetS } : limit;
        }),
        ...neurons,
      ]);
    case "quota_reserved":
      return limitHeaders(
        neurons.map((limit) =>
          limit.name === (failure.policy ?? "daily") ? { ...limit, resetS } : limit,
        ),
      );
    case "concurrency_exceeded":
      return limitHeaders([
        {
          name: "in_flight",
          quota: failure.limit,
          unit: "concurrent-requests",
          remaining: 0,
          resetS,
        },
        ...neurons,
      ]);
    default:
      return failure satisfies never;
  }
}

const DAY_S = 86_400;

/** A user's pictures of the day: like a quota, the limit lasts until midnight. */
function userPictureHeaders({ userPictures, fitsAtMs, neurons, nowMs }: RateFailure): Headers {
  const { limit = 0, used = 0 } = userPictures ?? {};
  const resetS = Math.max(1, secondsUntil(fitsAtMs, nowMs));
  const remaining = Math.max(0, limit - used);
  const pictures = { name: DAILY_IMAGES_PER_USER, quota: limit, windowS: DAY_S, remaining, resetS };
  return {
    ...NO_RETRY,
    "Retry-After": String(resetS),
    ...limitHeaders([pictures, ...neuronLimits(neurons, nowMs)]),
  };
}

const waitHeaders = (ms: number): Headers => ({
  "Retry-After": String(Math.ceil(ms / 1000)),
  "retry-after-ms": String(ms),
});

function throttleHeaders(failure: ThrottleFailure): Headers {
  if (failure.kind === "rate_limited" && failure.userPictures !== undefined) {
    return userPictureHeaders(failure);
  }
  const ms = waitMs(failure);
  return {
    ...(ms > MAX_WAIT_MS && NO_RETRY),
    ...waitHeaders(ms),
    ...throttleLimits(failure, Math.ceil(ms / 1000)),
  };
}

/** The wait that the engine asks for; without one, clients back off by themselves. */
function busyHeaders({ charged, retryAfterMs: ms }: BusyFailure): Headers {
  if (ms === undefined) return charged ? NO_RETRY : {};
  return { ...((charged || ms > MAX_ENGINE_WAIT_MS) && NO_RETRY), ...waitHeaders(ms) };
}

const quotaHeaders = (failure: QuotaFailure): Headers => ({
  ...NO_RETRY,
  "Retry-After": String(Math.max(1, secondsUntil(resetsAtMs(failure), failure.nowMs))),
  ...limitHeaders(neuronLimits(failure.neurons, failure.nowMs)),
});

export function failureHeaders(failure: Failure): Readonly<Headers> {
  switch (failure.kind) {
    case "invalid_key":
      return { "WWW-Authenticate": "Bearer" };
    case "quota_exceeded":
    case "overage_cap_exceeded":
    case "account_quota_exceeded":
      return quotaHeaders(failure);
    case "rate_limited":
    case "quota_reserved":
    case "concurrency_exceeded":
      return throttleHeaders(failure);
    case "idempotency_in_progress":
    case "session_busy":
      return { "Retry-After": "1" };
    // RFC 9110, 15.5.6.
    case "method_not_allowed":
      return { Allow: failure.allow.join(", ") };
    case "engine_failed":
    case "engine_timeout":
      return failure.charged || failure.refused === true ? NO_RETRY : {};
    case "engine_busy":
      return busyHeaders(failure);
    case "idempotency_replay_unavailable":
    case "review_conflict":
    case "apply_conflict":
    case "webhook_disabled":
    case "engine_unsupported":
    // The request must change.
    case "upstream_rejected":
    // The hold is charged in any case.
    case "settlement_unavailable":
    // Retention makes room, in hours, or a person does.
    case "storage_full":
    // A bug: the charge is unknown, and a repeat would fail again.
    case "internal":
      return NO_RETRY;
    // Nothing was charged, and an object that did not answer is usually back at once.
    case "unavailable":
      return failure.reason === undefined ? {} : { "Retry-After": "1" };
    // The rest are 4xx that no client retries by itself.
    case "tenant_suspended":
    case "role_required":
    case "model_not_allowed":
    case "invalid_request":
    case "unpriced_model":
    case "unbounded_usage":
    case "unsupported_parameter":
    case "over_limit":
    case "not_found":
    case "model_not_found":
    case "model_retired":
    case "body_too_large":
    case "unsupported_media_type":
    case "comment_refused":
    case "idempotency_key_reused":
    case "version_conflict":
      return {};
    default:
      return failure satisfies never;
  }
}
