import { type Cascade, cascadeOf } from "../domain/moderation/cascade.ts";
import { judge } from "../domain/moderation/decision.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { lowestThreshold, type Policy } from "../domain/moderation/policy.ts";
import type { TermMatches } from "../domain/terms/term-match.ts";
import { spamStages } from "./free-stages.ts";
import { injectionIn, type TextStage } from "./text-stage.ts";

// With a tenant's calibrated thresholds the text model decides a text, and the paid stages are skipped.

/**
 * The text model's decision without the paid stages, by the policy's thresholds; null: they must run. It
 * passes a text only if the policy depends on no other check.
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

/** Whether a stage is no longer needed. Sentiment that can flag still runs: nothing replaces it. */
export const isSkipped = ({ categories }: Policy, { name }: CheckStage): boolean =>
  name === "judge" || (name === "sentiment" && lowestThreshold(categories.negativity) === null);
