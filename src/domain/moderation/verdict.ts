import type { Category, Scores } from "./category.ts";
import type { Basis } from "../ledger/ledger.ts";
import type { InputName } from "./plan-moderation.ts";
import { isDecidedAlone } from "./cascade.ts";
import { MICRO_PER_NEURON } from "../ledger/micro-neurons.ts";
import { isoTime } from "../ledger/period.ts";

// The outcome of moderating one content item.

/** From the worst to the best; `not_required`: the check was not needed. */
export const CHECK_STATUSES = [
  "failed",
  "timed_out",
  "not_evaluated",
  "evaluated",
  "not_required",
] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/**
 * How a category was checked. `calibrated`: it was not scored itself, but the text model decided the text
 * within the tenant's calibrated thresholds (`calibration.ts`).
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

/** The status of a check that was asked for and not made. */
export type UncheckedStatus = Exclude<CheckStatus, "evaluated" | "not_required">;

export const isUnchecked = (status: CoverageStatus): status is UncheckedStatus =>
  status === "failed" || status === "timed_out" || status === "not_evaluated";

/** Whether a check was asked for and not made, required or not. */
export const isPartial = ({ coverage }: Pick<Verdict, "coverage">): boolean =>
  Object.values(coverage).some(isUnchecked);

export const DECISIONS = ["allow", "flag", "block"] as const;
export type Decision = (typeof DECISIONS)[number];

export const ACTIONS = ["hide_content", "warn_user", "ban_user", "offer_help"] as const;
export type Action = (typeof ACTIONS)[number];

export const REASON_KINDS = ["score", "term", "label", "injection", "unavailable", "test"] as const;

/** A range of a text, in UTF-16 units. */
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
  /** The parts of the text that caused it; for reviewers, never for the writer. */
  readonly spans?: readonly Span[];
  /** The block term as the policy has it; as secret as the spans. */
  readonly term?: string;
}

/** Reasons without their secret parts, for everybody. */
export const unexplained = (reasons: readonly Reason[]): Reason[] =>
  reasons.map(({ spans: _spans, term: _term, ...reason }) => reason);

/** In the order in which a verdict shows them. */
export const STAGE_NAMES = [
  "sentiment",
  "spam",
  // Word lists, in verdicts from before the text model existed.
  "lexicon",
  "tier0",
  "judge",
  "labels",
  "picture",
  "vision",
] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** Measures of a picture's pixels; they report and do not judge. */
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
  /** No language can be detected, and the text has too few words that the check knows. */
  "unknown_words",
  /** The text continues beyond the part that is read. */
  "too_long",
  "too_many_pixels",
  /** No model or rule here answers this question. */
  "no_judge",
  /** The writing in the picture is unknown: the vision model did not report it, or failed. */
  "text_unread",
  /** The hold of the call does not cover it. */
  "not_held",
  /** The picture could not be fetched. */
  "picture_unavailable",
  /** The picture could not be decoded, or its model is missing. */
  "picture_unreadable",
  /** The text model inside the Worker is missing. */
  "model_unavailable",
  /** The engine refused the call. */
  "refused",
  "no_capacity",
  /** The Cloudflare account's own daily allocation is used up. */
  "account_exhausted",
  /** The engine failed, or the connection to it. */
  "upstream_error",
  /** The model's answer was not in the form that was asked for. */
  "malformed_answer",
  "timed_out",
] as const;

export interface CheckFailure {
  readonly kind: (typeof CHECK_FAILURES)[number];
  /** HTTP status. */
  readonly upstream_status?: number;
  /** Of `no_capacity`: how long the engine asked to wait, 1 s to 1 h; absent: it does not say. */
  readonly retry_after_ms?: number;
}

/** One check of one input, by an engine or by our own rules. */
export interface StageResult {
  readonly name: StageName;
  readonly input: InputName;
  /**
   * The model that ran: a catalogue id or `neurogate/<name>@<version>`; null for rules and for stages that
   * did not run.
   */
  readonly model: string | null;
  /** The catalogue id whose price applied; null when it is free. */
  readonly priced_as: string | null;
  readonly engine: string;
  readonly status: CheckStatus;
  readonly scores: Scores;
  readonly latency_ms: number;
  readonly micro_neurons: number;
  readonly basis: Basis;
  readonly measurements: PictureMeasurements | null;
  /** Null: it was evaluated, or not required. Absent in older verdicts. */
  readonly failure?: CheckFailure | null;
  /** The version of the instructions to the language model that judged; absent if none did. */
  readonly instructions?: string;
  /** Of a judge: the text is in the sample of texts under calibrated thresholds (`cascade.ts`). */
  readonly sample?: DecidedSample;
}

