import type { CallEvent, CallEvents } from "./call-events.ts";

// From events to a caller, at the caller's pace: the next event is asked for when the bytes of the
// last one were taken, so a slow reader never makes anything grow here.
//
// When the caller leaves, what the engine goes on to use is still charged: the events are read on
// for a while, for the usage at their end. Whether the caller's leaving is ever noticed decides
// nothing: a stream ends at its limit at the latest, and if this Worker is gone by then, the hold
// expires.

/** From the first byte on. The contract, section 5; a hold's deadline comes 30 s after it. */
export const STREAM_MS = 600_000;

/** After the caller has left the platform grants 30 s, of which the settlement needs some. */
export const READ_ON_MS = 20_000;

/** For the last words to a caller whose stream has come to its limit. */
const LAST_WORD_MS = 5_000;

export type Closed = Extract<CallEvent, { kind: "closed" }>;

export interface Pumped {
  readonly body: ReadableStream<Uint8Array>;
  /** When nothing runs any more. Rejects only for a bug. */
  readonly closed: Promise<Closed>;
  /** When nothing is written any more either. Never rejects. */
  readonly done: Promise<void>;
}

/**
 * @param render what the caller gets for an event; empty for nothing
 * @param end ends all engines' streams, as cut; the events then end soon
 */
export function pumpStream(
  events: CallEvents,
  render: (event: CallEvent) => string,
  end: () => void,
): Pumped {
  // Unlike a TransformStream of JavaScript's it holds nothing, and a write fails when the caller
  // has left: its promise resolves when the bytes were taken.
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const closed = Promise.withResolvers<Closed>();
  const done = pump(writer, { events, render, end, closed: closed.resolve }).catch(
    (error: unknown) => {
      end();
      closed.reject(error);
      return writer.abort().catch(() => undefined);
    },
  );
  return { body: readable, closed: closed.promise, done };
}

async function pump(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  {
    events,
    render,
    end,
    closed,
  }: {
    readonly events: CallEvents;
    readonly render: (event: CallEvent) => string;
    readonly end: () => void;
    readonly closed: (closed: Closed) => void;
  },
): Promise<void> {
  const encoder = new TextEncoder();
  const timers: ReturnType<typeof setTimeout>[] = [];
  const after = (ms: number, act: () => void) => void timers.push(setTimeout(act, ms));
  let there = true;
  let over = false;
  const left = () => {
    if (there && !over) after(READ_ON_MS, end);
    there = false;
  };
  // Noticed also while the engine says nothing.
  writer.closed.catch(left);
  after(STREAM_MS, end);
  // A caller that reads is told of the end; one that does not would keep a write waiting for ever.
  after(STREAM_MS + LAST_WORD_MS, () => void writer.abort().catch(() => undefined));
  try {
    for await (const event of events) {
      // Before it is written: nobody can put the settlement off by not reading.
      if (event.kind === "closed") closed(event);
      const text = there ? render(event) : "";
      if (text !== "") await writer.write(encoder.encode(text)).catch(left);
    }
    over = true;
    await writer.close().catch(() => undefined);
  } finally {
    over = true;
    for (const timer of timers) clearTimeout(timer);
  }
}
