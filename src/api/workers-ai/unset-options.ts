import type { RunFailure } from "./envelope.ts";

// Options of Workers AI's models that are not passed on. If one were ignored, the caller would
// get another result than the one asked for: each is refused by name, unless its value changes nothing.

/** By name: the values that change nothing. */
export type UnsetOptions = ReadonlyMap<string, readonly unknown[]>;

const each = (names: readonly string[], same: readonly unknown[]) =>
  names.map((name) => [name, same] as const);

/** Whisper's, with the defaults of its page, and Nova's, whose punctuation and formatting are on here. */
export const OF_TRANSCRIPTION: UnsetOptions = new Map<string, readonly unknown[]>([
  ["vad_filter", [false]],
  ["beam_size", [5]],
  ["condition_on_previous_text", [true]],
  ["no_speech_threshold", [0.6]],
  ["compression_ratio_threshold", [2.4]],
  ["log_prob_threshold", [-1]],
  ["hallucination_silence_threshold", []],
  ["punctuate", [true]],
  ["smart_format", [true]],
  ["mode", ["general"]],
  ...each(["detect_entities", "diarize", "dictation", "filler_words", "measurements"], [false]),
  ...each(["multichannel", "numerals", "paragraphs", "profanity_filter", "sentiment"], [false]),
  ...each(["topics", "utterances"], [false]),
  ...each(["custom_topic", "custom_topic_mode", "custom_intent", "custom_intent_mode"], []),
  ...each(["keyterm", "keywords", "redact", "replace", "search", "utt_split", "channels"], []),
]);

/** LLaVA's: no source gives their bounds. */
export const OF_DESCRIPTION: UnsetOptions = new Map<string, readonly unknown[]>([
  ["raw", [false]],
  ...each(["top_p", "top_k", "seed", "messages"], []),
  ...each(["repetition_penalty", "frequency_penalty", "presence_penalty"], []),
]);

/** A text is embedded whole or refused, and as it is. */
export const OF_EMBEDDINGS: UnsetOptions = new Map<string, readonly unknown[]>([
  ["truncate_inputs", [false]],
  ...each(["instruction", "queries", "documents", "query", "contexts"], []),
]);

/** The first option of a body that asks for what is not done; null: there is none. */
export function unsetIn(body: unknown, options: UnsetOptions): RunFailure | null {
  const found = Object.entries(Object(body)).find(([name, value]) => {
    const same = options.get(name);
    return same !== undefined && value !== null && !same.includes(value);
  });
  if (found === undefined) return null;
  const [parameter] = found;
  const detail = `${parameter}: this option is not set here; leave it out.`;
  return { kind: "unsupported_parameter", parameter, detail };
}
