import type { MicroNeurons } from "./micro-neurons.ts";
import type { MonthBalance } from "./quota.ts";
import type { RateStatus } from "./rate-limit.ts";
import type { Role } from "../tenant/role.ts";

// Every way in which a call can be refused or fail, as one union. Its tags are the wire codes.
// `http/problem.ts` and `http/openai-error.ts` map each of them; a new kind does not compile until both do.

/** One wrong field of a request. It is made from types and paths and never quotes the received value. */
export interface FieldError {
  /** The path in the body, query or headers: `["images", 0, "url"]`. */
  readonly path: readonly (string | number)[];
  /** What is expected there: `must start with https:`. */
  readonly detail: string;
}

/** The day's neurons at the time of a refusal. */
export interface NeuronBalance {
  /** Null: no limit (the paid plan with unlimited overage). */
  readonly limit: MicroNeurons | null;
  readonly posted: MicroNeurons;
  readonly pending: MicroNeurons;
  readonly available: MicroNeurons | null;
  /** The upper bound of the refused call's use. */
  readonly required: MicroNeurons;
  /** 00:00 UTC of the next day, in milliseconds. */
  readonly dayEndsAtMs: number;
  /** `daily_neurons` of the settings, for headers and sentences, in µN. */
  readonly dailyQuota: MicroNeurons;
  /** Absent: the tenant's month has no cap. */
  readonly month?: MonthBalance;
}

export const QUOTA_KINDS = [
  "quota_exceeded",
  "overage_cap_exceeded",
  "account_quota_exceeded",
] as const;

/** For a text generation with a bound that does not fit. */
export interface Fitting {
  /** The most tokens of each answer with which the same call would fit now; absent: none would. */
  readonly fittingMaxTokens?: number;
}

/** Which limit on neurons has no room. Absent: the day's. */
interface OfPolicy {
  readonly policy?: "monthly";
}

