import * as v from "valibot";
import { audioFormat, audioLength } from "../../audio/audio-length.ts";
import { languageOf } from "../../domain/text/languages.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import type { Outputs } from "../../engines/inference.ts";
import type { Segment, Spoken, TranscriptionInference } from "../../engines/sound-inference.ts";
import { stated } from "../../http/field-errors.ts";
import { upload } from "../../http/upload.ts";
import { modelName, Neurogate, toNeurogate } from "./drop-in.ts";
import { linesOf, toSrt, toVtt } from "../native/subtitles.ts";
import { object } from "../object-input.ts";

// OpenAI's transcriptions, as its clients send them: a form. Unknown fields are ignored, as the
// original does; known ones that would change the answer and cannot be honoured are refused.

/** OpenAI's own limit of a file. */
export const MAX_AUDIO_BYTES = 25 * 1024 * 1024;
/** The file, and the fields beside it. */
export const MAX_FORM_BYTES = MAX_AUDIO_BYTES + 128 * 1024;

/** Some engines take it in their address. */
const MAX_PROMPT = 1000;

const GRANULARITIES = ["word", "segment"] as const;

const absent = (why: string) =>
  v.optional(v.pipe(v.unknown(), v.check(stated(`must be absent: ${why}`, () => false))));

/** The fields of a translation, which a transcription has too. */
const fields = {
  file: upload(
    MAX_AUDIO_BYTES,
    "At most 25 MB of WAV (PCM), MP3, AAC, FLAC, Ogg or WebM (Opus, Vorbis), or M4A (AAC, ALAC, Opus).",
  ),
  model: modelName,
  prompt: v.optional(v.pipe(v.string(), v.maxLength(MAX_PROMPT))),
  response_format: v.optional(v.picklist(["json", "text", "srt", "verbose_json", "vtt"]), "json"),
  temperature: v.optional(
    v.pipe(
      v.string(),
      v.check(stated("must be a number from 0 to 1", (text: string) => inUnit(text))),
      v.transform(Number),
    ),
  ),
};

/** What is said, in English: a form of fewer fields. */
export const AudioTranslationInput = object(fields);

export const TranscriptionInput = object({
  ...fields,
  language: v.optional(
    v.pipe(
      v.string(),
      v.description("ISO 639-1, or the English name; found out where it is absent."),
      v.transform(languageOf),
      v.check(
        stated("must be ISO 639-1, or a language's English name", (code: string) =>
          /^[A-Za-z]{2,3}(-\w{2,4})?$/.test(code),
        ),
      ),
    ),
  ),
  timestamp_granularities: v.optional(
    v.pipe(
      v.array(v.picklist(GRANULARITIES)),
      v.maxLength(GRANULARITIES.length),
      v.description("Of `verbose_json`; sent as `timestamp_granularities[]`, once for each."),
    ),
  ),
  stream: v.optional(
    v.pipe(
      v.string(),
      v.check(stated("must be true or false", (text: string) => isFalse(text) || isTrue(text))),
      v.transform(isTrue),
      v.description(
        "As OpenAI's events, with `response_format` `json` or `text`: a delta for each segment, then the text. They come when all was heard.",
      ),
    ),
  ),
  include: absent("no engine here reports likelihoods"),
  keywords: absent("no engine here is given words to listen for; a prompt may name them"),
  known_speaker_names: absent("no engine here tells speakers apart"),
  known_speaker_references: absent("no engine here tells speakers apart"),
  languages: absent("one language can be named, in language"),
  chunking_strategy: v.optional(
    v.pipe(
      v.string(),
      v.check(stated("must be auto or absent", (text: string) => text === "auto" || text === "")),
    ),
  ),
});

const inUnit = (text: string): boolean => /^\d+(\.\d+)?$/.test(text) && Number(text) <= 1;

function isFalse(text: string): boolean {
  return ["", "false", "0"].includes(text.toLowerCase());
}

function isTrue(text: string): boolean {
  return ["true", "1"].includes(text.toLowerCase());
}

type TranscriptionBody = v.InferOutput<typeof TranscriptionInput>;

/** What is asked of a recording: a transcription, or a translation into English. */
export type RecordingBody = v.InferOutput<typeof AudioTranslationInput> &
  Partial<Pick<TranscriptionBody, "language" | "timestamp_granularities" | "stream">>;

const TIMED: readonly TranscriptionBody["response_format"][] = ["srt", "vtt", "verbose_json"];

/** Null: no stream is asked for, or one of a format that events can give. */
export const streamRefusal = ({ stream, response_format: format }: RecordingBody) =>
  stream === true && TIMED.includes(format)
    ? ({
        kind: "invalid_request",
        errors: [
          {
            path: ["stream"],
            detail: `must be false or absent with response_format ${format}: events have no times`,
          },
        ],
      } as const)
    : null;

