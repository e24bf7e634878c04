import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { PlannedStage } from "../../src/domain/moderation/stage.ts";
import type { NewDocument } from "../../src/domain/documents/document.ts";
import type { MeasuredTask } from "../../src/domain/documents/plan-analysis.ts";
import type { TaskReport } from "../../src/domain/documents/task.ts";
import type { KeptContent } from "../../src/domain/moderation/kept-content.ts";
import type { Refusal } from "../../src/domain/ledger/admission.ts";
import type {
  AccessFailure,
  ConflictFailure,
  NeuronBalance,
  RequestFailure,
  ServiceFailure,
} from "../../src/domain/ledger/failure.ts";
import type { GuardModes } from "../../src/domain/moderation/guard.ts";
import type {
  CallId,
  CallParent,
  Hold,
  Item,
  JournalLine,
  Settlement,
} from "../../src/domain/ledger/ledger.ts";
import type { GenerationFailure, Measured } from "../../src/domain/generation/plan-generation.ts";
import type { TextToEmbed } from "../../src/domain/search/vector-set.ts";
import type { MeasuredContent } from "../../src/domain/moderation/plan-moderation.ts";
import type { Policy } from "../../src/domain/moderation/policy.ts";
import type { RateStatus } from "../../src/domain/ledger/rate-limit.ts";
import type { Role } from "../../src/domain/tenant/role.ts";
import type { Verdict } from "../../src/domain/moderation/verdict.ts";

// What the router and a tenant's object say to each other in a governed call. Every message can be
// repeated with the same answer, since it names its call.

/** The caller. The object checks a key and its role in the transaction of the request. */
export type Caller =
  | {
      readonly kind: "key";
      /** SHA-256 of the key's secret, hex. */
      readonly secretHash: string;
      /** The roles that may ask this; `manage` always may. */
      readonly roles: readonly Role[];
      /** The key came in a way in which one of role `score` may come, and no other. */
      readonly scoreOnly?: true;
    }
  | { readonly kind: "platform" };

export interface Idempotency {
  readonly key: string;
  /** SHA-256 of the request's body, hex. */
  readonly fingerprint: string;
}

export type AdmitRequest = ModerationAdmit | GenerationAdmit | DocumentAdmit | ScoringAdmit;

/** What every admission has. */
export interface CallAdmit extends CallParent {
  readonly callId: CallId;
  readonly requestId: string;
  /** The route as a label: `POST /v1/verdicts`. Idempotency keys are kept per route. */
  readonly route: string;
  readonly caller: Caller;
  readonly userId: string | null;
  /** The caller's own label, kept with the line; null: there is none. */
  readonly context: string | null;
  readonly idempotency: Idempotency | null;
  /** Its unit of `requests` was taken by work that came before the admission; absent: it is taken now. */
  readonly requestTaken?: true;
}

export interface ModerationAdmit extends CallAdmit {
  readonly kind: "moderation";
  readonly contents: readonly MeasuredContent[];
  /** The ids that the verdicts will have, one for each content. */
  readonly verdictIds: readonly string[];
  readonly policy: PolicyRequest;
  /**
   * Of each content what it has in common with those that are judged alike, as a digest (hex); null:
   * there is none. Absent: its policy is known to reuse no verdicts.
   */
  readonly reuseKeys?: readonly (string | null)[];
}

export interface GenerationAdmit extends CallAdmit {
  readonly kind: "generation";
  /** As the caller named it: a catalogue id or one of the tenant's aliases. */
  readonly model: string;
  readonly measured: Measured;
  /** Cut the answer's `max_tokens` to what may still be used, rather than refuse. */
  readonly fit: boolean;
  /** A stream may go on for longer than a reply, and so may its hold. */
  readonly streamed: boolean;
  /** Null for what is not guarded, whatever the tenant's policy says. */
  readonly guard: GuardPolicyRequest | null;
  /** Pictures that will be stored; absent: none are. */
  readonly stores?: number;
  /** The answer is to be kept as a response, where the tenant keeps any. */
  readonly keepsResponse?: true;
  /** The document's text that it embeds: only one call at a time does. Absent: of none. */
  readonly embeds?: TextToEmbed;
}

/** A document is stored, or worked on, or both. */
export interface DocumentAdmit extends CallAdmit {
  readonly kind: "document";
  /** What is to be stored; absent: nothing is. */
  readonly document?: NewDocument;
  /** As the caller named it; null: the default of documents. */
  readonly model: string | null;
  /** The tasks that ask a model. */
  readonly tasks: readonly MeasuredTask[];
}

/** A text is scored inside the Worker: nothing is stored, and unless a judge is held for it is free. */
export interface ScoringAdmit extends CallAdmit {
  readonly kind: "scoring";
  /** A text that a judge may read, where the tenant's `perspective_fallback` allows it. Absent: none may. */
  readonly judged?: MeasuredContent;
}

/** What a guard of this call would need; whether there is one, the policy and the caller decide. */
export interface GuardPolicyRequest {
  readonly policy: PolicyRequest;
  /** The caller's wish: the stricter of it and the policy holds. */
  readonly modes: GuardModes;
  readonly prompt: MeasuredContent;
}

