import { PICTURE_MODEL } from "../domain/moderation/picture-scores.ts";
import type { CheckStage, InputName } from "../domain/moderation/plan-moderation.ts";
import {
  asks,
  onlyWhatMatters,
  PICTURE_SENTIMENT_WINDOWS,
  PICTURE_TEXT_WINDOWS,
  type PictureTextName,
  type Policy,
} from "../domain/moderation/policy.ts";
import type { CheckFailure, CheckStatus, StageResult } from "../domain/moderation/verdict.ts";
import type { JudgedPicture } from "../engines/embedded/picture-model/picture-model.ts";
import type { Picture } from "../engines/picture.ts";
import type { RunContext } from "./ask-engine.ts";
import { JUDGED_CATEGORIES } from "../domain/moderation/category.ts";
import type { TextFacts } from "../domain/moderation/evidence.ts";
import { findInjection } from "../domain/moderation/injection.ts";
import { cleanForJudge, judgedJson } from "../domain/moderation/judge.ts";
import { matchTerms } from "../domain/terms/term-match.ts";
import { splitText } from "../domain/moderation/text-window.ts";
import { tokensAtMost } from "../domain/generation/token-bound.ts";
import type { Quoted } from "../domain/moderation/vision.ts";
import {
  injectionIn,
  type JudgeText,
  readByModel,
  spamStages,
  unreadText,
  wantsTextModel,
} from "./free-stages.ts";
import { placedText } from "./language.ts";
import { prepareStage, runStage, skipped, type StageRun } from "./run-stage.ts";

// The picture model inside the Worker, as a stage of its own. It is a versioned rule and no engine call: it
// costs nothing, needs no plan and uses no rate.

export type JudgePicture = (picture: Picture) => Promise<JudgedPicture>;

export interface PictureStage {
  readonly result: StageResult;
  /** The picture was too large to decode; the reasons say so. */
  readonly tooManyPixels: boolean;
}

/**
 * At most two pictures of a call at a time (its gate has six places): in a new isolate each of them loads the
 * model's file, and all wait for one decoder.
 */
const WEIGHT = 3;

/** The pictures that the policy wants judged and no vision model is asked about. */
export const unseenPictures = (
  policy: Policy,
  inputs: readonly InputName[],
  stages: readonly CheckStage[],
): InputName[] =>
  asks(policy, "image", ["nsfw"])
    ? inputs.filter(
        (input) =>
          input !== "text" && !stages.some((one) => one.name === "vision" && one.input === input),
      )
    : [];

/** A stage that was skipped because the item was already blocked. */
export const skippedPicture = (input: InputName): PictureStage => ({
  result: resultOf(input, 0, ["not_required"]),
  tooManyPixels: false,
});

/** @param picture null: it is not available */
export async function pictureStage(
  { gate, nowMs, deadlineMs }: RunContext,
  judge: JudgePicture,
  { input, picture }: { readonly input: InputName; readonly picture: Picture | null },
): Promise<PictureStage> {
  if (picture === null) {
    return { result: resultOf(input, 0, ["failed", "picture_unavailable"]), tooManyPixels: false };
  }
  return gate.run({ weight: WEIGHT }, async () => {
    const started = nowMs();
    if (started >= deadlineMs) {
      return { result: resultOf(input, 0, ["timed_out", "timed_out"]), tooManyPixels: false };
    }
    const judged = await judge(picture);
    const result = resultOf(input, nowMs() - started, ENDS[judged.kind]);
    return {
      result:
        judged.kind === "judged"
          ? { ...result, model: PICTURE_MODEL, scores: { nsfw: judged.scores.nsfw } }
          : result,
      tooManyPixels: judged.kind === "too_many_pixels",
    };
  });
}

/** Without the model no picture can be judged: that is a failure, not a gap. */
const ENDS: Readonly<Record<JudgedPicture["kind"], End>> = {
  judged: ["evaluated"],
  too_many_pixels: ["not_evaluated", "too_many_pixels"],
  undecodable: ["failed", "picture_unreadable"],
  unavailable: ["failed", "picture_unreadable"],
};

/** The status, and the reason if there is no judgement. */
type End = readonly [status: CheckStatus, failure?: CheckFailure["kind"]];

const resultOf = (input: InputName, latencyMs: number, [status, kind]: End): StageResult => ({
  name: "picture",
  input,
  model: null,
  priced_as: null,
  engine: "embedded",
  status,
  scores: {},
  latency_ms: latencyMs,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...(kind !== undefined && { failure: { kind } }),
});

// The writing that a vision model saw in a picture, judged as text: terms, spam, signs of an injection, the
// text model, and the judge, whose calls are part of the hold. The writing is content: it is in no result,
// reason or log, and is stored nowhere.

