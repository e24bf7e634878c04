import type {
  Failure,
  QuotaFailure,
  Rejection,
  ThrottleFailure,
} from "../domain/ledger/failure.ts";
import { toNeurons } from "../domain/ledger/micro-neurons.ts";
import { inTheWay } from "../domain/ledger/quota.ts";
import { isoTime } from "../domain/ledger/period.ts";
import { failureDetail, violatedRate } from "./failure-detail.ts";
import { failureHeaders, resetsAtMs } from "./failure-headers.ts";
import { REASONS, statusOf } from "./failure-status.ts";
import { jsonPointer } from "./field-errors.ts";

// A failure as RFC 9457 problem+json, the error shape of the native surface.

const QUOTA_TYPE = "https://iana.org/assignments/http-problem-types#quota-exceeded";
const WINDOW_S = 60;
const DAY_S = 86_400;

export interface ErrorContext {
  readonly requestId: string;
  /** The path of the request. */
  readonly instance: string;
}

export interface ErrorReply<B> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: B;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly kind: Failure["kind"];
  readonly request_id: string;
  readonly [extension: string]: unknown;
}

const TITLES: Readonly<Record<(QuotaFailure | ThrottleFailure)["kind"], string>> = {
  quota_exceeded: "Quota exceeded",
  overage_cap_exceeded: "Overage cap exceeded",
  account_quota_exceeded: "Account quota exceeded",
  rate_limited: "Rate limit reached",
  quota_reserved: "Quota held by calls in progress",
  concurrency_exceeded: "Too many calls in progress",
};

const neuronMembers = (neurons: ReturnType<typeof inTheWay>): Record<string, number | null> => ({
  limit_micro_neurons: neurons.limit,
  posted_micro_neurons: neurons.posted,
  pending_micro_neurons: neurons.pending,
  available_micro_neurons: neurons.available,
  required_micro_neurons: neurons.required,
});

/** The policies that refused the call, by their names in `RateLimit-Policy`. */
function violatedPolicies(failure: QuotaFailure | ThrottleFailure): readonly string[] {
  switch (failure.kind) {
    case "rate_limited":
      return failure.violated;
    case "concurrency_exceeded":
      return ["in_flight"];
    // The tenant's own day may have room: the account is not one of its policies.
    case "account_quota_exceeded":
      return ["account"];
    case "quota_exceeded":
    case "overage_cap_exceeded":
    case "quota_reserved":
      return [failure.policy ?? "daily"];
    default:
      return failure satisfies never;
  }
}

function limitMembers(failure: QuotaFailure | ThrottleFailure): Record<string, unknown> {
  switch (failure.kind) {
    case "rate_limited": {
      if (failure.userPictures !== undefined) {
        const { limit, used } = failure.userPictures;
        return { limit, remaining: Math.max(0, limit - used), window_s: DAY_S };
      }
      const rate = violatedRate(failure);
      return {
        limit: rate?.limit ?? null,
        remaining: rate?.remaining ?? null,
        window_s: WINDOW_S,
      };
    }
    case "concurrency_exceeded":
      return { limit: failure.limit, remaining: 0 };
    case "quota_exceeded":
    case "overage_cap_exceeded":
    case "account_quota_exceeded":
    case "quota_reserved":
      return neuronMembers(inTheWay(failure));
    default:
      return failure satisfies never;
  }
}

/** The members of a kind, beside those that every problem has. */
function extensions(failure: Failure): Record<string, unknown> {
  switch (failure.kind) {
    case "quota_exceeded":
    case "overage_cap_exceeded":
    case "account_quota_exceeded":
    case "rate_limited":
    case "quota_reserved":
    case "concurrency_exceeded":
      return {
        "violated-policies": violatedPolicies(failure),
        resets_at: isoTime(resetsAtMs(failure)),
        ...limitMembers(failure),
        ...reasonMember(failure),
      };
    case "invalid_request":
      return {
        errors: failure.errors.map(({ path, detail }) => ({ pointer: jsonPointer(path), detail })),
      };
    case "unsupported_parameter":
      return { parameter: failure.parameter };
    case "model_retired":
      return { replacement: failure.replacement };
    case "body_too_large":
      return { limit_bytes: failure.limitBytes };
    case "idempotency_replay_unavailable":
      if ("subject" in failure) return { subject: failure.subject };
      return {
        journal_line_id: failure.journalLineId,
        micro_neurons: failure.charged,
        neurons: toNeurons(failure.charged),
      };
    case "version_conflict":
      return { version: failure.version };
    default:
      return {};
  }
}

/** The number of tokens that would fit, as an extra key. */
export const fittingMember = (failure: Failure): { fitting_max_tokens?: number } =>
  "fittingMaxTokens" in failure && failure.fittingMaxTokens !== undefined
    ? { fitting_max_tokens: failure.fittingMaxTokens }
    : {};

/** The reason of a refusal where the kind alone does not say it, as an extra key. */
export const reasonMember = (failure: Failure): { reason?: string } =>
  "reason" in failure && failure.reason !== undefined ? { reason: failure.reason } : {};

/** How long a busy engine asks to wait, as an extra key. */
export const waitMember = (failure: Failure): { retry_after_ms?: number } =>
  failure.kind === "engine_busy" && failure.retryAfterMs !== undefined
    ? { retry_after_ms: failure.retryAfterMs }
    : {};

/** The engine's reason for rejecting the request, as an extra key. */
export const upstreamMember = (failure: Failure): { upstream?: Rejection } =>
  failure.kind === "upstream_rejected" ? { upstream: failure.upstream } : {};

/** Existing paths that may be meant by an unknown one, as an extra key of every shape but Google's. */
export const nearbyMember = (failure: Failure): { nearby?: readonly string[] } =>
  failure.kind === "not_found" && failure.nearby !== undefined && failure.nearby.length > 0
    ? { nearby: failure.nearby }
    : {};

const isThrottle = (kind: Failure["kind"]): kind is keyof typeof TITLES => kind in TITLES;

export function toProblem(failure: Failure, context: ErrorContext): ErrorReply<Problem> {
  const { kind } = failure;
  const status = statusOf(failure);
  return {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "x-request-id": context.requestId,
      ...failureHeaders(failure),
    },
    body: {
      type: isThrottle(kind) ? QUOTA_TYPE : "about:blank",
      title: isThrottle(kind) ? TITLES[kind] : REASONS[status],
      status,
      detail: failureDetail(failure),
      instance: context.instance,
      kind,
      request_id: context.requestId,
      ...extensions(failure),
      ...fittingMember(failure),
      ...waitMember(failure),
      ...upstreamMember(failure),
      ...nearbyMember(failure),
    },
  };
}
