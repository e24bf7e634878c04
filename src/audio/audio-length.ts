import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { asciiAt } from "../io/byte-view.ts";
import { adtsFrameAt, frameStream, mpegFrameAt, tagEnd } from "./frame-stream.ts";
import { flacLength } from "./flac.ts";
import { mp4Length } from "./mp4.ts";
import { oggLength } from "./ogg.ts";
import { newReadBudget, type ReadBudget } from "./read-budget.ts";
import { wavLength } from "./wav.ts";
import { webmLength } from "./webm.ts";

// How long a recording is, from its container, without decoding any of it.
//
// Two figures, since two things hang on it. What is held must be no less than what any decoder can
// find: so frames and packets are counted, headers are believed only where they say more, and where
// two readings are possible the longer one counts. What is charged is what a decoder hears that
// reads in order. Both are one and the same for what honest encoders write.
//
// A format whose frames cannot be counted without decoding (compressed audio in WAV, unknown codecs,
// anything that is not recognised by its first bytes) has no length here: it is not guessed.

export const AUDIO_FORMATS = ["wav", "mpeg", "aac", "flac", "ogg", "mp4", "webm"] as const;
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** A hundred days: more is no recording, and the price of it would leave the safe integers. */
const MAX_MS = 8_640_000_000;

/** Beyond this the two figures contradict each other. An honest file is within a few per cent. */
const contradicts = (atMostMs: number, countedMs: number): boolean =>
  atMostMs > countedMs * 1.25 + 1000;

/** The format that the first bytes name, whatever the sender called it. */
export function audioFormat(bytes: Uint8Array): AudioFormat | null {
  const begins = (text: string): boolean => asciiAt(bytes, 0, text);
  if ((begins("RIFF") || begins("RF64")) && asciiAt(bytes, 8, "WAVE")) return "wav";
  if (begins("fLaC")) return "flac";
  if (begins("OggS")) return "ogg";
  if (asciiAt(bytes, 4, "ftyp")) return "mp4";
  if (begins("\x1a\x45\xdf\xa3")) return "webm";
  // A tag comes before either.
  const from = tagEnd(bytes);
  if (adtsFrameAt(bytes, from) !== null) return "aac";
  return mpegFrameAt(bytes, from) === null ? null : "mpeg";
}

/**
 * Null where no length can be read, none that can be vouched for, or not within the budget.
 *
 * @param budget given by tests, who read what was spent
 */
export function audioLength(
  bytes: Uint8Array,
  budget: ReadBudget = newReadBudget(),
): AudioLength | null {
  const found = read(bytes, budget);
  if (found === null || !(found.atMostMs > 0 && found.atMostMs <= MAX_MS)) return null;
  const atMostMs = Math.ceil(found.atMostMs);
  const countedMs = found.countedMs === null ? null : Math.ceil(found.countedMs);
  const known = countedMs !== null && countedMs > 0 && !contradicts(atMostMs, countedMs);
  return { atMostMs, countedMs: known ? Math.min(atMostMs, countedMs) : null };
}

function read(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  switch (audioFormat(bytes)) {
    case "wav":
      return wavLength(bytes);
    case "mpeg":
    case "aac":
      return frameStream(bytes, budget);
    case "flac":
      return flacLength(bytes, budget);
    case "ogg":
      return oggLength(bytes, budget);
    case "mp4":
      return mp4Length(bytes, budget);
    case "webm":
      return webmLength(bytes, budget);
    default:
      return null;
  }
}
