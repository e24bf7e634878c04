import type { Check, CheckOptions, CheckOutcome, Engine } from "../engine.ts";
import { EMBEDDED_INFERS } from "./embedded-infers.ts";
import { streamExtract } from "./extract-stream.ts";
import { LEXICON_LANGUAGES, LEXICON_MODEL, lexiconToxicity } from "./lexicon.ts";
import { measurePicture } from "./measure-picture.ts";
import { NEGATIVITY_MODEL, sentimentOf } from "./negativity.ts";

export const PIXELS_MODEL = "neurogate/pixels@1";

/**
 * The engine inside the Worker: word lists for text, measurements for pictures. It needs no network,
 * no account and no weights, and names itself in every answer. It judges nothing of a picture.
 */
export const createEmbeddedEngine = (): Engine => ({
  name: "embedded",
  languages: (name) => (name === "sentiment" || name === "judge" ? LEXICON_LANGUAGES : null),
  judges(name) {
    if (name === "sentiment") return ["negativity"];
    return name === "judge" ? ["toxicity"] : [];
  },
  run: (_hold, check, options) => run(check, options),
  infers: EMBEDDED_INFERS,
  streamChat: streamExtract,
});

async function run(check: Check, { signal }: CheckOptions): Promise<CheckOutcome> {
  // Nothing here waits for anything, so a clock could not end it early: only what has already been
  // given up is not begun. What bounds the work is the size of a text and of a picture.
  if (signal?.aborted === true) return { kind: "timed_out" };
  switch (check.name) {
    case "sentiment":
      return answered(NEGATIVITY_MODEL, { negativity: sentimentOf(check.text) });
    case "judge": {
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
  }
  return { kind: "unsupported" };
}

const answered = (model: string, scores: Partial<Record<"negativity" | "toxicity", number>>) =>
  ({ kind: "answered", model, scores, usage: null }) as const;

/** Pixels that cannot be decoded: a repeat would end the same way. */
const REFUSED: CheckOutcome = {
  kind: "refused",
  code: null,
  retryable: false,
  accountExhausted: false,
};
