import {
  type SpansOf,
  TEXT_MODEL,
  TEXT_MODEL_CATEGORIES,
  TEXT_MODEL_FLAG,
  TEXT_MODEL_SHOWS,
} from "../domain/moderation/text-model.ts";
import { asks, type Policy } from "../domain/moderation/policy.ts";
import { piecesOf } from "../domain/moderation/text-window.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/moderation/verdict.ts";
import { languageIn } from "./language.ts";
import { plainText } from "../domain/text/normalise.ts";
import type { JudgedText, TextToJudge } from "../engines/embedded/text-model.ts";

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
  judge: JudgeText,
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
  const whole = await readWhole(judge, about);
  if (about.beside !== true || whole.result.status === "failed") return whole;
  return withPieces(whole, await piecesJudged(judge, about));
}

/**
 * The least score of a single sentence that counts. The model is less certain about a few words without their
 * context, so this is above the flag point of a whole text. Scores for children always count.
 */
const SURE_OF_PIECE = 0.6;

type Judged = Extract<JudgedText, { kind: "judged" }>;

async function piecesJudged(
  judge: JudgeText,
  { text, language }: { readonly text: string; readonly language: string | null },
): Promise<readonly Judged[]> {
  const judged = await Promise.all(
    piecesOf(text).map((piece) => {
      // In a text of another language, an English sentence is detected by its own words.
      const own = language === LANGUAGE ? LANGUAGE : languageIn(plainText(piece));
      return judge({ text: piece, language: own === LANGUAGE ? LANGUAGE : null });
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
  judge: JudgeText,
  { text, language }: { readonly text: string; readonly language: string | null },
): Promise<TextStage> {
  if (language !== null && language !== LANGUAGE) return unread("not_evaluated", "language");
  const judged = await judge({ text, language });
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
