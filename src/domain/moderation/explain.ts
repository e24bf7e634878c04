import type { Category } from "./category.ts";
import { isTextModel } from "./text-model.ts";
import type { Reason, Span, StageResult } from "./verdict.ts";

// Which words of a text made a reason, where what judged it can say so: the small text model can, a
// language model's word for it would be one more text that was talked round.

/** Each takes about half a millisecond: more would be no explanation, and no longer quick. */
export const MOST_EXPLAINED = 4;

/** What the text model says of its own scores. */
export type SpansOf = (of: Category | "injection") => readonly Span[];

/** Whether this is a reason that the text model gave. */
export function isOfTextModel(
  { kind, category, input, score }: Reason,
  stages: readonly StageResult[],
) {
  // Writing in a picture has no places that anybody could be shown.
  if (input !== "text") return false;
  if (kind === "injection") return true;
  if (kind !== "score" || category === null) return false;
  return stages.some(
    (stage) =>
      stage.input === input && isTextModel(stage.model) && stage.scores[category] === score,
  );
}

/** The reasons in their order, the first of the text model's with their places. */
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
