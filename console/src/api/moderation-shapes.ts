// Verdicts, policies and what they are of, as the API answers: see `shapes.ts`.

export type Decision = "allow" | "flag" | "block";

export interface CategoryRule {
  readonly inputs: readonly ("text" | "image")[];
  readonly required: boolean;
  readonly flag: number | null;
  readonly block: number | null;
  readonly ban: number | null;
}

/** A string, or how it is compared. */
export type Term =
  | string
  | {
      readonly term: string;
      readonly match?: string | undefined;
      readonly category?: string | undefined;
    };

export interface PolicyBody {
  readonly categories: Readonly<Record<string, CategoryRule>>;
  readonly spam_phrases: readonly string[];
  readonly terms: { readonly block: readonly Term[]; readonly allow: readonly Term[] };
  readonly on_unavailable: Decision;
  readonly evaluate_all: boolean;
  readonly reuse_ttl_s: number;
}

export interface Policy extends PolicyBody {
  readonly name: string;
  readonly version: number;
}

type Decisions = Readonly<Record<Decision, number>>;

export interface PolicyReplay {
  readonly policy: string;
  readonly from: string;
  readonly to: string;
  readonly verdicts: number;
  readonly changed: number;
  readonly by: Readonly<Record<Decision, Decisions>>;
  readonly examples: readonly {
    readonly verdict_id: string;
    readonly from: Decision;
    readonly to: Decision;
    readonly categories: readonly string[];
  }[];
  readonly agreement: {
    readonly reviewed: number;
    readonly current: number;
    readonly proposed: number;
  };
  readonly unscorable: { readonly verdicts: number };
  readonly not_replayed: readonly string[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export type CheckStatus =
  | "failed"
  | "timed_out"
  | "not_evaluated"
  | "calibrated"
  | "evaluated"
  | "not_required";

export interface Stage {
  readonly name: string;
  readonly input: string;
  readonly model: string | null;
  readonly engine: string;
  readonly status: CheckStatus;
  readonly scores: Readonly<Record<string, number | undefined>>;
  readonly latency_ms: number;
  readonly micro_neurons: number;
  readonly basis: string;
}

export interface Reason {
  readonly kind: string;
  readonly category: string | null;
  readonly input: string;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly message: string;
  /** The block term that matched. */
  readonly term?: string;
  /** What in the text made it one, in UTF-16 units. */
  readonly spans?: readonly { readonly start: number; readonly end: number }[];
}

export interface Verdict {
  readonly id: string;
  readonly content_id: string | null;
  readonly user_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly language: string | null;
  readonly decision: Decision;
  readonly approved: boolean;
  readonly partial: boolean;
  readonly decided_by: "policy" | "review";
  /** By the text model inside the Worker, without a judge. */
  readonly decided_by_tier0: boolean;
  readonly revision: number;
  readonly actions: readonly string[];
  readonly reasons: readonly Reason[];
  readonly scores: Readonly<Record<string, number | undefined>>;
  readonly coverage: Readonly<Record<string, CheckStatus>>;
  readonly stages: readonly Stage[];
  readonly micro_neurons: number;
  readonly policy: { readonly name: string; readonly version: number };
  readonly review: {
    readonly state: "none" | "open" | "claimed" | "done";
    readonly origin: "policy" | "report" | "appeal" | "sample" | null;
    readonly priority: "urgent" | "normal";
    readonly key_id: string | null;
    readonly claim_expires_at: string | null;
    readonly note: string | null;
  };
  readonly batch_id: string | null;
  readonly test: boolean;
  readonly reused_from: string | null;
  readonly created_at: string;
}

export interface Revision {
  readonly revision: number;
  readonly decision: Decision;
  readonly decided_by: "policy" | "review";
  readonly key_id: string | null;
  readonly note: string | null;
  readonly created_at: string;
}

export interface Content {
  readonly verdict_id: string;
  readonly text: string | null;
  readonly pictures: readonly ({
    readonly content_type: string;
    readonly bytes: number;
    readonly kept: boolean;
    readonly path: string | null;
  } | null)[];
}

export interface VerdictSums {
  readonly made: number;
  readonly micro_neurons: number;
  readonly micro_neurons_each: number | null;
  readonly reused: number;
  readonly saved_micro_neurons: number;
  readonly spared_stages: number;
  readonly spared_at_most_micro_neurons: number;
  readonly free_checks: number;
}
