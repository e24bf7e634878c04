import { field } from "../engine-call.ts";
import type { Generate, Generators } from "../inference.ts";
import type { SpeechFormat, SpeechInference, TranscriptionInference } from "../sound-inference.ts";
import {
  MAX_SPEECH_BYTES,
  MAX_TRANSCRIPT_BYTES,
  PCM_RATE,
  soundType,
  speechOf,
} from "../sound-type.ts";
import { readDeepgram, readWhisper, reportedMs } from "../transcript.ts";
import { runForBytes } from "./bytes.ts";
import { runModel } from "./call.ts";
import { AURA, auraVoice, melottsLanguage } from "./voices.ts";

// The `AI` binding's transcription and speech. The inputs are from the models' pages and the types of
// the binding.

export const workersAiSound = (ai: Ai): Generators => ({
  transcription: transcription(ai),
  speech: speech(ai),
});

type Inputs = Readonly<Record<string, unknown>>;
/** A parameter that a model does not have. */
type Unhonoured = {
  readonly kind: "unsupported";
  readonly parameter?: string;
  readonly detail?: string;
};

const unhonoured = (parameter: string): Unhonoured => ({ kind: "unsupported", parameter });

const WHISPER = "@cf/openai/whisper";
const WHISPER_LARGE = "@cf/openai/whisper-large-v3-turbo";
const NOVA = "@cf/deepgram/nova-3";

const NO_TRANSLATION: Unhonoured = {
  kind: "unsupported",
  parameter: "model",
  detail: `only ${WHISPER_LARGE} translates what is said.`,
};

/** The model's inputs beside the sound. */
function transcriptionInputs(inference: TranscriptionInference): Inputs | Unhonoured {
  const { model, language, prompt, temperature } = inference;
  if (inference.task === "translate" && model !== WHISPER_LARGE) return NO_TRANSLATION;
  // 0 is the models' default.
  if (temperature !== null && temperature !== 0) return unhonoured("temperature");
  switch (model) {
    case WHISPER:
      if (language !== null) return unhonoured("language");
      return prompt === null ? {} : unhonoured("prompt");
    case WHISPER_LARGE:
      return {
        ...(language !== null && { language }),
        ...(prompt !== null && { initial_prompt: prompt }),
        ...(inference.task === "translate" && { task: "translate" }),
      };
    case NOVA:
      if (prompt !== null) return unhonoured("prompt");
      return {
        ...(language === null ? { detect_language: true } : { language }),
        punctuate: true,
        smart_format: true,
      };
    default:
      return { kind: "unsupported" };
  }
}

const isUnhonoured = (inputs: Inputs | Unhonoured): inputs is Unhonoured =>
  inputs["kind"] === "unsupported";

/**
 * All of them take the binding's raw body: the sound is passed on as it is, where `number[]` costs thirty
 * times its size in heap and base64 a third more than it. The other inputs go into the query.
 */
const transcription =
  (ai: Ai): Generate<"transcription"> =>
  async (_hold, inference, options) => {
    const parameters = transcriptionInputs(inference);
    if (isUnhonoured(parameters)) return parameters;
    const { model, bytes, format } = inference;
    const { body } = new Response(bytes);
    const inputs = { audio: { body, contentType: soundType(format) }, ...parameters };
    const bounded = { ...options, maxBytes: MAX_TRANSCRIPT_BYTES };
    const reply = await runModel(ai, model, inputs, bounded);
    if (reply.kind !== "replied") return reply;
    const ms = reportedMs(reply.value);
    const usage = ms === null ? null : { audio_ms: ms };
    const output = (model === NOVA ? readDeepgram : readWhisper)(reply.value);
    if (output === null) return { kind: "failed", usage };
    return { kind: "answered", model, output, usage };
  };

const MELOTTS = "@cf/myshell-ai/melotts";

/** Aura's encodings, each in the container that makes it a file. */
const ENCODINGS: Readonly<Record<SpeechFormat, Inputs>> = {
  mp3: { encoding: "mp3" },
  opus: { encoding: "opus", container: "ogg" },
  aac: { encoding: "aac" },
  flac: { encoding: "flac" },
  wav: { encoding: "linear16", container: "wav" },
  pcm: { encoding: "linear16", container: "none", sample_rate: PCM_RATE },
};

function speechInputs(inference: SpeechInference): Inputs | Unhonoured {
  const { model, text, voice, format, speed, instructions } = inference;
  if (speed !== null && speed !== 1) return unhonoured("speed");
  if (instructions !== null) return unhonoured("instructions");
  if (model === MELOTTS) {
    const lang = melottsLanguage(voice);
    if (lang === null) return unhonoured("voice");
    return format === null || format === "mp3"
      ? { prompt: text, lang }
      : unhonoured("response_format");
  }
  if (!Object.hasOwn(AURA, model)) return { kind: "unsupported" };
  const speaker = auraVoice(model, voice);
  if (speaker === null) return unhonoured("voice");
  return { text, ...(speaker !== "" && { speaker }), ...ENCODINGS[format ?? "mp3"] };
}

/** Melotts answers with base64 in JSON or with the bytes, aura with the bytes. */
const speech =
  (ai: Ai): Generate<"speech"> =>
  async (_hold, inference, options) => {
    const inputs = speechInputs(inference);
    if (isUnhonoured(inputs)) return inputs;
    const { model, format } = inference;
    const bounded = { ...options, maxBytes: MAX_SPEECH_BYTES };
    const reply = await runForBytes(ai, model, inputs, bounded);
    if (reply.kind !== "replied") return reply;
    const bytes = soundIn(reply.value);
    const output = bytes === null ? null : speechOf(bytes, format);
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model, output, usage: null };
  };

function soundIn(value: unknown): Uint8Array<ArrayBuffer> | null {
  if (value instanceof Uint8Array) return value as Uint8Array<ArrayBuffer>;
  const audio = field(value, "audio");
  if (typeof audio !== "string") return null;
  try {
    return Uint8Array.fromBase64(audio);
  } catch {
    return null;
  }
}
