// The `data` of server-sent events, read as it is asked for.
// https://html.spec.whatwg.org/#parsing-an-event-stream
//
// Our own and not `eventsource-parser`, which is well kept: of the format we need `data` alone, and
// what takes the care here (bytes, bounds, back-pressure, an end at any time) is not in that package.

/** A chunk of an answer takes a kilobyte; one with all of a tool's arguments some more. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/**
 * @param signal ends it early
 * @throws when the connection is lost or given up, at bytes that are not UTF-8, and at an event that
 *   is longer than anything an engine says at once
 */
export async function* eventData(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const lines = lineSplitter();
  let data: string | null = null;
  try {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one piece after the other
      const { done, value } = await reader.read();
      if (signal.aborted) break;
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      for (const line of lines(text)) {
        if (line === "") {
          if (data !== null) yield data;
          data = null;
        } else if (line.startsWith("data:")) {
          const more = line.slice(line.startsWith("data: ") ? 6 : 5);
          data = data === null ? more : `${data}\n${more}`;
          if (data.length > MAX_EVENT_CHARACTERS) throw new Error("the event is too long");
        }
      }
      if (!done) continue;
      // By the standard an event without its empty line is none; some servers end so.
      if (data !== null) yield data;
      return;
    }
    throw new Error("given up");
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** Gives the whole lines of what came so far: they end in LF, CR, or both. */
function lineSplitter(): (text: string) => Generator<string, void> {
  let rest = "";
  let afterCr = false;
  return function* lines(text) {
    let from = afterCr && text.startsWith("\n") ? 1 : 0;
    if (text !== "") afterCr = text.endsWith("\r");
    for (const { index, 0: end } of text.matchAll(/\r\n|\n|\r/g)) {
      if (index < from) continue;
      yield rest + text.slice(from, index);
      rest = "";
      from = index + end.length;
    }
    rest += text.slice(from);
    if (rest.length > MAX_EVENT_CHARACTERS) throw new Error("the line is too long");
  };
}
