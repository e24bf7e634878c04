import type { Category } from "./category.ts";
import { isTextModel } from "./text-model.ts";
import type { Reason, Span, StageResult } from "./verdict.ts";

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
