import { field } from "./engine-call.ts";
import type { Segment, Spoken, Transcript } from "./sound-inference.ts";

// Reads the engines' transcripts into our form. Null for anything that does not have their shape.

/** Whisper's of Workers AI, and OpenAI's `json` and `verbose_json`. */
export function readWhisper(value: unknown): Transcript | null {
  const text = field(value, "text");
  if (typeof text !== "string") return null;
  const segments = listOf(field(value, "segments"), readSegment);
  const own = listOf(field(value, "words"), readWord);
  if (segments === null || own === null) return null;
  // The large model has the words within the segments.
  const inner = listOf(field(value, "segments"), (segment) =>
    listOf(field(segment, "words"), readWord),
  );
  const words = own.length > 0 ? own : (inner ?? []).flat();
  const found = field(field(value, "transcription_info"), "language") ?? field(value, "language");
  return { text, language: languageOf(found), segments, words };
}

/** Deepgram's: the first channel's likeliest reading. */
export function readDeepgram(value: unknown): Transcript | null {
  const channel = first(field(field(value, "results"), "channels"));
  const likeliest = first(field(channel, "alternatives"));
  const text = field(likeliest, "transcript");
  const words = listOf(field(likeliest, "words"), readWord);
  if (typeof text !== "string" || words === null) return null;
  return { text, language: languageOf(field(channel, "detected_language")), segments: [], words };
}

/** Milliseconds of audio that the engine reports; null where it reports none. */
export function reportedMs(value: unknown): number | null {
  const seconds = field(field(value, "transcription_info"), "duration");
  return isTime(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : null;
}

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined);

const isTime = (value: unknown): value is number =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

const languageOf = (value: unknown): string | null =>
  typeof value === "string" && value.length > 0 && value.length <= 40 ? value : null;

/** Absent: empty. Null where it is no list, or one of its items cannot be read. */
function listOf<Item>(value: unknown, read: (item: unknown) => Item | null): Item[] | null {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return null;
  const items: Item[] = [];
  for (const one of value) {
    const item = read(one);
    if (item === null) return null;
    items.push(item);
  }
  return items;
}

function readSpoken(value: unknown, text: unknown): Spoken | null {
  const start = field(value, "start");
  const end = field(value, "end");
  if (typeof text !== "string" || !isTime(start) || !isTime(end)) return null;
  return { start, end: Math.max(start, end), text };
}

const readWord = (value: unknown): Spoken | null => readSpoken(value, field(value, "word"));

function readSegment(value: unknown): Segment | null {
  const spoken = readSpoken(value, field(value, "text"));
  if (spoken === null) return null;
  const number = (name: string): number | null => {
    const found = field(value, name);
    return typeof found === "number" && Number.isFinite(found) ? found : null;
  };
  return {
    ...spoken,
    temperature: number("temperature"),
    avgLogprob: number("avg_logprob"),
    compressionRatio: number("compression_ratio"),
    noSpeechProb: number("no_speech_prob"),
  };
}
