import { type AudioFormat, audioFormat, audioLength } from "../audio/audio-length.ts";
import type { Speech, SpeechFormat } from "./sound-inference.ts";

const TYPES: Readonly<Record<AudioFormat, string>> = {
  wav: "audio/wav",
  mpeg: "audio/mpeg",
  aac: "audio/aac",
  flac: "audio/flac",
  ogg: "audio/ogg",
  mp4: "audio/mp4",
  webm: "audio/webm",
};

export const soundType = (format: AudioFormat): string => TYPES[format];

/** 16 bits, 24 kHz, mono, without a header, as OpenAI's is. */
export const PCM_RATE = 24_000;
const PCM_BYTES_PER_S = PCM_RATE * 2;
const PCM_TYPE = `audio/pcm;rate=${PCM_RATE};channels=1`;

/** The speech that an engine made, its type read from its bytes; null where they are no sound. */
export function speechOf(
  bytes: Uint8Array<ArrayBuffer>,
  requested: SpeechFormat | null,
): Speech | null {
  if (bytes.byteLength === 0) return null;
  // Samples without a header have no signature.
  if (requested === "pcm") {
    const ms = Math.ceil((bytes.byteLength * 1000) / PCM_BYTES_PER_S);
    return { bytes, contentType: PCM_TYPE, length: { atMostMs: ms, countedMs: ms } };
  }
  const format = audioFormat(bytes);
  if (format === null) return null;
  return { bytes, contentType: soundType(format), length: audioLength(bytes) };
}

/** Over eleven minutes of PCM; 4,096 spoken characters take about ten. */
export const MAX_SPEECH_BYTES = 32 * 1024 * 1024;
/** The words of a day of speech, each with its times. */
export const MAX_TRANSCRIPT_BYTES = 8 * 1024 * 1024;
