import type { Failure, FailureKind } from "../domain/ledger/failure.ts";

// The status of each kind. All error shapes and the OpenAPI document read it here.

export const STATUS = {
  invalid_key: 401,
  tenant_suspended: 403,
  role_required: 403,
  model_not_allowed: 403,
  invalid_request: 400,
  unpriced_model: 400,
  unbounded_usage: 400,
  unsupported_parameter: 400,
  over_limit: 400,
  not_found: 404,
  method_not_allowed: 405,
  model_not_found: 404,
  model_retired: 404,
  body_too_large: 413,
  unsupported_media_type: 415,
  comment_refused: 400,
  idempotency_key_reused: 422,
  idempotency_in_progress: 409,
  idempotency_replay_unavailable: 409,
  session_busy: 409,
  review_conflict: 409,
  apply_conflict: 409,
  webhook_disabled: 409,
  /** RFC 9110, 13.1.1: a failed `If-Match`. */
  version_conflict: 412,
  quota_exceeded: 429,
  overage_cap_exceeded: 429,
  account_quota_exceeded: 429,
  rate_limited: 429,
  quota_reserved: 429,
  concurrency_exceeded: 429,
  /** Or 413 or 422, as the engine answered: see `statusOf`. */
  upstream_rejected: 400,
  engine_unsupported: 501,
  engine_failed: 502,
  engine_busy: 503,
  engine_timeout: 504,
  unavailable: 503,
  storage_full: 503,
  settlement_unavailable: 503,
  internal: 500,
} as const satisfies Record<FailureKind, number>;

/** Where the engine rejected the request itself, its own status is used. */
export const statusOf = (failure: Failure): Status =>
  failure.kind === "upstream_rejected" ? failure.upstream.status : STATUS[failure.kind];

/** Every status that a kind may come with. */
export const statusesOf = (kind: FailureKind): readonly Status[] =>
  kind === "upstream_rejected" ? [400, 413, 422] : [STATUS[kind]];

type Status = (typeof STATUS)[FailureKind];

/** RFC 9110's names: the titles of problems whose type is `about:blank` (RFC 9457, 4.2.1). */
export const REASONS: Readonly<Record<Status, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};
