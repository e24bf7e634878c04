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
// There are two figures. We reserve the longest duration that any decoder can find (`atMostMs`): frames
// and packets are counted, a header counts only where it says more, and of two possible readings the
// longer one counts. We charge the duration for a decoder that reads in order (`countedMs`). For files
// of honest encoders the two are equal.
//
// A format whose frames cannot be counted without decoding (compressed audio in WAV, unknown codecs,
// anything that is not recognised by its first bytes) has no length here. We do not guess.

export const AUDIO_FORMATS = ["wav", "mpeg", "aac", "flac", "ogg", "mp4", "webm"] as const;
export type AudioFormat = (typeof AUDIO_FORMATS)[number];

/** A hundred days: no recording is longer, and its price would not be a safe integer. */
const MAX_MS = 8_640_000_000;

/** Beyond this the two figures contradict each other. An honest file is within a few per cent. */
const contradicts = (atMostMs: number, countedMs: number): boolean =>
  atMostMs > countedMs * 1.25 + 1000;

/** The format by the first bytes; the name that the sender gave is ignored. */
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
 * Milliseconds, rounded up. Null where no length can be read, where it is over a hundred days, or where
 * the budget does not suffice. `countedMs` is null where it contradicts `atMostMs`.
 *
 * @param budget passed by tests, which read how much was spent
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
