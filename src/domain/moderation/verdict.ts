import type { Category, Scores } from "./category.ts";
import type { Basis } from "../ledger/ledger.ts";
import type { InputName } from "./plan-moderation.ts";

// The outcome of moderating one content item.

/** From the worst to the best; `not_required` says that nothing was asked. */
export const CHECK_STATUSES = [
  "failed",
  "timed_out",
  "not_evaluated",
  "evaluated",
  "not_required",
] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/**
 * How a category was looked at; `calibrated`: not by itself, but the text model decided of the text within
 * what the tenant measured of it (`calibration.ts`).
 */
export type CoverageStatus = CheckStatus | "calibrated";

/** From the worst to the best. */
export const COVERAGE_STATUSES = [
  "failed",
  "timed_out",
  "not_evaluated",
  "calibrated",
  "evaluated",
  "not_required",
] as const satisfies readonly CoverageStatus[];

export const worst = <Status extends CoverageStatus>(
  statuses: readonly Status[],
): Status | "not_required" =>
  COVERAGE_STATUSES.find((status): status is Status & CoverageStatus =>
    (statuses as readonly CoverageStatus[]).includes(status),
  ) ?? "not_required";

/** A check that was asked for and not made. */
export type UncheckedStatus = Exclude<CheckStatus, "evaluated" | "not_required">;

export const isUnchecked = (status: CoverageStatus): status is UncheckedStatus =>
  status === "failed" || status === "timed_out" || status === "not_evaluated";

/** Something was asked for that was not evaluated, required or not. */
export const isPartial = ({ coverage }: Pick<Verdict, "coverage">): boolean =>
  Object.values(coverage).some(isUnchecked);

export const DECISIONS = ["allow", "flag", "block"] as const;
export type Decision = (typeof DECISIONS)[number];

export const ACTIONS = ["hide_content", "warn_user", "ban_user", "offer_help"] as const;
export type Action = (typeof ACTIONS)[number];

export const REASON_KINDS = ["score", "term", "label", "injection", "unavailable", "test"] as const;

/** A place in a text, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Reason {
  readonly kind: (typeof REASON_KINDS)[number];
  readonly category: Category | null;
  readonly input: InputName;
  readonly score: number | null;
  readonly threshold: number | null;
  /** For a person to read; it never quotes the content or a term. */
  readonly message: string;
  /** What in the text made it one; for people who review, and never for who wrote it. */
  readonly spans?: readonly Span[];
  /** The block term as the policy has it; as secret as the places. */
  readonly term?: string;
}

/** As everybody may read them. */
export const unexplained = (reasons: readonly Reason[]): Reason[] =>
  reasons.map(({ spans: _spans, term: _term, ...reason }) => reason);

/** In the order in which a verdict shows them. */
export const STAGE_NAMES = [
  "sentiment",
  "spam",
  // Word lists, in verdicts of before there was a text model.
  "lexicon",
  "tier0",
  "judge",
  "labels",
  "picture",
  "vision",
] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** What a picture's pixels say of it; a report, not a judgement. */
export interface PictureMeasurements {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly brightness: number;
  readonly contrast: number;
  readonly colourfulness: number;
}

/** Why a check was not made, or failed. */
export const CHECK_FAILURES = [
  /** The text is in a language that the check does not know. */
  "language",
  /** The text is in no language that can be told, and has too few words that the check knows. */
  "unknown_words",
  /** The text goes on beyond what is read. */
  "too_long",
  "too_many_pixels",
  /** Nothing here answers such a question. */
  "no_judge",
  /** What is written in the picture is not known: the vision model did not say, or failed. */
  "text_unread",
  /** The call holds nothing for it. */
  "not_held",
  /** The picture could not be fetched. */
  "picture_unavailable",
  /** The picture could not be decoded, or the model for it is not there. */
  "picture_unreadable",
  /** The text model inside the Worker is not there. */
  "model_unavailable",
  /** The engine turned the call away. */
  "refused",
  "no_capacity",
  /** The Cloudflare account's own allocation of the day is used up. */
  "account_exhausted",
  /** The engine broke, or the connection to it. */
  "upstream_error",
  /** The model answered, and not as it was asked to. */
  "malformed_answer",
  "timed_out",
] as const;

