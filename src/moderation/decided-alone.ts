import { type Cascade, cascadeOf } from "../domain/cascade.ts";
import { judge } from "../domain/decision.ts";
import type { CheckStage } from "../domain/plan-moderation.ts";
import { asks, lowestThreshold, type Policy } from "../domain/policy.ts";
import { spamScore, type TermMatches } from "../domain/term-match.ts";
import type { StageResult } from "../domain/verdict.ts";
import type { TextStage } from "./text-stage.ts";

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
  if (cascade?.kind !== "allow") return policy.evaluate_all ? null : cascade;
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
export const isSpared = ({ categories }: Policy, { name }: CheckStage): boolean =>
  name === "judge" || (name === "sentiment" && lowestThreshold(categories.negativity) === null);

export const injectionIn = (read: TextStage | null): string | null =>
  read?.seesInjection === true ? "text_model" : null;

/** A rule: it costs nothing and needs no plan. */
export function spamStages(policy: Policy, terms: TermMatches | null): StageResult[] {
  if (terms === null || !asks(policy, "text", ["spam"])) return [];
  const scores = { spam: spamScore(terms.spamPhrases) };
  return [{ ...FREE, name: "spam", model: null, engine: "rules", scores }];
}

const FREE = {
  input: "text",
  priced_as: null,
  status: "evaluated",
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
} as const;
