import type { CheckStage } from "../domain/moderation/plan-moderation.ts";
import { JUDGE_WINDOWS, splitText, type WindowedText } from "../domain/moderation/text-window.ts";
import type { Check, Engine } from "../engines/engine.ts";
import type { Picture } from "../engines/picture.ts";
import type { PreparedContent } from "./content.ts";
import { coverageOf, type PlacedText } from "./language.ts";
import type { Skip } from "./run-stage.ts";

// Turns a planned stage into its engine calls. A check is not asked about a text in a language that it
// certainly does not read.

export interface Ready {
  /** The stage without fallbacks that cannot read the text. */
  readonly stage: CheckStage;
  readonly checks: readonly ((model: string) => Check)[];
  readonly complete: boolean;
}

export interface Has {
  readonly content: Pick<PreparedContent, "windows">;
  readonly pictures: readonly (Picture | null)[];
  /** Null: there is no text. */
  readonly placed: PlacedText | null;
  /** The text without the matches of allow terms; null when there are none. */
  readonly withoutAllowed: string | null;
}

/** The engine calls of a stage, or the reason why there are none. */
export function prepareStage(engine: Engine, stage: CheckStage, has: Has): Ready | Skip {
  if (engine.judges(stage.name, stage.model).length === 0 && stage.name !== "labels") {
    return { status: "not_evaluated", failure: { kind: "no_judge" } };
  }
  if (stage.name === "sentiment" || stage.name === "judge") {
    return prepareText(engine, stage, stage.name, has);
  }
  const picture = has.pictures[Number(stage.input.slice("images/".length))] ?? null;
  if (picture === null) return { status: "failed", failure: { kind: "picture_unavailable" } };
  const { name } = stage;
  return { stage, checks: [(model) => ({ name, model, picture })], complete: true };
}

function prepareText(
  engine: Engine,
  stage: CheckStage,
  name: "sentiment" | "judge",
  { content, placed, withoutAllowed }: Has,
): Ready | Skip {
  const windowed = windowsFor(engine, name, content, withoutAllowed);
  if (windowed === null || placed === null) {
    return { status: "not_evaluated", failure: { kind: "no_judge" } };
  }
  const reads = (model: string): boolean =>
    coverageOf(engine.languages(name, model), placed) !== "uncovered";
  if (!reads(stage.model)) return { status: "not_evaluated", failure: { kind: "language" } };
  return {
    stage: { ...stage, fallbacks: stage.fallbacks.filter(reads) },
    checks: windowed.windows.map((window) => (model) => ({
      name,
      model,
      text: window.text,
      language: placed.language,
    })),
    // Windows beyond the plan are not asked about, so they count as not read.
    complete: windowed.complete && windowed.windows.length <= stage.calls.length,
  };
}

/**
 * If our own small model is the judge, it reads the text without allowed places, as always; a language model
 * reads the text as it is.
 */
function windowsFor(
  engine: Engine,
  name: "sentiment" | "judge",
  { windows }: Pick<PreparedContent, "windows">,
  withoutAllowed: string | null,
): WindowedText | null {
  const isOwn = engine.name === "embedded" && name === "judge";
  if (isOwn && withoutAllowed !== null) return splitText(withoutAllowed, JUDGE_WINDOWS);
  return windows?.[name] ?? null;
}
