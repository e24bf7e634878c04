import {
  type SpansOf,
  TEXT_MODEL,
  TEXT_MODEL_CATEGORIES,
  TEXT_MODEL_FLAG,
  TEXT_MODEL_SHOWS,
} from "../domain/moderation/text-model.ts";
import { asks, lowestThreshold, type Policy } from "../domain/moderation/policy.ts";
import { piecesOf } from "../domain/moderation/text-window.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/moderation/verdict.ts";
import { languageIn } from "./language.ts";
import { plainText } from "../domain/text/normalise.ts";
import type { JudgedText, TextToJudge } from "../engines/embedded/text-model.ts";
import { spamScore, type TermMatches } from "../domain/terms/term-match.ts";
import type { Engine } from "../engines/engine.ts";
import { type Cascade, cascadeOf } from "../domain/moderation/cascade.ts";
import { judge } from "../domain/moderation/decision.ts";
import type { CheckStage } from "../domain/moderation/plan-moderation.ts";

// The text model inside the Worker, as a stage of its own. It is a versioned rule and no engine call: it
// costs nothing, needs no plan and uses no rate. Beside a language model it is the second opinion; without a
// planned judge it is the first.

export type JudgeText = (text: TextToJudge) => Promise<JudgedText>;

export interface TextStage {
  readonly result: StageResult;
  /** The model sees instructions to the model that reads the text. */
  readonly seesInjection: boolean;
  /** Null: the model does not score the text. */
  readonly spansOf: SpansOf | null;
}

/** The language that the model was trained and measured on. */
const LANGUAGE = "en";

/** Whether a policy wants a category that the model can score. */
export const wantsTextModel = (policy: Policy): boolean =>
  asks(policy, "text", [...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS]);

/**
 * @param text the text without the matches of allow terms
 * @param language null: unknown; then the model decides whether it knows the words
 */
export async function textStage(
  judgeText: JudgeText,
  about: {
    readonly text: string;
    readonly language: string | null;
    /** The item is already blocked. */
    readonly isDecided: boolean;
    /** It is a second opinion: then each sentence is also scored by itself. */
    readonly beside?: boolean;
  },
): Promise<TextStage> {
  if (about.isDecided) return unread("not_required");
  const whole = await readWhole(judgeText, about);
  if (about.beside !== true || whole.result.status === "failed") return whole;
  return withPieces(whole, await piecesJudged(judgeText, about));
}

/**
 * The least score of a single sentence that counts. The model is less certain about a few words without their
 * context, so this is above the flag point of a whole text. Scores for children always count.
 */
const SURE_OF_PIECE = 0.6;

type Judged = Extract<JudgedText, { kind: "judged" }>;

async function piecesJudged(
  judgeText: JudgeText,
  { text, language }: { readonly text: string; readonly language: string | null },
): Promise<readonly Judged[]> {
  const judged = await Promise.all(
    piecesOf(text).map((piece) => {
      // In a text of another language, an English sentence is detected by its own words.
      const own = language === LANGUAGE ? LANGUAGE : languageIn(plainText(piece));
      return judgeText({ text: piece, language: own === LANGUAGE ? LANGUAGE : null });
    }),
  );
  return judged.filter((one) => one.kind === "judged");
}

function withPieces(whole: TextStage, pieces: readonly Judged[]): TextStage {
  const scores = { ...whole.result.scores };
  for (const category of [...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS]) {
    const counts = pieces
      .map((piece) => piece.scores[category] ?? 0)
      .filter((score) => score >= SURE_OF_PIECE || (score > 0 && isShown(category)));
    if (counts.length > 0) scores[category] = Math.max(scores[category] ?? 0, ...counts);
  }
  const isSilent = Object.keys(scores).length === 0;
  return {
    ...whole,
    result: { ...whole.result, scores, model: isSilent ? whole.result.model : TEXT_MODEL },
    seesInjection: whole.seesInjection || pieces.some((one) => one.injection >= SURE_OF_PIECE),
  };
}

const isShown = (category: string): boolean =>
  (TEXT_MODEL_SHOWS as readonly string[]).includes(category);

async function readWhole(
  judgeText: JudgeText,
  { text, language }: { readonly text: string; readonly language: string | null },
): Promise<TextStage> {
  if (language !== null && language !== LANGUAGE) return unread("not_evaluated", "language");
  const judged = await judgeText({ text, language });
  switch (judged.kind) {
    case "judged":
      return {
        result: { ...resultOf("evaluated"), model: TEXT_MODEL, scores: judged.scores },
        seesInjection: judged.injection >= TEXT_MODEL_FLAG,
        spansOf: judged.spansOf,
      };
    case "unreadable": {
      const stage = unread("not_evaluated", judged.because);
      const { shown, spansOf = null } = judged;
      if (shown === undefined) return stage;
      // Harm in one part of a text counts, even if the rest was not read.
      const result = { ...stage.result, model: TEXT_MODEL, scores: shown };
      return { ...stage, result, spansOf };
    }
    // Without the model no text can be judged: that is a failure, not a gap.
    case "unavailable":
      return unread("failed", "model_unavailable");
  }
}

/** The result for a text that it does not score. */
export const unreadText = (status: CheckStatus, failure?: CheckFailure["kind"]): StageResult => ({
  ...resultOf(status),
  ...(failure !== undefined && { failure: { kind: failure } }),
});

/** The name of the injection pattern for a reason of the model. */
export const injectionIn = (read: TextStage | null): string | null =>
  read?.seesInjection === true ? "text_model" : null;

const unread = (status: CheckStatus, failure?: CheckFailure["kind"]): TextStage => ({
  result: unreadText(status, failure),
  seesInjection: false,
  spansOf: null,
});

const resultOf = (status: CheckStatus): StageResult => ({
  name: "tier0",
  input: "text",
  model: null,
  priced_as: null,
  engine: "embedded",
  status,
  scores: {},
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
});

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