export interface CheckFailure {
  readonly kind: (typeof CHECK_FAILURES)[number];
  /** HTTP. */
  readonly upstream_status?: number;
}

/** One look at one input, by an engine or by our own rules. */
export interface StageResult {
  readonly name: StageName;
  readonly input: InputName;
  /** What ran: a catalogue id or `neurogate/<name>@<version>`; null for rules and what never ran. */
  readonly model: string | null;
  /** The catalogue id whose price was taken; null when it is free. */
  readonly priced_as: string | null;
  readonly engine: string;
  readonly status: CheckStatus;
  readonly scores: Scores;
  readonly latency_ms: number;
  readonly micro_neurons: number;
  readonly basis: Basis;
  readonly measurements: PictureMeasurements | null;
  /** Null: it was evaluated, or not required. Absent in verdicts of before it was told. */
  readonly failure?: CheckFailure | null;
  /** The version of what a language model was told that judged; absent where none did. */
  readonly instructions?: string;
}

/** Urgent: self-harm, threats and children; claimed before all others. */
export const PRIORITIES = ["urgent", "normal"] as const;

export interface Review {
  readonly state: "none" | "open" | "claimed" | "done";
  /** `sample`: it was allowed, and drawn by lot. */
  readonly origin: "policy" | "report" | "appeal" | "sample" | null;
  readonly priority: (typeof PRIORITIES)[number];
  readonly key_id: string | null;
  readonly claim_expires_at: string | null;
  readonly note: string | null;
}

/** A verdict in the names of the wire, times in milliseconds. The contract, section 8. */
export interface Verdict {
  readonly id: string;
  readonly contentId: string | null;
  readonly userId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** ISO 639-1, as given or detected; null: not known. */
  readonly language: string | null;
  readonly decision: Decision;
  readonly approved: boolean;
  readonly decidedBy: "policy" | "review";
  readonly revision: number;
  readonly actions: readonly Action[];
  readonly reasons: readonly Reason[];
  readonly coverage: Readonly<Record<Category, CoverageStatus>>;
  readonly stages: readonly StageResult[];
  readonly microNeurons: number;
  readonly policy: { readonly name: string; readonly version: number };
  readonly review: Review;
  readonly batchId: string | null;
  /** The text was a test input: nothing was looked at (`test-input.ts`). */
  readonly test: boolean;
  /** HMAC of the content under the tenant's own secret, hex. */
  readonly contentHash: string;
  /** Absent: its policy reuses no verdicts, or this content could not be told from others. */
  readonly reuse?: VerdictReuse;
  readonly createdAtMs: number;
}

/** How a verdict may answer for equal contents, or which one answered for it (`reuse.ts`). */
export interface VerdictReuse {
  /** Equal for contents that are judged alike, under the tenant's own secret. */
  readonly key: string;
  /** Its policy advised a ban, before the blocks of the person were counted. */
  readonly bans?: true;
  /** Whose scores these are. Absent: it was judged itself. */
  readonly from?: {
    readonly verdictId: string;
    /** What that one cost. */
    readonly microNeurons: number;
  };
}

/** A verdict as it was decided at one time. */
export interface Revision {
  readonly verdictId: string;
  readonly revision: number;
  readonly decision: Decision;
  readonly approved: boolean;
  readonly decidedBy: Verdict["decidedBy"];
  readonly keyId: string | null;
  readonly note: string | null;
  readonly createdAtMs: number;
}

/**
 * A second opinion is no score of the verdict: it can only raise a flag. Where no judge was planned,
 * the text model's is the first.
 */
const isCounted = ({ name, input }: StageResult, stages: readonly StageResult[]): boolean =>
  name === "tier0"
    ? !stages.some((stage) => stage.name === "judge" && stage.input === input)
    : name !== "lexicon";

/** The maximum over inputs, only of what was evaluated. */
export function scoresOf(stages: readonly StageResult[]): Scores {
  const scores: Partial<Record<Category, number>> = {};
  for (const stage of stages) {
    if (!isCounted(stage, stages)) continue;
    for (const [category, score] of Object.entries(stage.scores) as [Category, number][]) {
      scores[category] = Math.max(scores[category] ?? 0, score);
    }
  }
  return scores;
}

export const NO_REVIEW: Review = {
  state: "none",
  origin: null,
  priority: "normal",
  key_id: null,
  claim_expires_at: null,
  note: null,
};
