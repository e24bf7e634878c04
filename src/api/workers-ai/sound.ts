import * as v from "valibot";
import { bytesOfText } from "../../domain/text/base64.ts";
import { shaped } from "../../http/field-errors.ts";
import { audioFormat, audioLength } from "../../audio/audio-length.ts";
import { languageOf } from "../../domain/text/languages.ts";
import type { Outputs } from "../../engines/inference.ts";
import type { SpeechFormat, SpeechInference, Spoken } from "../../engines/sound-inference.ts";
import { linesOf, toVtt } from "../native/subtitles.ts";
import { parseInputs, type Reading, type RunBody, type RunFailure, wrong } from "./envelope.ts";
import { OF_TRANSCRIPTION, unsetIn } from "./unset-options.ts";
import { object } from "../object-input.ts";

// Speech in and out in the Workers AI drop-in. A recording is the whole body, an array of its bytes, or
// base64.

const text = v.pipe(v.string(), v.minLength(1));

const LANGUAGE = "must be a language code such as en";

export const TranscriptionInput = object({
  audio: v.union([v.instance(Uint8Array), text]),
  task: v.optional(v.picklist(["transcribe", "translate"]), "transcribe"),
  language: v.optional(
    v.pipe(
      v.string(),
      v.transform(languageOf),
      v.regex(shaped(/^[A-Za-z]{2,3}(-\w{2,4})?$/, LANGUAGE)),
    ),
  ),
  initial_prompt: v.optional(v.pipe(v.string(), v.maxLength(1000))),
  prefix: v.optional(v.string()),
});

const NOVA = /\/nova-/;
const LARGE = /\/whisper-large-/;

const refused = (parameter: string, detail: string): RunFailure => ({
  kind: "unsupported_parameter",
  parameter,
  detail: `${parameter}: ${detail}`,
});

export function readTranscription(body: RunBody, model: string): Reading<"transcription"> {
  const sent = body.kind === "json" ? body.value : { audio: body.bytes };
  const parsed = parseInputs(TranscriptionInput, { kind: "json", value: sent });
  if (parsed.kind !== "parsed") return parsed;
  const { audio, task, language, initial_prompt: prompt, prefix } = parsed.inputs;
  if (task === "translate" && !LARGE.test(model)) {
    return refused("task", "only whisper-large-v3-turbo translates what is said.");
  }
  if (prefix !== undefined)
    return refused("prefix", "no engine here takes the beginning of a transcript.");
  const unset = unsetIn(sent, OF_TRANSCRIPTION);
  if (unset !== null) return unset;
  const bytes = bytesOf(audio);
  if (bytes === null) return wrong(["audio"], "must be an array of bytes, or base64");
  const format = audioFormat(bytes);
  const length = audioLength(bytes);
  return {
    kind: "task",
    measured: { kind: "transcription", audio: length },
    inference(id) {
      if (format === null || length === null) throw new Error("what has no length was admitted");
      const options = { language: language ?? null, prompt: prompt ?? null, temperature: null };
      return { model: id, bytes, format, length, ...options, timed: true, task };
    },
    result: (output) => {
      if (NOVA.test(model)) return toDeepgram(output);
      const seconds = (length?.countedMs ?? length?.atMostMs ?? 0) / 1000;
      return LARGE.test(model) ? toLarge(output, seconds) : toWhisper(output, seconds);
    },
  };
}

function bytesOf(audio: string | Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (typeof audio !== "string") return unshared(audio);
  return bytesOfText(audio);
}

/** As it lies there: a recording is not copied. */
const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);

type Transcript = Outputs["transcription"];

const wordsIn = ({ words, text: said }: Transcript): number =>
  words.length > 0 ? words.length : (said.match(/\S+/g) ?? []).length;

const toWord = ({ text: word, start, end }: Spoken): object => ({ word, start, end });

/** As the segments are, else lines of its words, else all of it at once. */
function vttOf({ segments, words, text: said }: Transcript, seconds: number): string {
  if (segments.length > 0) return toVtt(segments);
  if (words.length > 0) return toVtt(linesOf(words));
  return toVtt(said.trim() === "" ? [] : [{ start: 0, end: seconds, text: said }]);
}

