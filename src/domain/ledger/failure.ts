import type { MicroNeurons } from "./micro-neurons.ts";
import type { MonthBalance } from "./month-quota.ts";
import type { RateStatus } from "./rate-limit.ts";
import type { Role } from "../tenant/role.ts";

// Every way in which a call can be refused or fail, as one union: its tags are the wire codes.
// `http/problem.ts` and `http/openai-error.ts` map each of them; a new kind does not compile
// until both do.

/** One wrong field of a request. Built from types and paths: it never quotes what was received. */
export interface FieldError {
  /** The path in the body, query or headers: `["images", 0, "url"]`. */
  readonly path: readonly (string | number)[];
  /** What is expected there: `must start with https:`. */
  readonly detail: string;
}

/** The day's neurons as they stood when a call was refused. */
export interface NeuronBalance {
  /** Null: no limit (the paid plan, its overage unlimited). */
  readonly limit: MicroNeurons | null;
  readonly posted: MicroNeurons;
  readonly pending: MicroNeurons;
  readonly available: MicroNeurons | null;
  /** The upper bound of what the refused call may use. */
  readonly required: MicroNeurons;
  /** 00:00 UTC of the next day, in milliseconds. */
  readonly dayEndsAtMs: number;
  /** `daily_neurons` as set, for headers and sentences, in µN. */
  readonly dailyQuota: MicroNeurons;
  /** Absent: the tenant's month has no cap. */
  readonly month?: MonthBalance;
}

export const QUOTA_KINDS = [
  "quota_exceeded",
  "overage_cap_exceeded",
  "account_quota_exceeded",
] as const;

/** Of a text generation that is too dear as it is asked for. */
export interface Fitting {
  /** The most tokens of each answer with which the same call would fit now; absent: none would. */
  readonly fittingMaxTokens?: number;
}

/** Of neurons: which limit has no room. Absent: the day's. */
interface OfPolicy {
  readonly policy?: "monthly";
}

/** Refusals for which a repeat does not help before the day, or the month, ends; or `againAtMs`. */
export interface QuotaFailure extends Fitting, OfPolicy {
  readonly kind: (typeof QUOTA_KINDS)[number];
  /** Of the account: the call needs more than all that is unspent. A smaller one may be admitted. */
  readonly reason?: "too_large_for_account";
  /** When asking again can help, if that is before the day ends. */
  readonly againAtMs?: number;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

export interface RateFailure {
  readonly kind: "rate_limited";
  /** The classes that had no room, e.g. `["text_generation"]`. */
  readonly violated: readonly string[];
  /** `requests`, the call's own classes, as they stood. */
  readonly rates: readonly RateStatus[];
  /** When one such call would fit, as far as the rates go. */
  readonly fitsAtMs: number;
  /** What stands in the way is a user's pictures of the day, not a rate: it passes at 00:00 UTC. */
  readonly userPictures?: { readonly limit: number; readonly used: number };
  /** It is the account behind all tenants that has no room; of the tenant's own there is some. */
  readonly ofAccount?: true;
  readonly neurons: NeuronBalance;
  readonly nowMs: number;
}

/** Only other calls' pending holds stand in the way, or other tenants' leases: it passes. */
export interface ReservedFailure extends Fitting, OfPolicy {
  readonly kind: "quota_reserved";
  /** It is other tenants' leases, some of which may have come back by then. */
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
  | { readonly kind: "invalid_request"; readonly errors: readonly FieldError[] }
  /** The picture count of OpenAI's own limit has its own code on its routes; ours is a plain one. */
  | { readonly kind: "unpriced_model"; readonly model: string }
  /** `field` where it is one that has no bound. */
  | { readonly kind: "unbounded_usage"; readonly detail: string; readonly field?: string }
  | { readonly kind: "unsupported_parameter"; readonly parameter: string; readonly detail: string }
  /** Needs more than the limit could ever give; `detail` says what would fit. */
  | ({ readonly kind: "over_limit"; readonly detail: string } & Fitting)
  /** `field` where one alone can make it so: a file. */
  | { readonly kind: "body_too_large"; readonly limitBytes: number; readonly field?: string }
  | { readonly kind: "unsupported_media_type"; readonly expected: string };

export type AccessFailure =
  /** Told on the Perspective surface alone: no key was sent, or only one of role `score` would do. */
  | { readonly kind: "invalid_key"; readonly why?: "missing" | "score_only" }
  | { readonly kind: "tenant_suspended" }
  | { readonly kind: "role_required"; readonly roles: readonly Role[] }
  | { readonly kind: "model_not_allowed"; readonly model: string };

/** As the Perspective API names what is wrong with a comment that it is to analyze. */
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
  /** The sentence of the original, which clients compare. */
  readonly detail: string;
  /** Of `LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE`. */
  readonly attribute?: { readonly name: string; readonly detectedLanguages: readonly string[] };
}

export type LookupFailure =
  /** `what` names the kind of thing ("verdict"), never whose it is. */
  | {
      readonly kind: "not_found";
      readonly what: string;
      /** Of a path: those that are there and may be meant, as OpenAPI writes them. */
      readonly nearby?: readonly string[];
    }
  /** The path is there, under these methods. */
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly kind: "model_not_found"; readonly model: string }
  | { readonly kind: "model_retired"; readonly model: string; readonly replacement: string | null };

export type ConflictFailure =
  | { readonly kind: "idempotency_key_reused" }
  | { readonly kind: "idempotency_in_progress" }
  | {
      readonly kind: "idempotency_replay_unavailable";
      readonly journalLineId: string;
      readonly charged: MicroNeurons;
    }
  | { readonly kind: "review_conflict"; readonly detail: string }
  /** A part does not go with what is stored of its apply, or too many applies are open. */
  | { readonly kind: "apply_conflict"; readonly detail: string }
  /** Nothing is delivered to it, so nothing can be sent again. */
  | { readonly kind: "webhook_disabled"; readonly webhook: string }
  /** `If-Match` named another version than the one in force. */
  | { readonly kind: "version_conflict"; readonly version: number };

/** What an engine said of a request that it does not take. */
export interface Rejection {
  readonly status: 400 | 413 | 422;
  /** The engine's own, e.g. `context_length_exceeded` or 3006. */
  readonly code?: string | number;
  readonly message?: string;
}

export type EngineFailure =
  /** The request itself is at fault: a repeat is refused as well. */
  | { readonly kind: "upstream_rejected"; readonly upstream: Rejection; readonly charged: boolean }
  | { readonly kind: "engine_unsupported"; readonly detail: string }
  /** `charged` decides whether a repeat would pay again. */
  | {
      readonly kind: "engine_failed" | "engine_busy" | "engine_timeout";
      readonly charged: boolean;
      /** What happened, where it is not the engine's answer that is missing: a sentence. */
      readonly detail?: string;
    };

export type ServiceFailure =
  /**
   * Our own object did not answer; nothing was charged. `bodies`: so many bytes of requests are held
   * at this moment that this one's do not fit.
   */
  | { readonly kind: "unavailable"; readonly reason?: "bodies" }
  /** The object is at 90 % of its storage: admissions stop, so that a settle never fails for space. */
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
