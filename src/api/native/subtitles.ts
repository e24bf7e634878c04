import type { Spoken } from "../../engines/sound-inference.ts";

// Transcripts with times as text: SubRip, and WebVTT (https://www.w3.org/TR/webvtt1/).

/** Where the engine gives words without segments: a line breaks after so long, or at a pause. */
const LINE_S = 6;
const PAUSE_S = 1;

/** Words put together into lines. */
export function linesOf(words: readonly Spoken[]): Spoken[] {
  const lines: Spoken[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    const goes =
      line !== undefined && word.end - line.start <= LINE_S && word.start - line.end <= PAUSE_S;
    if (goes) lines[lines.length - 1] = joined(line, word);
    else lines.push({ ...word, text: word.text.trim() });
  }
  return lines;
}

const joined = (line: Spoken, word: Spoken): Spoken => ({
  start: line.start,
  end: Math.max(line.end, word.end),
  text: `${line.text} ${word.text.trim()}`,
});

export const toSrt = (lines: readonly Spoken[]): string =>
  lines.map((line, at) => `${at + 1}\n${times(line, ",")}\n${oneLine(line.text)}\n`).join("\n");

export const toVtt = (lines: readonly Spoken[]): string =>
  `WEBVTT\n\n${lines.map((line) => `${times(line, ".")}\n${escaped(oneLine(line.text))}\n`).join("\n")}`;

const times = ({ start, end }: Spoken, point: string): string =>
  `${timestamp(start, point)} --> ${timestamp(end, point)}`;

const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");

function timestamp(seconds: number, point: string): string {
  const ms = Math.round(seconds * 1000);
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map(two).join(":");
  return `${clock}${point}${String(ms % 1000).padStart(3, "0")}`;
}

/** An empty line would end the cue. */
const oneLine = (text: string): string =>
  text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");

/** An arrow in a text would begin a cue, a bracket a tag. */
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
