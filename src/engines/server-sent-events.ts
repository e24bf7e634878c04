// The `data` of server-sent events, read on demand.
// https://html.spec.whatwg.org/#parsing-an-event-stream
//
// We do not use `eventsource-parser`, which is well kept: we need only `data` of the format, and that
// package lacks the difficult parts (bytes, bounds, back-pressure, an end at any time).

/** A chunk of an answer takes 1 KB; a chunk with all arguments of a tool takes more. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/**
 * @param signal ends it early
 * @throws when the connection is lost or given up, for bytes that are not UTF-8, and for an event or
 *   a line of more than 1,048,576 characters
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
      // The standard ignores an event without its empty line, but some servers end with one.
      if (data !== null) yield data;
      return;
    }
    throw new Error("given up");
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** Yields the lines that are complete so far: they end in LF, CR, or both. */
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
