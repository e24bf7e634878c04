import { asks, type Policy } from "../domain/moderation/policy.ts";
import { spamScore, type TermMatches } from "../domain/terms/term-match.ts";
import type { StageResult } from "../domain/moderation/verdict.ts";
import type { Engine } from "../engines/engine.ts";
import { type JudgeText, textStage, type TextStage, wantsTextModel } from "./text-stage.ts";

// The checks of a text that cost nothing: the spam phrases, and the text model inside the Worker.

/** The spam stage is a rule: it costs nothing and needs no plan. */
export function spamStages(policy: Policy, terms: TermMatches | null): StageResult[] {
  if (terms === null || !asks(policy, "text", ["spam"])) return [];
  const scores = { spam: spamScore(terms.spamPhrases) };
  return [{ ...FREE, input: "text", name: "spam", model: null, engine: "rules", scores }];
}

const FREE = {
  priced_as: null,
  status: "evaluated",
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
} as const;

/** The stage of the text model; null when the policy does not want it, or when it already is the judge. */
export async function readByModel(
  { engine, judgeText }: { readonly engine: Engine; readonly judgeText: JudgeText },
  policy: Policy,
  about: {
    readonly text: string | null;
    readonly stages: readonly Pick<StageResult, "name">[];
    readonly isDecided: boolean;
    readonly language: string | null;
    readonly withoutAllowed: string | null;
  },
): Promise<TextStage | null> {
  const { text, stages, withoutAllowed, ...rest } = about;
  const isJudge = engine.name === "embedded" && stages.some(({ name }) => name === "judge");
  if (text === null || isJudge || !wantsTextModel(policy)) return null;
  const beside = stages.some(({ name }) => name === "judge");
  return textStage(judgeText, { ...rest, text: withoutAllowed ?? text, beside });
}
