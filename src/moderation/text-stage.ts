import type { SpansOf } from "../domain/explain.ts";
import { asks, type Policy } from "../domain/policy.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES, TEXT_MODEL_SHOWS } from "../domain/text-model.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/verdict.ts";
import type { JudgedText, TextToJudge } from "../engines/embedded/text-model.ts";

// The text model inside the Worker, as a stage of its own. It is a rule with a version and no call of
// an engine: it costs nothing, needs no plan and takes no rate. Beside a language model it is the
// second opinion; where no judge was planned it is the first.

export type JudgeText = (text: TextToJudge) => Promise<JudgedText>;

export interface TextStage {
  readonly result: StageResult;
  /** It sees instructions to the model that reads the text. */
  readonly seesInjection: boolean;
  /** Null: it says nothing of the text. */
  readonly spansOf: SpansOf | null;
}

/** What the model learned from and was measured on. */
const LANGUAGE = "en";

/** From where a head's score is worth a look. */
const FLAG = 0.5;

/** Whether a policy asks for anything that the model can say. */
export const wantsTextModel = (policy: Policy): boolean =>
  asks(policy, "text", [...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS]);

/**
 * @param text without what the allow terms matched
 * @param language null: it could not be told, and the model says itself whether it knows the words
 */
export async function textStage(
  judge: JudgeText,
  {
    text,
    language,
    spared,
  }: {
    readonly text: string;
    readonly language: string | null;
    /** The item was blocked already. */
    readonly spared: boolean;
  },
): Promise<TextStage> {
  if (spared) return unread("not_required");
  if (language !== null && language !== LANGUAGE) return unread("not_evaluated", "language");
  const judged = await judge({ text, language });
  switch (judged.kind) {
    case "judged":
      return {
        result: { ...resultOf("evaluated"), model: TEXT_MODEL, scores: judged.scores },
        seesInjection: judged.injection >= FLAG,
        spansOf: judged.spansOf,
      };
    case "unreadable": {
      const stage = unread("not_evaluated", judged.because);
      const { shown, spansOf = null } = judged;
      if (shown === undefined) return stage;
      // What one part of a text shows counts, also where the rest was not read.
      const result = { ...stage.result, model: TEXT_MODEL, scores: shown };
      return { ...stage, result, spansOf };
    }
    // Without the model nothing can be said of any text: that is a failure, and no gap.
    case "unavailable":
      return unread("failed", "model_unavailable");
  }
}

const unread = (status: CheckStatus, failure?: CheckFailure["kind"]): TextStage => ({
  result: { ...resultOf(status), ...(failure !== undefined && { failure: { kind: failure } }) },
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
