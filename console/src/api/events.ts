// Reads server-sent events from the body of a `fetch`, since EventSource cannot send a key.

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** Typed to accept the bytes of a body. */
type Decoder = ReadableWritablePair<string, Uint8Array>;

/** Far longer than any event of our server. */
const MOST_CHARS = 4_000_000;

/** @throws Error when an event is longer than MOST_CHARS */
export async function* serverEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerEvent, void> {
  const reader = body.pipeThrough<string>(new TextDecoderStream() as Decoder).getReader();
  let rest = "";
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- as they come
      const { value, done } = await reader.read();
      if (done) return;
      rest += value.replaceAll("\r", "");
      const parts = rest.split("\n\n");
      rest = parts.pop() ?? "";
      if (rest.length > MOST_CHARS) throw new Error("an event is too long");
      for (const part of parts) {
        const event = readEvent(part);
        if (event !== null) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function readEvent(part: string): ServerEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of part.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length === 0 ? null : { event, data: data.join("\n") };
}
