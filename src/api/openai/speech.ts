import * as v from "valibot";
import { SPEECH_FORMATS } from "../../engines/sound-inference.ts";
import type { SpeechInference } from "../../engines/sound-inference.ts";
import { stated } from "../../http/field-errors.ts";
import { MAX_NAME } from "../field.ts";
import { modelName } from "./drop-in.ts";
import { object } from "../object-input.ts";

// OpenAI's speech. The reply is the sound itself: what it cost is in the headers.

/** OpenAI's own limit. */
const MAX_INPUT = 4096;

const voiceName = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME));

export const SpeechInput = object({
  model: modelName,
  input: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_INPUT)),
  voice: v.pipe(
    v.union([voiceName, object({ id: voiceName })]),
    v.description(
      "A speaker of the model's, such as `luna`. OpenAI's own names (`alloy`) mean the model's first voice, which is none of OpenAI's.",
    ),
  ),
  response_format: v.optional(
    v.pipe(
      v.picklist(SPEECH_FORMATS),
      v.description("`mp3` when absent; the embedded engine then makes WAV. See Content-Type."),
    ),
  ),
  speed: v.optional(v.pipe(v.number(), v.minValue(0.25), v.maxValue(4))),
  instructions: v.optional(v.pipe(v.string(), v.maxLength(MAX_INPUT))),
  stream_format: v.optional(
    v.pipe(
      v.string(),
      v.check(
        stated("must be audio: there are no events of it", (format: string) => format === "audio"),
      ),
    ),
  ),
});

export type SpeechBody = v.InferOutput<typeof SpeechInput>;

export const speechInference = (body: SpeechBody, model: string): SpeechInference => ({
  model,
  text: body.input,
  voice: typeof body.voice === "string" ? body.voice : body.voice.id,
  format: body.response_format ?? null,
  speed: body.speed ?? null,
  instructions: body.instructions === "" ? null : (body.instructions ?? null),
});