const toWhisper = (output: Transcript, seconds: number): object => ({
  text: output.text,
  word_count: wordsIn(output),
  words: output.words.map(toWord),
  vtt: vttOf(output, seconds),
});

const toLarge = (output: Transcript, seconds: number): object => ({
  transcription_info: { language: output.language, duration: seconds },
  text: output.text,
  word_count: wordsIn(output),
  segments: output.segments.map((segment) => ({
    start: segment.start,
    end: segment.end,
    text: segment.text,
    ...(segment.temperature !== null && { temperature: segment.temperature }),
    ...(segment.avgLogprob !== null && { avg_logprob: segment.avgLogprob }),
    ...(segment.compressionRatio !== null && { compression_ratio: segment.compressionRatio }),
    ...(segment.noSpeechProb !== null && { no_speech_prob: segment.noSpeechProb }),
  })),
  vtt: vttOf(output, seconds),
});

const toDeepgram = ({ text: transcript, words, language }: Transcript): object => ({
  results: {
    channels: [
      {
        alternatives: [{ transcript, words: words.map(toWord) }],
        ...(language !== null && { detected_language: language }),
      },
    ],
  },
});

/** OpenAI's own limit, which the other surface has too. */
const MAX_SPOKEN = 4096;

const spoken = v.pipe(text, v.maxLength(MAX_SPOKEN));

const MelottsInput = object({
  prompt: spoken,
  lang: v.optional(v.pipe(text, v.maxLength(8)), "en"),
});

const AuraInput = object({
  text: spoken,
  speaker: v.optional(v.pipe(text, v.maxLength(64))),
  encoding: v.optional(
    v.picklist(["mp3", "opus", "flac", "aac", "linear16", "mulaw", "alaw"]),
    "mp3",
  ),
  container: v.optional(v.picklist(["none", "wav", "ogg"])),
  sample_rate: v.optional(v.number()),
  bit_rate: v.optional(v.number()),
});

export const speechInput = (model: string) => (speaksInJson(model) ? MelottsInput : AuraInput);

/** A speech's reading, and how its reply is given. */
export function readSpeech(body: RunBody, model: string): Reading<"speech"> {
  if (speaksInJson(model)) {
    const parsed = parseInputs(MelottsInput, body);
    if (parsed.kind !== "parsed") return parsed;
    const { prompt, lang } = parsed.inputs;
    return speechTask(prompt, { voice: lang, format: null });
  }
  const parsed = parseInputs(AuraInput, body);
  if (parsed.kind !== "parsed") return parsed;
  const { text: said, speaker, encoding, container, sample_rate, bit_rate } = parsed.inputs;
  if (sample_rate !== undefined) return refused("sample_rate", "the model's own is used.");
  if (bit_rate !== undefined) return refused("bit_rate", "the model's own is used.");
  const format = formatOf(encoding, container);
  if (format === null) return refused("encoding", "that one is not made here.");
  // A name of nobody's of the model's: its own choice.
  return speechTask(said, { voice: speaker ?? "alloy", format });
}

function formatOf(encoding: string, container: string | undefined): SpeechFormat | null {
  if (encoding === "linear16") return container === "none" ? "pcm" : "wav";
  return (["mp3", "opus", "flac", "aac"] as const).find((format) => format === encoding) ?? null;
}

const speechTask = (
  said: string,
  how: Pick<SpeechInference, "voice" | "format">,
): Reading<"speech"> => ({
  kind: "task",
  measured: {
    kind: "speech",
    characters: said.length,
    bytes: new TextEncoder().encode(said).byteLength,
  },
  inference: (model) => ({ model, text: said, ...how, speed: null, instructions: null }),
  result: ({ bytes }) => ({ audio: bytes.toBase64() }),
});

/** Whether the model answers `{ audio }` in base64, where the others answer with the sound itself. */
export const speaksInJson = (model: string): boolean => model.includes("/melotts");
