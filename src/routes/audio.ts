import * as v from "valibot";
import { speechMeasure } from "../generation/counted-usage.ts";
import { type Rendered, renderedJson } from "../generation/generation-call.ts";
import { defineRoute } from "../http/route.ts";
import { type SpeechBody, speechInference, SpeechInput } from "../api/openai/speech.ts";
import {
  AudioTranslationInput,
  MAX_FORM_BYTES,
  toTranscription,
  measureTranscription,
  type RecordingBody,
  streamRefusal,
  TranscriptionInput,
  TranscriptionOutput,
} from "../api/openai/transcription.ts";
import { toTranscriptEvents } from "../api/openai/transcript-events.ts";
import { EVENT_STREAM } from "../http/event-feed.ts";
import {
  callerOf,
  type GenerationRouteCall,
  GENERATED,
  generate,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import { mended, mendedForm } from "../api/drop-in-body.ts";

const renderedText = (text: string, contentType = "text/plain"): Rendered => ({
  contentType: `${contentType}; charset=utf-8`,
  body: new TextEncoder().encode(text).slice(),
});

/** The form that has a recording. */
const RECORDING = {
  limitBytes: MAX_FORM_BYTES,
  as: "multipart",
  largest: "file",
  mend: mendedForm,
} as const;

const TRANSCRIBED = {
  status: 200,
  schema: TranscriptionOutput,
  otherTypes: ["text/plain"],
} as const;

export const createTranscription = defineRoute({
  method: "POST",
  path: "/v1/audio/transcriptions",
  summary: "OpenAI's transcription endpoint",
  description:
    "The hold is for the longest duration that any decoder can find in the file, the charge for the actual one. `text`, `srt` and `vtt` come with their Content-Type, and their cost is in the headers. With `stream: true` the reply is `text/event-stream`: its events come when all was heard.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/audio/transcriptions" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    ...RECORDING,
    lists: ["timestamp_granularities", "include"],
    schema: TranscriptionInput,
  },
  reply: { ...TRANSCRIBED, otherTypes: [...TRANSCRIBED.otherTypes, EVENT_STREAM] },
  failures: GENERATED,
  handle: (call) => recordingReply(call, "POST /v1/audio/transcriptions", "transcribe"),
});

export const createAudioTranslation = defineRoute({
  method: "POST",
  path: "/v1/audio/translations",
  summary: "OpenAI's endpoint for what a recording says, in English",
  description:
    "As a transcription, by a model that translates: `@cf/openai/whisper-large-v3-turbo`, or what an OpenAI-compatible server has.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/audio/translations" },
  auth: { kind: "key", roles: ["call"] },
  body: { ...RECORDING, schema: AudioTranslationInput },
  reply: TRANSCRIBED,
  failures: GENERATED,
  handle: (call) => recordingReply(call, "POST /v1/audio/translations", "translate"),
});

async function recordingReply(
  call: GenerationRouteCall & { readonly body: RecordingBody },
  route: string,
  task: "transcribe" | "translate",
) {
  const startedMs = Date.now();
  const read = await callerOf(call, route, null);
  if (read.kind !== "read") return read;
  const { body } = call;
  const refused = streamRefusal(body);
  if (refused !== null) return refused;
  const { measured, engineInput } = measureTranscription(body, task);
  const generation = await generate(call, {
    ...read.who,
    kind: "transcription",
    model: body.model,
    measured,
    inference: (model) => {
      if (engineInput === null) throw new Error("what has no length was admitted");
      return { model, ...engineInput };
    },
    render: ({ answers: [answer], item }) => {
      if (answer === undefined || engineInput === null) throw new Error("an answer is missing");
      const made = { body, engineInput, item, requestId: call.requestId };
      if (body.stream === true) {
        return renderedText(toTranscriptEvents(answer.output, made), EVENT_STREAM);
      }
      const reply = toTranscription(answer.output, made);
      return typeof reply === "string" ? renderedText(reply) : renderedJson(reply);
    },
  });
  return generation.kind === "generated"
    ? openAiReply(generation, call.config, startedMs)
    : generation;
}

/** What is planned and priced: of a call, and of a quote for it. */
export const measureSpeech = ({ model, input }: SpeechBody) => ({
  model,
  measured: speechMeasure(input),
});

export const createSpeech = defineRoute({
  method: "POST",
  path: "/v1/audio/speech",
  summary: "OpenAI's speech endpoint",
  description: "The reply is the sound; what it cost is in the headers.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/audio/speech" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: SpeechInput, limitBytes: MAX_BODY_BYTES, mend: mended },
  reply: {
    status: 200,
    schema: v.unknown(),
    contentType: "audio/mpeg",
    otherTypes: ["audio/wav", "audio/ogg", "audio/aac", "audio/flac", "audio/pcm"],
  },
  failures: GENERATED,
  handle: async (call) => {
    const startedMs = Date.now();
    const read = await callerOf(call, "POST /v1/audio/speech", null);
    if (read.kind !== "read") return read;
    const generation = await generate(call, {
      ...read.who,
      kind: "speech",
      ...measureSpeech(call.body),
      inference: (model) => speechInference(call.body, model),
      render: ({ answers: [answer] }) => {
        if (answer === undefined) throw new Error("an answer is missing");
        const { contentType, bytes } = answer.output;
        return { contentType, body: bytes };
      },
    });
    return generation.kind === "generated"
      ? openAiReply(generation, call.config, startedMs)
      : generation;
  },
});
