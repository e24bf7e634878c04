import type { Scores } from "../../domain/moderation/category.ts";
import { hasTooManyPixels, PICTURE_MODEL } from "../../domain/moderation/picture-scores.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../domain/moderation/text-model.ts";
import type { Check, CheckOptions, CheckOutcome, Engine } from "../engine.ts";
import type { Picture } from "../picture.ts";
import { EMBEDDED_GENERATORS } from "./generators.ts";
import { streamExtract } from "./extract-stream.ts";
import { measurePicture } from "./measure-picture.ts";
import { judgePicture, type LoadPictureModel } from "./picture-model/picture-model.ts";
import { type JudgedText, judgeText, type LoadTextModel, type TextToJudge } from "./text-model.ts";

export const PIXELS_MODEL = "neurogate/pixels@1";

/** The models that the engine judges with. While one cannot be loaded, its checks are refused. */
export interface EmbeddedModels {
  readonly text: LoadTextModel;
  readonly picture: LoadPictureModel;
}

/** The languages that the text model was trained and measured on. */
const TEXT_LANGUAGES: readonly string[] = ["en"];

/**
 * The engine inside the Worker: a small model for text, another for pictures. It needs no network and
 * no account, and names itself in every answer. It cannot name what a picture shows.
 */
export const createEmbeddedEngine = (models: EmbeddedModels): Engine => ({
  name: "embedded",
  languages: (name) => (name === "sentiment" || name === "judge" ? TEXT_LANGUAGES : null),
  judges(name) {
    if (name === "sentiment") return ["negativity"];
    if (name === "vision") return ["nsfw"];
    return name === "judge" ? TEXT_MODEL_CATEGORIES : [];
  },
  run: (_hold, check, options) => run(check, models, options),
  generators: EMBEDDED_GENERATORS,
  streamChat: streamExtract,
});

async function run(
  check: Check,
  models: EmbeddedModels,
  { signal }: CheckOptions,
): Promise<CheckOutcome> {
  // The checks wait for nothing but a model's file, once, and that has its own time limit. So a timer
  // could not end a check early: only a check that was given up before it began is skipped. The size of
  // a text and of a picture bounds the work.
  if (signal?.aborted === true) return { kind: "timed_out" };
  switch (check.name) {
    case "sentiment":
      return checkText(check, models.text, (judged) =>
        judged.kind === "judged" ? { negativity: judged.negativity } : null,
      );
    case "judge":
      return checkText(check, models.text, (judged) =>
        judged.kind === "judged" ? judged.scores : (judged.shown ?? null),
      );
    case "labels": {
      if (hasTooManyPixels(check.picture)) {
        return { kind: "unsupported", because: "too_many_pixels" };
      }
      const measurements = await measurePicture(check.picture);
      if (measurements === null) return refused("picture_unreadable");
      return {
        kind: "answered",
        model: PIXELS_MODEL,
        scores: {},
        measurements,
        usage: { image: 1 },
      };
    }
    case "vision":
      return checkPicture(check.picture, models.picture);
  }
}

async function checkText(
  text: TextToJudge,
  loadModel: LoadTextModel,
  /** Null: the model gives no scores for such a text. */
  pick: (judged: Exclude<JudgedText, { kind: "unavailable" }>) => Scores | null,
): Promise<CheckOutcome> {
  const judged = await judgeText(text, loadModel);
  // Without the model no text can be judged: a failure, not a missing ability.
  if (judged.kind === "unavailable") return refused("model_unavailable");
  const scores = pick(judged);
  if (scores !== null) return answered(TEXT_MODEL, scores);
  const because = judged.kind === "unreadable" ? judged.because : undefined;
  return { kind: "unsupported", ...(because !== undefined && { because }) };
}

async function checkPicture(picture: Picture, loadModel: LoadPictureModel): Promise<CheckOutcome> {
  const judged = await judgePicture(picture, loadModel);
  switch (judged.kind) {
    case "judged":
      return answered(PICTURE_MODEL, { nsfw: judged.scores.nsfw });
    case "too_many_pixels":
      return { kind: "unsupported", because: "too_many_pixels" };
    // Without the model no picture can be judged: a failure, not a missing ability.
    case "unavailable":
    case "undecodable":
      return refused("picture_unreadable");
  }
}

const answered = (model: string, scores: Scores) =>
  ({ kind: "answered", model, scores, usage: null }) as const;

/** For pixels that cannot be decoded, or a missing model: a repeat would end the same way. */
const refused = (because: "picture_unreadable" | "model_unavailable"): CheckOutcome => ({
  kind: "refused",
  code: null,
  retryable: false,
  accountExhausted: false,
  because,
});
