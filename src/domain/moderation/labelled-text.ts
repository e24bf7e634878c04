import { type Category, forEach, JUDGED_CATEGORIES } from "./category.ts";
import type { Verdict } from "./verdict.ts";

// Texts with a person's judgement, from which thresholds are calibrated (`calibration.ts`).

/**
 * - `given`: sent with the request, drawn at random as the documentation asks;
 * - `sample`: a review of approved content that was drawn at random;
 * - `review`: any other review. A person saw it because something was wrong with it;
 * - `suggestion`: from `comments:suggestscore`. Its client chose it.
 */
export type LabelSource = "given" | "sample" | "review" | "suggestion";

export interface LabelledText {
  readonly text: string;
  /** A person's labels; a category without one is unknown. */
  readonly labels: Readonly<Partial<Record<Category, boolean>>>;
  /** Whether anything in it is harmful. Absent: it follows from the labels of all required categories. */
  readonly harmful?: boolean;
  /** Absent: `given`. */
  readonly source?: LabelSource;
}

/**
 * Whether harmful texts of this source may prove how many harmful texts pass. Those that were flagged were
 * not missed, so they show nothing of the texts that are.
 */
export const isRandom = ({ source = "given" }: Pick<LabelledText, "source">): boolean =>
  source === "given" || source === "sample";

/** UTF-16 units; a longer text is left out, as in a request. */
export const MOST_EXAMPLE_UNITS = 10_000;

/** Texts that one calibration reads. The model needs about a second for a megabyte. */
export const MOST_KEPT = 2000;

export interface KeptExamples {
  readonly fromMs: number;
  readonly toMs: number;
  readonly examples: readonly LabelledText[];
  /** False: there are more than one calibration reads. */
  readonly isAll: boolean;
}

/** Kept suggestions of a tenant; the oldest makes room for the next. */
export const MOST_SUGGESTIONS = 2000;

/** A text that a client labelled with `comments:suggestscore`. */
export interface Suggestion {
  /** `sug_` and a ULID, in the order of time. */
  readonly id: string;
  readonly createdAtMs: number;
  readonly text: string;
  readonly labels: LabelledText["labels"];
}

/** What a person's decision says of the text of a verdict; null: nothing, or not of the text alone. */
export function reviewedText(
  verdict: Verdict,
  content: { readonly text: string | null; readonly pictures: readonly unknown[] },
): LabelledText | null {
  const { text, pictures } = content;
  const isDecided = verdict.decidedBy === "review" && verdict.review.state === "done";
  if (!isDecided || verdict.test || text === null || pictures.length > 0) return null;
  if (text.length > MOST_EXAMPLE_UNITS) return null;
  const source = verdict.review.origin === "sample" ? "sample" : "review";
  if (verdict.decision === "allow") {
    return { text, source, harmful: false, labels: forEach(JUDGED_CATEGORIES, () => false) };
  }
  // The person decided about the whole. Only the categories that the policy named are known.
  const named = verdict.reasons.flatMap(({ kind, category, input }) =>
    kind === "score" && input === "text" && isJudged(category) ? [[category, true] as const] : [],
  );
  return { text, source, harmful: true, labels: Object.fromEntries(named) };
}

const isJudged = (category: Category | null): category is Category =>
  (JUDGED_CATEGORIES as readonly (Category | null)[]).includes(category);
