import { PICTURE_MODEL } from "../../domain/picture-scores.ts";
import type { Check, CheckOptions, CheckOutcome, Engine, TextCheck } from "../engine.ts";
import type { Picture } from "../picture.ts";
import { EMBEDDED_INFERS } from "./embedded-infers.ts";
import { streamExtract } from "./extract-stream.ts";
import { LEXICON_LANGUAGES, LEXICON_MODEL, lexiconToxicity } from "./lexicon.ts";
import { measurePicture } from "./measure-picture.ts";
import { NEGATIVITY_MODEL, sentimentOf } from "./negativity.ts";
import { isReadable } from "./readable.ts";
import { judgePicture, type LoadPictureModel } from "./picture-model/picture-model.ts";

export const PIXELS_MODEL = "neurogate/pixels@1";

/**
 * The engine inside the Worker: word lists for text, a small model for pictures. It needs no network
 * and no account, and names itself in every answer. What a picture shows it cannot name.
 *
 * @param loadPictureModel asked for each picture; without the model none is judged
 */
export const createEmbeddedEngine = (loadPictureModel: LoadPictureModel): Engine => ({
  name: "embedded",
  languages: (name) => (name === "sentiment" || name === "judge" ? LEXICON_LANGUAGES : null),
  judges(name) {
    if (name === "sentiment") return ["negativity"];
    if (name === "vision") return ["nsfw"];
    return name === "judge" ? ["toxicity"] : [];
  },
  run: (_hold, check, options) => run(check, loadPictureModel, options),
  infers: EMBEDDED_INFERS,
  streamChat: streamExtract,
});

async function run(
  check: Check,
  loadPictureModel: LoadPictureModel,
  { signal }: CheckOptions,
): Promise<CheckOutcome> {
  // Nothing here waits for anything (but once for the model's file, which has a clock of its own), so
  // a clock could not end it early: only what has already been given up is not begun. What bounds the
  // work is the size of a text and of a picture.
  if (signal?.aborted === true) return { kind: "timed_out" };
  switch (check.name) {
    case "sentiment":
      if (!canRead(check)) return UNKNOWN_WORDS;
      return answered(NEGATIVITY_MODEL, { negativity: sentimentOf(check.text) });
    case "judge": {
      if (!canRead(check)) return UNKNOWN_WORDS;
      const toxicity = lexiconToxicity(check.text, "en");
      return toxicity === null ? { kind: "unsupported" } : answered(LEXICON_MODEL, { toxicity });
    }
    case "labels": {
      const measurements = await measurePicture(check.picture);
      if (measurements === null) return REFUSED;
      return {
        kind: "answered",
        model: PIXELS_MODEL,
        scores: {},
        measurements,
        usage: { image: 1 },
      };
    }
    case "vision":
      return seen(check.picture, loadPictureModel);
  }
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
      return REFUSED;
  }
}

/** A text that is in another language for certain is not asked of this engine at all. */
const canRead = ({ language, text }: TextCheck<"sentiment" | "judge">): boolean =>
  language !== null || isReadable(text);

const UNKNOWN_WORDS: CheckOutcome = { kind: "unsupported", because: "unknown_words" };

const answered = (
  model: string,
  scores: Partial<Record<"negativity" | "toxicity" | "nsfw", number>>,
) => ({ kind: "answered", model, scores, usage: null }) as const;

/** Pixels that cannot be decoded, a model that is not there: a repeat would end the same way. */
const REFUSED: CheckOutcome = {
  kind: "refused",
  code: null,
  retryable: false,
  accountExhausted: false,
  because: "picture_unreadable",
};
