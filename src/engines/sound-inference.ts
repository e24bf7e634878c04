import type { AudioFormat } from "../audio/audio-length.ts";
import type { AudioLength } from "../domain/generation/sound-usage.ts";

// Speech in and out, in one form for all surfaces and all engines: see inference.ts.

export interface TranscriptionInference {
  readonly model: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Read from its first bytes; the name that the sender gave is not passed on. */
  readonly format: AudioFormat;
  readonly length: AudioLength;
  /** ISO 639-1; null: the model detects it. */
  readonly language: string | null;
  readonly prompt: string | null;
  /** Null: the engine's default. */
  readonly temperature: number | null;
  /** `translate`: what is said, in English. */
  readonly task: "transcribe" | "translate";
  /** Whether the reply needs times: some servers give them only on request. */
  readonly timed: boolean;
}

/** In seconds from the beginning. */
export interface Spoken {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Segment extends Spoken {
  readonly temperature: number | null;
  readonly avgLogprob: number | null;
  readonly compressionRatio: number | null;
  readonly noSpeechProb: number | null;
}

export interface Transcript {
  readonly text: string;
  /** As the engine detected it. */
  readonly language: string | null;
  /** Empty where the engine gives none. */
  readonly segments: readonly Segment[];
  readonly words: readonly Spoken[];
}

export const SPEECH_FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const;
export type SpeechFormat = (typeof SPEECH_FORMATS)[number];

export interface SpeechInference {
  readonly model: string;
  readonly text: string;
  readonly voice: string;
  /** Null: MP3, or the format that the engine has instead. */
  readonly format: SpeechFormat | null;
  /** Null: the engine's default. */
  readonly speed: number | null;
  readonly instructions: string | null;
}

export interface Speech {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** Null where it cannot be read. */
  readonly length: AudioLength | null;
}
