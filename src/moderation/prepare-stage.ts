import type { CheckStage } from "../domain/plan-moderation.ts";
import { JUDGE_WINDOWS, splitText, type WindowedText } from "../domain/text-window.ts";
import type { Check, Engine } from "../engines/engine.ts";
import type { Picture } from "../engines/picture.ts";
import type { PreparedContent } from "./content.ts";
import type { Skip } from "./run-stage.ts";

// From a planned stage to what its engine is asked. What an engine cannot judge, in a language that
// it does not read, is not asked at all.

export interface Ready {
  /** As it can be asked: without fallbacks that cannot read the text. */
  readonly stage: CheckStage;
  readonly checks: readonly ((model: string) => Check)[];
  readonly complete: boolean;
}

export interface Has {
  readonly content: PreparedContent;
  readonly pictures: readonly (Picture | null)[];
  readonly language: string | null;
  /** The text with what the allow terms matched taken out; null when they matched nothing. */
  readonly withoutAllowed: string | null;
}

/** What a stage asks its engine, or why it asks nothing. */
export function prepareStage(engine: Engine, stage: CheckStage, has: Has): Ready | Skip {
  if (engine.judges(stage.name, stage.model).length === 0 && stage.name !== "labels") {
    return "not_evaluated";
  }
  if (stage.name === "sentiment" || stage.name === "judge") {
    return prepareText(engine, stage, stage.name, has);
  }
  const picture = has.pictures[Number(stage.input.slice("images/".length))] ?? null;
  if (picture === null) return "failed";
  const { name } = stage;
  return { stage, checks: [(model) => ({ name, model, picture })], complete: true };
}

function prepareText(
  engine: Engine,
  stage: CheckStage,
  name: "sentiment" | "judge",
  { content, language, withoutAllowed }: Has,
): Ready | Skip {
  const reads = (model: string): boolean => {
    const languages = engine.languages(name, model);
    return languages === null || (language !== null && languages.includes(language));
  };
  const windowed = windowsFor(engine, name, content, withoutAllowed);
  if (windowed === null || !reads(stage.model)) return "not_evaluated";
  return {
    stage: { ...stage, fallbacks: stage.fallbacks.filter(reads) },
    checks: windowed.windows.map(({ text }) => (model) => ({ name, model, text })),
    // What was not planned is not asked, and so not read.
    complete: windowed.complete && windowed.windows.length <= stage.calls.length,
  };
}

/**
 * Where our own word list stands in for the judge, an allow term cancels its matches as it does
 * everywhere; a model is always shown the text as it is.
 */
function windowsFor(
  engine: Engine,
  name: "sentiment" | "judge",
  { windows }: PreparedContent,
  withoutAllowed: string | null,
): WindowedText | null {
  const ownList = engine.name === "embedded" && name === "judge";
  if (ownList && withoutAllowed !== null) return splitText(withoutAllowed, JUDGE_WINDOWS);
  return windows?.[name] ?? null;
}