/** The measure that is planned and priced, and the engine's input without the model. */
export function measureTranscription(
  body: RecordingBody,
  task: TranscriptionInference["task"],
): {
  readonly measured: {
    readonly kind: "transcription";
    readonly audio: TranscriptionInference["length"] | null;
  };
  /** Null: nothing can be asked, and nothing is admitted. */
  readonly engineInput: Omit<TranscriptionInference, "model"> | null;
} {
  const { bytes } = body.file;
  const format = audioFormat(bytes);
  const length = audioLength(bytes);
  const measured = { kind: "transcription", audio: length } as const;
  if (format === null || length === null) return { measured, engineInput: null };
  const engineInput = {
    bytes,
    format,
    length,
    language: body.language ?? null,
    prompt: body.prompt === "" ? null : (body.prompt ?? null),
    temperature: body.temperature ?? null,
    timed: TIMED.includes(body.response_format),
    task,
  };
  return { measured, engineInput };
}

const Usage = v.object({ type: v.literal("duration"), seconds: v.number() });

const OutputSegment = v.object({
  id: v.number(),
  seek: v.number(),
  start: v.number(),
  end: v.number(),
  text: v.string(),
  tokens: v.pipe(v.array(v.number()), v.description("Empty: engines here do not report them.")),
  temperature: v.number(),
  avg_logprob: v.pipe(v.number(), v.description("0 if the engine does not report it.")),
  compression_ratio: v.number(),
  no_speech_prob: v.number(),
});

export const TranscriptionOutput = v.object({
  text: v.string(),
  task: v.optional(v.picklist(["transcribe", "translate"])),
  language: v.optional(v.string()),
  duration: v.optional(v.pipe(v.number(), v.description("Seconds."))),
  segments: v.optional(v.array(OutputSegment)),
  words: v.optional(v.array(v.object({ word: v.string(), start: v.number(), end: v.number() }))),
  usage: Usage,
  neurogate: Neurogate,
});

export interface MadeTranscript {
  readonly body: RecordingBody;
  readonly engineInput: Omit<TranscriptionInference, "model">;
  readonly item: Item;
  readonly requestId: string;
}

/** How long the recording is. */
export const secondsOf = ({ engineInput: { length } }: MadeTranscript): number =>
  (length.countedMs ?? length.atMostMs) / 1000;

/** A text as text; JSON as an object. */
export function toTranscription(
  output: Outputs["transcription"],
  made: MadeTranscript,
): string | v.InferOutput<typeof TranscriptionOutput> {
  const seconds = secondsOf(made);
  const segments = segmentsOf(output, seconds);
  switch (made.body.response_format) {
    case "text":
      return `${output.text}\n`;
    case "srt":
      return toSrt(segments);
    case "vtt":
      return toVtt(segments);
    case "json":
      return { text: output.text, ...ending(made, seconds) };
    case "verbose_json":
      return verbose(output, segments, { ...made, seconds });
  }
}

/** What every form of a transcript with room for it ends with. */
export const ending = ({ item, requestId }: MadeTranscript, seconds: number) => ({
  usage: { type: "duration" as const, seconds: Math.ceil(seconds) },
  neurogate: toNeurogate(item, requestId),
});

function verbose(
  { text, language, words }: Outputs["transcription"],
  segments: readonly Segment[],
  made: MadeTranscript & { readonly seconds: number },
): v.InferOutput<typeof TranscriptionOutput> {
  const wanted = made.body.timestamp_granularities ?? ["segment"];
  return {
    task: made.engineInput.task,
    language: language ?? made.engineInput.language ?? "unknown",
    duration: made.seconds,
    text,
    ...(wanted.includes("segment") && { segments: segments.map(toSegment) }),
    ...(wanted.includes("word") && {
      words: words.map((word) => ({ word: word.text, start: word.start, end: word.end })),
    }),
    ...ending(made, made.seconds),
  };
}

const toSegment = (segment: Segment, id: number): v.InferOutput<typeof OutputSegment> => ({
  id,
  seek: Math.round(segment.start * 100),
  start: segment.start,
  end: segment.end,
  text: segment.text,
  tokens: [],
  temperature: segment.temperature ?? 0,
  avg_logprob: segment.avgLogprob ?? 0,
  compression_ratio: segment.compressionRatio ?? 0,
  no_speech_prob: segment.noSpeechProb ?? 0,
});

const UNTOLD = {
  temperature: null,
  avgLogprob: null,
  compressionRatio: null,
  noSpeechProb: null,
} as const;

/** As the engine gave them; else its words as lines; else all of it as one. */
function segmentsOf(
  { text, segments, words }: Outputs["transcription"],
  seconds: number,
): readonly Segment[] {
  if (segments.length > 0) return segments;
  const whole: readonly Spoken[] = text.trim() === "" ? [] : [{ start: 0, end: seconds, text }];
  const lines = words.length > 0 ? linesOf(words) : whole;
  return lines.map((line) => ({ ...line, ...UNTOLD }));
}
