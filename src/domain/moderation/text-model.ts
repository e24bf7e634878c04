import type { Category } from "./category.ts";
import type { Reason, Span, StageResult } from "./verdict.ts";

// What the text model inside the Worker scores (docs/tier0.md). It is a versioned rule and no engine call, so
// it costs nothing.

/** The model's name in stages: the version of its file and its points (src/tier0/weights.ts). */
export const TEXT_MODEL = "neurogate/tier0@1";

/** The judge's categories that it scores. It has no head for the others, which stay not evaluated. */
export const TEXT_MODEL_CATEGORIES = [
  "toxicity",
  "harassment",
  "harassment/threatening",
  "hate",
  "self-harm",
  "sexual",
] as const satisfies readonly Category[];

/** The score from which a head deserves a look. */
export const TEXT_MODEL_FLAG = 0.5;

/**
 * Categories that it may show but never rule out: scored where it sees them, else not evaluated.
 * `sexual/minors` combines words for a young person with what is said about them.
 */
export const TEXT_MODEL_SHOWS = ["sexual/minors"] as const satisfies readonly Category[];

/** Any version: verdicts of older ones are replayed too. */
export const isTextModel = (model: string | null): boolean =>
  model?.startsWith("neurogate/tier0@") === true;

// Which words of a text caused a reason. Only the small text model can say so. The explanation of a language
// model could be manipulated like its verdict.

/** The most reasons that get spans. Each takes about half a millisecond. */
export const MOST_EXPLAINED = 4;

/** The spans that caused a score of the text model. */
export type SpansOf = (of: Category | "injection") => readonly Span[];

/** Whether the text model gave this reason. */
export function isOfTextModel(
  { kind, category, input, score }: Reason,
  stages: readonly StageResult[],
) {
  // Nobody is shown the writing of a picture, so spans in it would mean nothing.
  if (input !== "text") return false;
  if (kind === "injection") return true;
  if (kind !== "score" || category === null) return false;
  return stages.some(
    (stage) =>
      stage.input === input && isTextModel(stage.model) && stage.scores[category] === score,
  );
}

/** The reasons in their order; the first ones of the text model have spans. */
export function explained(
  reasons: readonly Reason[],
  stages: readonly StageResult[],
  spansOf: SpansOf,
): Reason[] {
  let left = MOST_EXPLAINED;
  return reasons.map((reason) => {
    if (left === 0 || !isOfTextModel(reason, stages)) return reason;
    left -= 1;
    const spans = spansOf(
      reason.kind === "injection" ? "injection" : (reason.category ?? "injection"),
    );
    return spans.length === 0 ? reason : { ...reason, spans };
  });
}
