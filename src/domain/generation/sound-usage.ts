import type { Model, Usage } from "../catalogue/catalogue.ts";
import type { RequestFailure } from "../ledger/failure.ts";
import type { Basis } from "../ledger/ledger.ts";

// Speech in and out: the measures of a request, the most that it uses, and the units that are counted
// after the answer.

/** How long a recording is. */
export interface AudioLength {
  /** Milliseconds that no decoder exceeds. */
  readonly atMostMs: number;
  /** Milliseconds to charge; null where the file contradicts itself, so that decoders may disagree. */
  readonly countedMs: number | null;
}

export type SoundMeasure =
  /** Null: no length can be read from the file, or none that is certain. */
  | { readonly kind: "transcription"; readonly audio: AudioLength | null }
  | {
      readonly kind: "speech";
      /** UTF-16 units: no other way to count characters gives more. */
      readonly characters: number;
      /** Of UTF-8. */
      readonly bytes: number;
    };

export const isSound = (measured: { readonly kind: string }): measured is SoundMeasure =>
  measured.kind === "transcription" || measured.kind === "speech";

/** Added to the file's own length: a decoder adds samples when it changes the sampling rate, and rounds. */
const RESAMPLED_MS = 50;

/** Half a second for each byte of a text: slower than anybody speaks, pauses included. */
const SPOKEN_MS_PER_BYTE_AT_MOST = 500;

/**
 * The charge where the reply's length cannot be read: a fifth of the most. 150 English words a minute are
 * 70 ms a letter, so this errs on the high side.
 */
const SPOKEN_MS_PER_BYTE = 100;

type SoundUnit = "audio_ms" | "input_character";

/** The unit of a sound model's price; null: a unit that is not counted here. */
function unitOf({ prices }: Model): SoundUnit | null {
  if (prices.input_character !== undefined) return "input_character";
  const minutes = prices.audio_minute ?? prices.input_audio_minute;
  return minutes === undefined ? null : "audio_ms";
}

/** Why this model cannot take the request, though it is for such work; null: it can. */
export function soundRefusal(
  model: Model,
  measured: SoundMeasure,
): Extract<RequestFailure, { kind: "unbounded_usage" | "unpriced_model" }> | null {
  const unit = unitOf(model);
  const isTranscription = measured.kind === "transcription";
  if (unit === null || (isTranscription && unit !== "audio_ms")) {
    return { kind: "unpriced_model", model: model.id };
  }
  if (!isTranscription || measured.audio !== null) return null;
  const detail =
    "The duration of the file cannot be read without decoding it, or the file has more tracks, streams or elements than a recording of 25 MB has. Send WAV (PCM), MP3, AAC, FLAC, Ogg or WebM (Opus, Vorbis), or M4A (AAC, ALAC, Opus).";
  return { kind: "unbounded_usage", detail, field: "file" };
}

/** The most that the engine call uses. */
export function soundUsage(model: Model, measured: SoundMeasure): Usage {
  if (measured.kind === "transcription") {
    return { audio_ms: (measured.audio?.atMostMs ?? 0) + RESAMPLED_MS };
  }
  return unitOf(model) === "input_character"
    ? { input_character: measured.characters }
    : { audio_ms: measured.bytes * SPOKEN_MS_PER_BYTE_AT_MOST };
}

/** Units of an answered call, and how they are known. */
export interface Counted {
  readonly units: Usage;
  readonly basis: Extract<Basis, "counted" | "estimated">;
}

/** The duration to charge; null where decoders may disagree about it. */
export const countedLength = (audio: AudioLength | null): Counted | null =>
  audio === null || audio.countedMs === null
    ? null
    : { units: { audio_ms: audio.countedMs }, basis: "counted" };

/** @param made how long the reply is; null: it cannot be read */
export function spoken(model: Model, measured: SoundMeasure, made: AudioLength | null): Counted {
  if (measured.kind === "speech" && unitOf(model) === "input_character") {
    return { units: { input_character: measured.characters }, basis: "counted" };
  }
  const counted = countedLength(made);
  if (counted !== null) return counted;
  const bytes = measured.kind === "speech" ? measured.bytes : 0;
  return { units: { audio_ms: bytes * SPOKEN_MS_PER_BYTE }, basis: "estimated" };
}
