import type { ChatEvent } from "./inference.ts";

// Applies `stop` for an engine that has no field for it: the text is cut before the first sequence, as
// OpenAI cuts it. The text that the engine writes after that is charged and not shown.

export const stopsOf = (stop: unknown): readonly string[] =>
  [stop].flat().filter((text): text is string => typeof text === "string" && text !== "");

/** The sequence that is complete first ends the text, as it would while a model writes. */
export function cutAtStop(
  text: string,
  stop: unknown,
): { readonly text: string; readonly stopped: boolean } {
  const found = stopsOf(stop)
    .map((sequence) => ({ from: text.indexOf(sequence), length: sequence.length }))
    .filter(({ from }) => from !== -1)
    .toSorted((a, b) => a.from + a.length - (b.from + b.length) || a.from - b.from);
  const [first] = found;
  return first === undefined
    ? { text, stopped: false }
    : { text: text.slice(0, first.from), stopped: true };
}

/** The same for a stream: text that may be the beginning of a sequence waits for more text. */
export async function* untilStop(
  events: AsyncGenerator<ChatEvent, void>,
  stop: unknown,
): AsyncGenerator<ChatEvent, void> {
  const stops = stopsOf(stop);
  let waiting = "";
  let stopped = false;
  for await (const event of events) {
    if (event.kind === "text") {
      if (stopped) continue;
      const cut = cutAtStop(waiting + event.text, stops);
      stopped = cut.stopped;
      waiting = stopped ? "" : beginning(cut.text, stops);
      const text = cut.text.slice(0, cut.text.length - waiting.length);
      if (text !== "") yield { kind: "text", text };
      continue;
    }
    if (event.kind === "finish") {
      if (waiting !== "") yield { kind: "text", text: waiting };
      waiting = "";
      yield stopped ? { kind: "finish", reason: "stop" } : event;
      continue;
    }
    if (!stopped || event.kind === "usage" || event.kind === "end") yield event;
  }
  // The stream was cut before this text could become a sequence.
  if (waiting !== "") yield { kind: "text", text: waiting };
}

/** The longest end of the text that is the beginning of a sequence. */
function beginning(text: string, stops: readonly string[]): string {
  const longest = Math.max(0, ...stops.map(({ length }) => length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length -= 1) {
    const end = text.slice(-length);
    if (stops.some((sequence) => sequence.startsWith(end))) return end;
  }
  return "";
}
