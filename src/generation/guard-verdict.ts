import { CATEGORIES, forEach } from "../domain/moderation/category.ts";
import { DECISIONS, type Verdict, worst } from "../domain/moderation/verdict.ts";

/** One verdict for several windows of a text, with the worst of each part. @throws Error without a verdict */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = verdicts;
  if (first === undefined) throw new Error("no window was judged");
  if (others.length === 0) return first;
  const decision = DECISIONS.findLast((one) =>
    verdicts.some((verdict) => verdict.decision === one),
  );
  return {
    ...first,
    decision: decision ?? first.decision,
    approved: verdicts.every(({ approved }) => approved),
    reasons: verdicts.flatMap(({ reasons }) => reasons),
    stages: verdicts.flatMap(({ stages }) => stages),
    coverage: forEach(CATEGORIES, (category) =>
      worst(verdicts.map(({ coverage }) => coverage[category])),
    ),
  };
}
