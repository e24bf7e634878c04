import { audioLength } from "../../audio/audio-length.ts";
import type { Generate } from "../inference.ts";

// A stand-in for speech: each byte of the text is two tones, one for each half of the byte. Everybody
// hears that this is no speech, and the text can be read back from it. WAV: 8 kHz, 8 bits, mono.

export const TONES_MODEL = "neurogate/tones@1";

export const TONE_RATE = 8000;
const SAMPLES_PER_BYTE = 320;
export const TONE_MS = (SAMPLES_PER_BYTE * 1000) / TONE_RATE;

/** A minute, 480 KB: a longer text is cut. */
const MAX_BYTES = 60_000 / TONE_MS;

/** Hertz: whole periods in 40 ms, so that tones neither click nor hide one another. */
export const LOW_TONES: readonly number[] = Array.from({ length: 16 }, (_, at) => 400 + at * 50);
export const HIGH_TONES: readonly number[] = Array.from({ length: 16 }, (_, at) => 1400 + at * 100);

const HEADER_BYTES = 44;
const SILENCE = 128;
const LOUDNESS = 50;

export const embeddedSpeech: Generate<"speech"> = async (_hold, inference) => {
  const { text, format, speed, instructions } = inference;
  if (format !== null && format !== "wav") {
    return { kind: "unsupported", parameter: "response_format" };
  }
  if (speed !== null && speed !== 1) return { kind: "unsupported", parameter: "speed" };
  if (instructions !== null) return { kind: "unsupported", parameter: "instructions" };
  const bytes = tones(text);
  const output = { bytes, contentType: "audio/wav", length: audioLength(bytes) };
  return { kind: "answered", model: TONES_MODEL, output, usage: null };
};

/** The same text always gives the same bytes. */
export function tones(text: string): Uint8Array<ArrayBuffer> {
  const spoken = new TextEncoder().encode(text).subarray(0, MAX_BYTES);
  const samples = spoken.length * SAMPLES_PER_BYTE;
  const wav = new Uint8Array(HEADER_BYTES + samples);
  wav.set(header(samples));
  spoken.forEach((byte, at) => {
    const from = HEADER_BYTES + at * SAMPLES_PER_BYTE;
    const low = wave(LOW_TONES[byte >> 4] ?? 0);
    const high = wave(HIGH_TONES[byte & 15] ?? 0);
    for (let sample = 0; sample < SAMPLES_PER_BYTE; sample += 1) {
      wav[from + sample] = Math.round(SILENCE + LOUDNESS * (low(sample) + high(sample)));
    }
  });
  return wav;
}

const wave =
  (hertz: number) =>
  (sample: number): number =>
    Math.sin((2 * Math.PI * hertz * sample) / TONE_RATE);

function header(samples: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const text = (at: number, letters: string): void =>
    bytes.set(new TextEncoder().encode(letters), at);
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, TONE_RATE, true);
  view.setUint32(28, TONE_RATE, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, samples, true);
  return bytes;
}
