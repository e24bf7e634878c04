import type { Failure, FailureKind, Rejection } from "../domain/ledger/failure.ts";
import { isoTime } from "../domain/ledger/period.ts";
import { failureDetail } from "./failure-detail.ts";
import { failureHeaders, resetsAtMs } from "./failure-headers.ts";
import { statusOf } from "./failure-status.ts";
import { jsonPointer, paramName } from "./field-errors.ts";
import {
  type ErrorContext,
  type ErrorReply,
  fittingMember,
  nearbyMember,
  reasonMember,
  upstreamMember,
  waitMember,
} from "./problem.ts";

// A failure in the envelope of Cloudflare's API. The codes are Workers AI's own, so that clients which
// branch on them still work; `kind`, `request_id` and `resets_at` are extra keys.
// https://developers.cloudflare.com/workers-ai/platform/errors/

interface EnvelopeError {
  readonly code: number;
  readonly message: string;
  /** As Cloudflare's API names a wrong field: `/images/0/url`. */
  readonly source?: { readonly pointer: string };
  readonly kind: FailureKind;
  readonly request_id: string;
  /** Only on a 429. */
  readonly resets_at?: string;
  /** With `account_quota_exceeded`, where a smaller call may be admitted. */
  readonly reason?: string;
  readonly fitting_max_tokens?: number;
  /** With `engine_busy`: how long the engine asks to wait. */
  readonly retry_after_ms?: number;
  readonly upstream?: Rejection;
  readonly nearby?: readonly string[];
}

export interface WorkersAiError {
  readonly result: null;
  readonly success: false;
  readonly errors: readonly EnvelopeError[];
  readonly messages: readonly [];
}

const AUTHENTICATION = 10_000;
const BODY = 3003;
const QUOTA = 3036;
const CAPACITY = 3040;
const MODEL = 5007;
const TIMED_OUT = 3007;
/** "Internal server error": it is in no table, but Workers AI sends it. */
const INTERNAL = 3043;
/** Cloudflare's own code for an unknown path. */
const NO_ROUTE = 7003;
const NO_METHOD = 7001;

const CODES: Readonly<Record<FailureKind, number>> = {
  invalid_key: AUTHENTICATION,
  tenant_suspended: AUTHENTICATION,
  role_required: AUTHENTICATION,
  model_not_allowed: MODEL,
  model_not_found: MODEL,
  model_retired: MODEL,
  unpriced_model: MODEL,
  engine_unsupported: MODEL,
  upstream_rejected: BODY,
  invalid_request: BODY,
  unbounded_usage: BODY,
  unsupported_parameter: BODY,
  over_limit: BODY,
  body_too_large: BODY,
  unsupported_media_type: BODY,
  comment_refused: BODY,
  idempotency_key_reused: BODY,
  idempotency_in_progress: BODY,
  idempotency_replay_unavailable: BODY,
  review_conflict: BODY,
  apply_conflict: BODY,
  session_busy: BODY,
  webhook_disabled: BODY,
  version_conflict: BODY,
  not_found: NO_ROUTE,
  method_not_allowed: NO_METHOD,
  quota_exceeded: QUOTA,
  overage_cap_exceeded: QUOTA,
  account_quota_exceeded: QUOTA,
  rate_limited: CAPACITY,
  quota_reserved: CAPACITY,
  concurrency_exceeded: CAPACITY,
  engine_busy: CAPACITY,
  engine_timeout: TIMED_OUT,
  engine_failed: INTERNAL,
  unavailable: INTERNAL,
  storage_full: INTERNAL,
  settlement_unavailable: INTERNAL,
  internal: INTERNAL,
};

const sourceOf = (path: readonly (string | number)[]): Pick<EnvelopeError, "source"> =>
  path.length === 0 ? {} : { source: { pointer: jsonPointer(path).slice(1) } };

function errorsOf(
  failure: Failure,
): readonly (Pick<EnvelopeError, "source"> & { message: string })[] {
  switch (failure.kind) {
    case "invalid_request":
      if (failure.errors.length === 0) return [{ message: failureDetail(failure) }];
      return failure.errors.map(({ path, detail }) => ({
        message: `${paramName(path) ?? "The body"} ${detail}.`,
        ...sourceOf(path),
      }));
    case "unsupported_parameter":
      return [{ message: failure.detail, ...sourceOf([failure.parameter]) }];
    default:
      return [{ message: failureDetail(failure) }];
  }
}

export function toWorkersAiError(
  failure: Failure,
  { requestId }: ErrorContext,
): ErrorReply<WorkersAiError> {
  const { kind } = failure;
  const resets = "neurons" in failure ? { resets_at: isoTime(resetsAtMs(failure)) } : {};
  return {
    status: statusOf(failure),
    headers: {
      "Content-Type": "application/json",
      "x-request-id": requestId,
      ...failureHeaders(failure),
    },
    body: {
      result: null,
      success: false,
      errors: errorsOf(failure).map((error) => ({
        code: CODES[kind],
        ...error,
        kind,
        request_id: requestId,
        ...resets,
        ...reasonMember(failure),
        ...fittingMember(failure),
        ...waitMember(failure),
        ...upstreamMember(failure),
        ...nearbyMember(failure),
      })),
      messages: [],
    },
  };
}