/** Refusals that a repeat does not change before the end of the day or the month, or before `againAtMs`. */
export interface QuotaFailure extends Fitting, OfPolicy {
  readonly kind: (typeof QUOTA_KINDS)[number];
  /** For the account: the call needs more than all that is unspent. A smaller one may be admitted. */
  readonly reason?: "too_large_for_account";
  /** When a repeat may succeed, if that is before the end of the day. */
  readonly againAtMs?: number;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

export interface RateFailure {
  readonly kind: "rate_limited";
  /** The classes that had no room, e.g. `["text_generation"]`. */
  readonly violated: readonly string[];
  /** `requests` and the call's own classes, at the time of the refusal. */
  readonly rates: readonly RateStatus[];
  /** When the same call would fit the rates. */
  readonly fitsAtMs: number;
  /**
   * The limit is a user's pictures of the day, not a rate: it ends at 00:00 UTC. `ofNobody`: it is that of
   * the calls that name no user.
   */
  readonly userPictures?: {
    readonly limit: number;
    readonly used: number;
    readonly ofNobody?: true;
  };
  /** The account behind all tenants has no room; the tenant's own rate has. */
  readonly ofAccount?: true;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

/** Pending holds of other calls, or leases of other tenants, take the room: this passes. */
export interface ReservedFailure extends Fitting, OfPolicy {
  readonly kind: "quota_reserved";
  /** The room is leased to other tenants; some of it may be back by then. */
  readonly againAtMs?: number;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

export interface ConcurrencyFailure {
  readonly kind: "concurrency_exceeded";
  readonly limit: number;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

export type ThrottleFailure = RateFailure | ReservedFailure | ConcurrencyFailure;

export type RequestFailure =
  | {
      readonly kind: "invalid_request";
      readonly errors: readonly FieldError[];
      /** OpenAI's own name of the error, which its clients branch on. */
      readonly code?: "previous_response_not_found";
    }
  | { readonly kind: "unpriced_model"; readonly model: string }
  /** `field` names the field without a bound, if there is one. */
  | { readonly kind: "unbounded_usage"; readonly detail: string; readonly field?: string }
  | { readonly kind: "unsupported_parameter"; readonly parameter: string; readonly detail: string }
  /** Needs more than the limit can ever give; `detail` says what would fit. */
  | ({ readonly kind: "over_limit"; readonly detail: string } & Fitting)
  /** `field` names the file that alone is too large, if there is one. */
  | { readonly kind: "body_too_large"; readonly limitBytes: number; readonly field?: string }
  | { readonly kind: "unsupported_media_type"; readonly expected: string };

export type AccessFailure =
  /** `why` is for the Perspective routes only: no key was sent, or only a key of role `score` is accepted. */
  | { readonly kind: "invalid_key"; readonly why?: "missing" | "score_only" }
  | { readonly kind: "tenant_suspended" }
  | { readonly kind: "role_required"; readonly roles: readonly Role[] }
  | { readonly kind: "model_not_allowed"; readonly model: string };

/** The Perspective API's names for what is wrong with a comment. */
export type CommentErrorType =
  | "COMMENT_EMPTY"
  | "COMMENT_TOO_LONG"
  | "NO_REQUESTED_ATTRIBUTES"
  | "LANGUAGE_DETECTION_FAILED"
  | "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
  | "INVALID_REQUEST";

export interface CommentFailure {
  readonly kind: "comment_refused";
  readonly errorType: CommentErrorType;
  /** The original's sentence, which clients compare. */
  readonly detail: string;
  /** Only with `LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE`. */
  readonly attribute?: { readonly name: string; readonly detectedLanguages: readonly string[] };
}

export type LookupFailure =
  /** `what` names the kind of thing ("verdict"), never its owner. */
  | {
      readonly kind: "not_found";
      readonly what: string;
      /** For a path: existing paths that may be meant, as OpenAPI writes them. */
      readonly nearby?: readonly string[];
    }
  /** The path exists with these methods only. */
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly kind: "model_not_found"; readonly model: string }
  | { readonly kind: "model_retired"; readonly model: string; readonly replacement: string | null };

export type ConflictFailure =
  | { readonly kind: "idempotency_key_reused" }
  /** `what`: another call embeds the same text of a document, whatever the key. */
  | { readonly kind: "idempotency_in_progress"; readonly what?: "embedding" }
  | {
      readonly kind: "idempotency_replay_unavailable";
      readonly journalLineId: string;
      readonly charged: MicroNeurons;
    }
  /** `subject`: the id of what the first request made, which was deleted or has expired since. */
  | { readonly kind: "idempotency_replay_unavailable"; readonly subject: string }
  /** So many messages of the session are answered or wait: no more may, or this one waited for too long. */
  | { readonly kind: "session_busy"; readonly inLine: number }
  | { readonly kind: "review_conflict"; readonly detail: string }
  /** A part contradicts the stored part or its apply, or too many applies are open. */
  | { readonly kind: "apply_conflict"; readonly detail: string }
  /** The endpoint gets no deliveries, so nothing can be sent again. */
  | { readonly kind: "webhook_disabled"; readonly webhook: string }
  /** `If-Match` named another version than the current one. */
  | { readonly kind: "version_conflict"; readonly version: number };

/** An engine's reply to a request that it does not accept. */
export interface Rejection {
  readonly status: 400 | 413 | 422;
  /** The engine's own, e.g. `context_length_exceeded` or 3006. */
  readonly code?: string | number;
  readonly message?: string;
}

/** Codes with which engines reject a request, whatever status they come with; clients act on them. */
export const REJECTION_CODES = [
  "context_length_exceeded",
  "content_filter",
  "content_policy_violation",
] as const;

export type EngineFailure =
  /** The request itself is wrong: a repeat is refused as well. */
  | { readonly kind: "upstream_rejected"; readonly upstream: Rejection; readonly charged: boolean }
  | { readonly kind: "engine_unsupported"; readonly detail: string }
  /** `charged` tells whether a repeat pays again. */
  | {
      readonly kind: "engine_failed" | "engine_timeout";
      readonly charged: boolean;
      /** Present when the engine refuses this deployment's calls for now: a repeat is refused as well. */
      readonly refused?: true;
      /** A sentence about what happened, if it is not simply that the engine gave no answer. */
      readonly detail?: string;
    }
  | {
      readonly kind: "engine_busy";
      readonly charged: boolean;
      /** How long the engine asks to wait, 1 s to 1 h; absent: it does not say. */
      readonly retryAfterMs?: number;
    };

export type ServiceFailure =
  /**
   * Our own object did not answer; nothing was charged. `bodies`: the bodies of requests in progress take so
   * much memory that this one does not fit.
   */
  | { readonly kind: "unavailable"; readonly reason?: "bodies" | "pictures" }
  /**
   * The object is at 90 % of its storage: admissions stop, so that a settle never fails for lack of space.
   */
  | { readonly kind: "storage_full" }
  /** The settle could not be confirmed, so no verdict is returned; the hold is charged. */
  | { readonly kind: "settlement_unavailable" }
  | { readonly kind: "internal" };

export type Failure =
  | AccessFailure
  | RequestFailure
  | CommentFailure
  | LookupFailure
  | ConflictFailure
  | QuotaFailure
  | ThrottleFailure
  | EngineFailure
  | ServiceFailure;

export type FailureKind = Failure["kind"];