export interface Writing {
  readonly results: readonly StageResult[];
  readonly runs: readonly StageRun[];
  /** Null: the picture has no writing, or no model was asked. */
  readonly found: (TextFacts & { readonly input: PictureTextName }) | null;
}

const NO_WRITING: Writing = { results: [], runs: [], found: null };

const NO_FACTS: TextFacts = { blockedTerms: [], spamPhrases: 0, injection: null };

interface About {
  readonly input: PictureTextName;
  /** The stages that were planned for it. */
  readonly stages: readonly CheckStage[];
  readonly policy: Policy;
  /** The language that the caller gave for the content. */
  readonly language: string | null;
}

type WritingContext = RunContext & { readonly judgeText: JudgeText };

/** @param vision the vision stage of the picture, as a promise */
export async function pictureWriting(
  context: WritingContext,
  about: About,
  vision: Promise<StageRun>,
): Promise<Writing> {
  const { result, quoted } = await vision;
  if (result.status === "not_required") return NO_WRITING;
  if (result.status !== "evaluated") {
    // A picture that was not seen is not approved: if `nsfw` is required, that already prevents it.
    if (about.policy.categories.nsfw.required) return NO_WRITING;
    return unread(context, about, result.status);
  }
  if (quoted === null) return unread(context, about, "not_evaluated");
  const isEmpty = cleanForJudge(quoted.text).trim() === "";
  if (isEmpty && quoted.complete) return NO_WRITING;
  return isEmpty ? unread(context, about, "not_evaluated") : judgeWriting(context, about, quoted);
}

/** The writing is unknown: every check of it ends with the status of the vision stage. */
function unread(
  { engine }: WritingContext,
  { input, stages, policy }: About,
  status: Exclude<CheckStatus, "evaluated" | "not_required">,
): Writing {
  const failure = { kind: "text_unread" } as const;
  const runs = stages.map((stage) => skipped(stage, engine, { status, failure }));
  const wanted = onlyWhatMatters(policy);
  const free = { ...unreadText(status, failure.kind), input };
  return {
    runs,
    results: [
      ...runs.map(({ result }) => result),
      ...(wantsTextModel(wanted) ? [free] : []),
      ...(asks(wanted, "text", ["spam"])
        ? [{ ...free, name: "spam", engine: "rules" } as const]
        : []),
    ],
    found: { ...NO_FACTS, input },
  };
}

async function judgeWriting(
  context: WritingContext,
  { input, stages, policy, language }: About,
  { text, complete }: Quoted,
): Promise<Writing> {
  const { engine } = context;
  const wanted = onlyWhatMatters(policy);
  const terms = matchTerms(text, policy);
  const { withoutAllowed } = terms;
  const isDecided = terms.blocked.length > 0 && !policy.evaluate_all;
  const placed = placedText(text, language, policy);
  const has = { content: { windows: windowsOf(text) }, pictures: [], placed, withoutAllowed };
  const about = { text, stages, isDecided, language: placed.language, withoutAllowed };
  const [runs, read] = await Promise.all([
    Promise.all(
      stages.map(async (stage) => {
        if (isDecided) return skipped(stage, engine, { status: "not_required", failure: null });
        const ready = prepareStage(engine, stage, has);
        return "status" in ready
          ? skipped(stage, engine, ready)
          : runStage(context, ready.stage, ready.checks, ready.complete && complete);
      }),
    ),
    readByModel(context, wanted, about),
  ]);
  const free = [...(read === null ? [] : [read.result]), ...spamStages(wanted, terms)];
  return {
    runs,
    results: [
      ...runs.map(({ result }) => result),
      ...free.map((result) => ({ ...(complete ? result : inPart(result)), input })),
      ...(isDecided ? [] : notHeld(wanted, { input, stages })),
    ],
    found: {
      input,
      blockedTerms: terms.blocked,
      spamPhrases: terms.spamPhrases,
      injection: findInjection(text) ?? injectionIn(read),
    },
  };
}

const windowsOf = (text: string) => ({
  sentiment: splitText(text, PICTURE_SENTIMENT_WINDOWS),
  judge: splitText(cleanForJudge(text), PICTURE_TEXT_WINDOWS, (part) =>
    tokensAtMost(judgedJson(part)),
  ),
});

/** The scores of an incomplete text count, but it is not evaluated. */
const inPart = (result: StageResult): StageResult =>
  result.status === "evaluated"
    ? { ...result, status: "not_evaluated", failure: { kind: "too_long" } }
    : result;

/** The policy's judge, if the call's hold does not cover it: nothing replaces it. */
function notHeld(
  policy: Policy,
  { input, stages }: Pick<About, "input" | "stages">,
): StageResult[] {
  const isAsked = policy.models.judge !== null && asks(policy, "text", JUDGED_CATEGORIES);
  if (!isAsked || stages.some(({ name }) => name === "judge")) return [];
  return [{ ...unreadText("not_evaluated", "not_held"), name: "judge", input }];
}
