import { type Cascade, cascadeOf } from "../domain/moderation/cascade.ts";
import { judge } from "../domain/moderation/decision.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { lowestThreshold, type Policy } from "../domain/moderation/policy.ts";
import type { TermMatches } from "../domain/terms/term-match.ts";
import { spamStages } from "./free-stages.ts";
import { injectionIn, type TextStage } from "./text-stage.ts";

// Where a tenant has calibrated it, the text model decides of a text, and the paid stages are spared.

/**
 * What the text model decides of the text without the paid stages, by the thresholds of the policy; null:
 * they are asked. To pass a text it must be the only opinion that anything depends on.
 */
export function decidedAlone(
  policy: Policy,
  about: {
    readonly read: TextStage | null;
    readonly stages: readonly CheckStage[];
    readonly terms: TermMatches;
    readonly injection: string | null;
  },
): Cascade | null {
  const { read, terms } = about;
  if (read === null || !about.stages.some(({ name }) => name === "judge")) return null;
  const cascade = cascadeOf(policy, read.result);
  if (cascade?.kind !== "allow") return cascade;
  const alone = judge(policy, {
    inputs: ["text"],
    stages: [read.result, ...spamStages(policy, terms)],
    blockedTerms: terms.blocked,
    spamPhrases: terms.spamPhrases,
    injection: about.injection ?? injectionIn(read),
    labels: [],
    cascade,
  });
  return alone.approved ? cascade : null;
}

/** What nothing depends on any more. Sentiment that can flag is asked all the same: it has no stand-in. */
export const isSkipped = ({ categories }: Policy, { name }: CheckStage): boolean =>
  name === "judge" || (name === "sentiment" && lowestThreshold(categories.negativity) === null);