/** What the judge found in a text of the sample. */
export interface DecidedSample {
  /** The decision of the text model; null: it left the text to the judge. */
  readonly decided: "allow" | "block" | null;
  /** Of a block: its category. */
  readonly blockedFor?: Category;
  /** The categories in which the judge's score reaches a threshold of the policy. */
  readonly harmful: readonly Category[];
}

/** Urgent: self-harm, threats and children; a claim takes these first. */
export const PRIORITIES = ["urgent", "normal"] as const;

export interface Review {
  readonly state: "none" | "open" | "claimed" | "done";
  /** `sample`: it was allowed, and drawn at random. */
  readonly origin: "policy" | "report" | "appeal" | "sample" | null;
  readonly priority: (typeof PRIORITIES)[number];
  readonly key_id: string | null;
  readonly claim_expires_at: string | null;
  readonly note: string | null;
}

/** A verdict in the names of the wire, times in milliseconds. */
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
  /** The text was a test input: nothing was checked (`test-input.ts`). */
  readonly test: boolean;
  /** HMAC of the content under the tenant's own secret, hex. */
  readonly contentHash: string;
  /** Absent: its policy reuses no verdicts, or this content cannot be compared with others. */
  readonly reuse?: VerdictReuse;
  readonly createdAtMs: number;
}

/** How a verdict may answer for equal contents, or which verdict answered for it (`reuse.ts`). */
export interface VerdictReuse {
  /** Equal for contents that are judged alike; keyed with the tenant's own secret. */
  readonly key: string;
  /** Its policy advised a ban, before the user's blocks were counted. */
  readonly bans?: true;
  /** The verdict whose scores these are. Absent: it was judged itself. */
  readonly from?: {
    readonly verdictId: string;
    /** The cost of that verdict. */
    readonly microNeurons: number;
  };
}

/** One decision in the history of a verdict. */
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
 * A second opinion is not a score of the verdict: it can only raise a flag. Where no judge was planned, the
 * text model is the first opinion.
 */
const isCounted = ({ name, input }: StageResult, stages: readonly StageResult[]): boolean =>
  name === "tier0"
    ? !stages.some((stage) => stage.name === "judge" && stage.input === input)
    : name !== "lexicon";

/** The maximum over inputs, of evaluated categories only. */
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

/** The review of a verdict that was just made. */
export function firstReview({
  opensReview,
  isDrawn,
  priority,
}: {
  readonly opensReview: boolean;
  /** Drawn at random among the approved verdicts. */
  readonly isDrawn: boolean;
  readonly priority: Review["priority"];
}): Review {
  if (!opensReview && !isDrawn) return { ...NO_REVIEW, priority };
  return { ...NO_REVIEW, state: "open", origin: opensReview ? "policy" : "sample", priority };
}

/**
 * A verdict in replies and webhooks, without the spans in the text that caused it: they would teach its
 * writer how to avoid a match.
 */
export const toVerdict = (verdict: Verdict) => ({
  id: verdict.id,
  object: "verdict" as const,
  content_id: verdict.contentId,
  user_id: verdict.userId,
  metadata: verdict.metadata,
  language: verdict.language,
  decision: verdict.decision,
  approved: verdict.approved,
  partial: isPartial(verdict),
  decided_by: verdict.decidedBy,
  decided_by_tier0: isDecidedAlone(verdict.stages),
  revision: verdict.revision,
  actions: verdict.actions,
  reasons: unexplained(verdict.reasons),
  scores: scoresOf(verdict.stages),
  coverage: verdict.coverage,
  stages: verdict.stages.map((stage) => ({
    name: stage.name,
    input: stage.input,
    model: stage.model,
    engine: stage.engine,
    status: stage.status,
    scores: stage.scores,
    latency_ms: stage.latency_ms,
    micro_neurons: stage.micro_neurons,
    basis: stage.basis,
    priced_as: stage.priced_as,
    measurements: stage.measurements,
    failure: stage.failure ?? null,
    instructions: stage.instructions ?? null,
    sampled: (stage.sample?.decided ?? null) !== null,
  })),
  micro_neurons: verdict.microNeurons,
  neurons: verdict.microNeurons / MICRO_PER_NEURON,
  policy: verdict.policy,
  review: { ...verdict.review, sampled: verdict.review.origin === "sample" },
  batch_id: verdict.batchId,
  test: verdict.test,
  reused_from: verdict.reuse?.from?.verdictId ?? null,
  created_at: isoTime(verdict.createdAtMs),
});

/** A verdict for reviewers, with the spans. */
export const toExplained = (verdict: Verdict) => ({
  ...toVerdict(verdict),
  reasons: verdict.reasons,
});
