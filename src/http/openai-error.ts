import {
  type Failure,
  type FailureKind,
  type Rejection,
  REJECTION_CODES,
} from "../domain/ledger/failure.ts";
import { formatNeurons } from "../domain/ledger/micro-neurons.ts";
import { isoTime } from "../domain/ledger/period.ts";
import { failureDetail, fitting } from "./failure-detail.ts";
import { failureHeaders, resetsAtMs } from "./failure-headers.ts";
import { statusOf } from "./failure-status.ts";
import { paramName } from "./field-errors.ts";
import {
  type ErrorContext,
  type ErrorReply,
  fittingMember,
  nearbyMember,
  reasonMember,
  upstreamMember,
  waitMember,
} from "./problem.ts";
import { openAiRateHeaders } from "./rate-headers.ts";

// A failure in OpenAI's shape, which the official clients turn into their error classes by status,
// `type` and `code`. `kind`, `request_id` and `resets_at` are extra keys: clients ignore them.

export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: "invalid_request_error" | "insufficient_quota" | "requests" | "server_error";
    readonly param: string | null;
    readonly code: string;
    readonly kind: FailureKind;
    readonly request_id: string;
    /** Only on a 429. */
    readonly resets_at?: string;
    /** With `account_quota_exceeded`, where a smaller call may be admitted. */
    readonly reason?: string;
    /** For a text generation that would fit with fewer tokens. */
    readonly fitting_max_tokens?: number;
    /** With `engine_busy`: how long the engine asks to wait. */
    readonly retry_after_ms?: number;
    /** The engine's reason for rejecting the request. */
    readonly upstream?: Rejection;
    /** For an unknown path: existing paths that may be meant. */
    readonly nearby?: readonly string[];
  };
}

type ErrorType = OpenAiError["error"]["type"];

/** A code is the kind itself where OpenAI's clients know no better one. */
const TYPES: Readonly<Record<FailureKind, ErrorType>> = {
  invalid_key: "invalid_request_error",
  tenant_suspended: "invalid_request_error",
  role_required: "invalid_request_error",
  model_not_allowed: "invalid_request_error",
  invalid_request: "invalid_request_error",
  unpriced_model: "invalid_request_error",
  unbounded_usage: "invalid_request_error",
  unsupported_parameter: "invalid_request_error",
  over_limit: "invalid_request_error",
  not_found: "invalid_request_error",
  method_not_allowed: "invalid_request_error",
  model_not_found: "invalid_request_error",
  model_retired: "invalid_request_error",
  body_too_large: "invalid_request_error",
  unsupported_media_type: "invalid_request_error",
  comment_refused: "invalid_request_error",
  idempotency_key_reused: "invalid_request_error",
  idempotency_in_progress: "invalid_request_error",
  idempotency_replay_unavailable: "invalid_request_error",
  review_conflict: "invalid_request_error",
  apply_conflict: "invalid_request_error",
  session_busy: "invalid_request_error",
  webhook_disabled: "invalid_request_error",
  version_conflict: "invalid_request_error",
  quota_exceeded: "insufficient_quota",
  overage_cap_exceeded: "insufficient_quota",
  account_quota_exceeded: "insufficient_quota",
  rate_limited: "requests",
  quota_reserved: "requests",
  concurrency_exceeded: "requests",
  upstream_rejected: "invalid_request_error",
  engine_unsupported: "server_error",
  engine_failed: "server_error",
  engine_busy: "server_error",
  engine_timeout: "server_error",
  unavailable: "server_error",
  storage_full: "server_error",
  settlement_unavailable: "server_error",
  internal: "server_error",
};

function codeOf(kind: FailureKind): string {
  if (kind === "invalid_key") return "invalid_api_key";
  if (TYPES[kind] === "insufficient_quota") return "insufficient_quota";
  return TYPES[kind] === "requests" ? "rate_limit_exceeded" : kind;
}

/** Workers AI: the input and `max_tokens` are more than the context window. */
const CONTEXT_EXCEEDED = 5021;

function upstreamCode(failure: Failure): string | null {
  if (failure.kind !== "upstream_rejected") return null;
  if (failure.upstream.code === CONTEXT_EXCEEDED) return "context_length_exceeded";
  return REJECTION_CODES.find((code) => code === failure.upstream.code) ?? null;
}

const requestCode = (failure: Failure): string | null =>
  failure.kind === "invalid_request" ? (failure.code ?? null) : null;

function paramOf(failure: Failure): string | null {
  switch (failure.kind) {
    case "invalid_request":
      return paramName(failure.errors[0]?.path ?? []);
    case "unsupported_parameter":
      return failure.parameter;
    case "body_too_large":
    case "unbounded_usage":
      return failure.field ?? null;
    case "model_not_allowed":
    case "model_not_found":
    case "model_retired":
    case "unpriced_model":
      return "model";
    default:
      return null;
  }
}

/** This shape has no field for the day, so the moment is in the sentence. */
function messageOf(failure: Failure): string {
  if (failure.kind !== "quota_exceeded" || failure.policy !== undefined)
    return failureDetail(failure);
  const { required, available, limit, dailyQuota, dayEndsAtMs } = failure.neurons;
  const of = formatNeurons(limit ?? dailyQuota);
  const free = available === null ? "" : ` and ${formatNeurons(available)} of ${of} are free`;
  return (
    `Daily quota exceeded: this call may need ${formatNeurons(required)} neurons${free}.${fitting(failure)} ` +
    `The quota resets at ${isoTime(dayEndsAtMs)}.`
  );
}

const resetsAt = (failure: Failure): { resets_at?: string } =>
  "neurons" in failure ? { resets_at: isoTime(resetsAtMs(failure)) } : {};

export function toOpenAiError(failure: Failure, context: ErrorContext): ErrorReply<OpenAiError> {
  const { kind } = failure;
  return {
    status: statusOf(failure),
    headers: {
      "Content-Type": "application/json",
      "x-request-id": context.requestId,
      ...failureHeaders(failure),
      ...(failure.kind === "rate_limited" && openAiRateHeaders(failure.rates, failure.nowMs)),
    },
    body: {
      error: {
        message: messageOf(failure),
        type: TYPES[kind],
        param: paramOf(failure),
        code: upstreamCode(failure) ?? requestCode(failure) ?? codeOf(kind),
        kind,
        request_id: context.requestId,
        ...resetsAt(failure),
        ...reasonMember(failure),
        ...fittingMember(failure),
        ...waitMember(failure),
        ...upstreamMember(failure),
        ...nearbyMember(failure),
      },
    },
  };
}
