import type { Scores } from "../../domain/moderation/category.ts";
import { hasTooManyPixels, PICTURE_MODEL } from "../../domain/moderation/picture-scores.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../domain/moderation/text-model.ts";
import type { Check, CheckOptions, CheckOutcome, Engine } from "../engine.ts";
import type { Picture } from "../picture.ts";
import { EMBEDDED_INFERS } from "./generators.ts";
import { streamExtract } from "./extract-stream.ts";
import { measurePicture } from "./measure-picture.ts";
import { judgePicture, type LoadPictureModel } from "./picture-model/picture-model.ts";
import { type JudgedText, judgeText, type LoadTextModel, type TextToJudge } from "./text-model.ts";

export const PIXELS_MODEL = "neurogate/pixels@1";

/** What the engine judges with; without a model, or while it cannot be had, nothing is judged by it. */
export interface EmbeddedModels {
  readonly text: LoadTextModel;
  readonly picture: LoadPictureModel;
}

/** What the text model learned from and was measured on. */
const TEXT_LANGUAGES: readonly string[] = ["en"];

/**
 * The engine inside the Worker: a small model for text, another for pictures. It needs no network and
 * no account, and names itself in every answer. What a picture shows it cannot name.
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
  infers: EMBEDDED_INFERS,
  streamChat: streamExtract,
});

async function run(
  check: Check,
  models: EmbeddedModels,
  { signal }: CheckOptions,
): Promise<CheckOutcome> {
  // Nothing here waits for anything (but once for a model's file, which has a clock of its own), so
  // a clock could not end it early: only what has already been given up is not begun. What bounds the
  // work is the size of a text and of a picture.
  if (signal?.aborted === true) return { kind: "timed_out" };
  switch (check.name) {
    case "sentiment":
      return read(check, models.text, (judged) =>
        judged.kind === "judged" ? { negativity: judged.negativity } : null,
      );
    case "judge":
      return read(check, models.text, (judged) =>
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
      return seen(check.picture, models.picture);
  }
}

async function read(
  text: TextToJudge,
  loadModel: LoadTextModel,
  /** Null: it says nothing of such a text. */
  pick: (judged: Exclude<JudgedText, { kind: "unavailable" }>) => Scores | null,
): Promise<CheckOutcome> {
  const judged = await judgeText(text, loadModel);
  // Without the model nothing can be said of any text: a failure, not a gap in what it can do.
  if (judged.kind === "unavailable") return refused("model_unavailable");
  const scores = pick(judged);
  if (scores !== null) return answered(TEXT_MODEL, scores);
  const because = judged.kind === "unreadable" ? judged.because : undefined;
  return { kind: "unsupported", ...(because !== undefined && { because }) };
}

async function seen(picture: Picture, loadModel: LoadPictureModel): Promise<CheckOutcome> {
  const judged = await judgePicture(picture, loadModel);
  switch (judged.kind) {
    case "judged":
      return answered(PICTURE_MODEL, { nsfw: judged.scores.nsfw });
    case "too_many_pixels":
      return { kind: "unsupported", because: "too_many_pixels" };
    // Without the model nothing can be said of any picture: a failure, not a gap in what it can do.
    case "unavailable":
    case "undecodable":
      return refused("picture_unreadable");
  }
}

const answered = (model: string, scores: Scores) =>
  ({ kind: "answered", model, scores, usage: null }) as const;

/** Pixels that cannot be decoded, a model that is not there: a repeat would end the same way. */
const refused = (because: "picture_unreadable" | "model_unavailable"): CheckOutcome => ({
  kind: "refused",
  code: null,
  retryable: false,
  accountExhausted: false,
  because,
});
