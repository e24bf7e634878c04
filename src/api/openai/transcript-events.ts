import type { Outputs } from "../../engines/inference.ts";
import type { Spoken } from "../../engines/sound-inference.ts";
import { linesOf } from "../native/subtitles.ts";
import { ending, type MadeTranscript, secondsOf } from "./transcription.ts";

// A transcript as OpenAI streams one: its parts, then all of it. The engines here answer when they have heard
// everything, so the events come together.
// https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event

/** Server-sent events: a delta for each segment or line, together the text; then all of it, and its cost. */
export function toTranscriptEvents(output: Outputs["transcription"], made: MadeTranscript): string {
  const { text, segments, words } = output;
  const parts = segments.length > 0 ? segments : linesOf(words);
  const deltas = partsOf(text, parts).map((delta) => ({ type: "transcript.text.delta", delta }));
  const done = { type: "transcript.text.done", text, ...ending(made, secondsOf(made)) };
  const events = [...deltas, done].map((event) => JSON.stringify(event));
  return [...events, "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
}

/**
 * The text, cut where each of the parts ends. Engines space a segment otherwise than the text: what they say
 * that is not in it ends the search, and the rest stays together.
 */
function partsOf(text: string, parts: readonly Spoken[]): string[] {
  const ends: number[] = [];
  let at = 0;
  for (const { text: part } of parts) {
    const said = part.trim();
    if (said === "") continue;
    const begin = text.indexOf(said, at);
    if (begin === -1) break;
    at = begin + said.length;
    ends.push(at);
  }
  // What follows the last part belongs to it.
  if (at < text.length) ends.splice(Math.max(0, ends.length - 1), 1, text.length);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}