export interface PolicyRequest {
  /** Null: the default one. */
  readonly name: string | null;
  /** The tag of the version that the router holds already: its body is not sent again. */
  readonly known: string | null;
}

/** What is left, for the headers of a reply. */
export interface LimitStatus {
  readonly neurons: NeuronBalance;
  readonly rates: readonly RateStatus[];
  readonly nowMs: number;
}

export interface AdmittedPolicy {
  readonly name: string;
  readonly version: number;
  /** Names the generation and the version: versions begin anew with each generation. */
  readonly tag: string;
  /** Null when the router named the tag as known. */
  readonly body: Policy | null;
}

/** What the router must know to give an earlier answer again. */
export interface CacheTerms {
  readonly tenant: string;
  /** Of the tenant id. */
  readonly generation: number;
  /** The tenant's own, hex: nobody else can read what its keys stand for. */
  readonly secret: string;
  readonly ttlS: number;
  readonly maxTemperature: number;
}

/** How equal contents are answered alike. */
export interface ReuseTerms {
  /** What the verdict of this content is to be kept under: keyed by the tenant's own secret. */
  readonly key: string;
  /** The verdict that answers this content: none of its checks is held for. Null: it is judged. */
  readonly source: Verdict | null;
}

export interface Admitted {
  readonly kind: "admitted";
  readonly hold: Hold;
  /** Null for a call in which nothing is moderated. */
  readonly policy: AdmittedPolicy | null;
  /** Of a call whose reply may begin before it is settled; else null. */
  readonly limits: LimitStatus | null;
  /** Absent where the tenant has not turned the cache on. */
  readonly cache?: CacheTerms;
  /** The contents are kept for people to see; absent: they are not. */
  readonly keepsContent?: true;
  /** The answer may be kept as a response; absent: it is not. */
  readonly keepsResponse?: true;
  /** Of a scored text: a label of it would be kept. */
  readonly keepsSuggestions?: true;
  /** By content; absent: none is reused. */
  readonly reuse?: readonly (ReuseTerms | null)[];
  /** Of the tenant: files elsewhere are kept under it, and erased with it. */
  readonly generation: number;
}

/** A reply as it was sent, kept for a caller that named its request: at most `MAX_REPLY_BYTES`. */
export interface StoredReply {
  readonly contentType: string;
  readonly body: ArrayBuffer;
  /** Ids of stored documents whose text it may quote: it goes with the first of them. Absent: of none. */
  readonly quotes?: readonly string[];
}

export interface Replayed {
  readonly kind: "replayed";
  readonly verdicts: readonly Verdict[];
  /** Of a generation, which has no verdicts. */
  readonly reply: StoredReply | null;
  readonly line: JournalLine;
  readonly standing: LimitStatus;
}

export type AdmitFailure =
  | AccessFailure
  | Refusal
  | GenerationFailure
  | Extract<RequestFailure, { kind: "invalid_request" }>
  | Extract<
      ConflictFailure,
      {
        kind:
          | "idempotency_key_reused"
          | "idempotency_in_progress"
          | "idempotency_replay_unavailable";
      }
    >
  | Extract<ServiceFailure, { kind: "storage_full" | "unavailable" }>;

export type AdmitReply = Admitted | Replayed | AdmitFailure;

export interface SettleRequest {
  readonly callId: CallId;
  /** What each stage was charged; nothing that ran is left out. */
  readonly items: readonly Item[];
  readonly verdicts: readonly Verdict[];
  /** What the call learned of the Cloudflare account's own allocation; null: nothing. */
  readonly account: "exhausted" | "answered" | null;
  /** Of a generation, to be given again to who repeats its idempotency key; null: not kept. */
  readonly reply: StoredReply | null;
  /** What was moderated, where the admission says that it is kept. */
  readonly contents?: readonly KeptContent[];
  /** How the tasks of a document that is now in the bucket ended. Null: it is not stored. */
  readonly documentTasks?: readonly TaskReport[] | null;
  /** The key of a set of vectors that is now in its place: it is found from this line on. */
  readonly vectors?: string;
}

export interface SettleReply {
  readonly settlement: Settlement;
  /**
   * As they are stored. Null: as they were sent with this settle, at `standing.nowMs` and with a
   * keyed hash; what the router has just sent is not sent back.
   */
  readonly verdicts: readonly Verdict[] | null;
  readonly standing: LimitStatus | null;
  /** The document of the call was deleted while the call ran. */
  readonly documentGone?: true;
}

export type MeasuredGeneration = Pick<GenerationAdmit, "kind" | "model" | "measured" | "fit"> &
  Partial<Pick<GenerationAdmit, "guard">>;

/** A call as far as it must be known to be priced: sizes and names, never content. */
export type QuotedCall =
  | MeasuredGeneration
  | {
      readonly kind: "moderation";
      readonly contents: readonly MeasuredContent[];
      readonly policyName: string | null;
    };

export interface Quoted {
  readonly kind: "quoted";
  readonly stages: readonly PlannedStage[];
  /** The least that an answered call is charged. */
  readonly least: MicroNeurons;
  /** What would be held; `neurons.required`. */
  readonly neurons: NeuronBalance;
  /** With which kind such a call would be refused at this moment; null: it would be admitted. */
  readonly refusal: AdmitFailure["kind"] | null;
}
