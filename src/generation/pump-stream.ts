import type { CallEvent, CallEvents } from "./call-events.ts";

// Writes events to a caller at the caller's pace: the next event is read after the bytes of the last one
// were taken, so a slow reader never makes a buffer grow here.
//
// When the caller leaves, the engine's further use is still charged: the events are read on for a while,
// for the usage at their end. Nothing depends on noticing that the caller left: a stream ends at its time
// limit at the latest, and if this Worker is gone by then, the hold expires.

/** From the first byte on; a hold's deadline is 30 s later. */
export const STREAM_MS = 600_000;

/** The platform allows 30 s after the caller has left, and the settlement needs some of them. */
export const READ_ON_MS = 20_000;

/**
 * An engine may think for a minute. A comment, which clients ignore, keeps proxies from closing the
 * connection. Only a write shows that the caller has left, and only the second one after that: the socket
 * takes the first. With `READ_ON_MS` this fits into the 30 s.
 */
export const QUIET_MS = 3_000;
const KEEP_ALIVE = ":\n\n";

/** For the last event to a caller after the time limit, also if the caller does not read. */
export const LAST_WORD_MS = 5_000;

export type Closed = Extract<CallEvent, { kind: "closed" }>;

export interface Pumped {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when nothing runs any more. Rejects only for a bug. */
  readonly closed: Promise<Closed>;
  /** Resolves when nothing is written any more either. Never rejects. */
  readonly done: Promise<void>;
}

/**
 * @param render the caller's text for an event; empty for none. It may take a few seconds for the last one
 * @param end cuts off all engines' streams; the events then end soon
 */
export function pumpStream(
  events: CallEvents,
  render: (event: CallEvent) => string | Promise<string>,
  end: () => void,
): Pumped {
  // Unlike a TransformStream in JavaScript it has no buffer, and a write fails when the caller has left: its
  // promise resolves when the bytes were taken.
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

interface Pump {
  readonly events: CallEvents;
  readonly render: (event: CallEvent) => string | Promise<string>;
  readonly end: () => void;
  readonly closed: (closed: Closed) => void;
}

async function pump(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  { events, render, end, closed }: Pump,
): Promise<void> {
  const encoder = new TextEncoder();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const after = (ms: number, act: () => void) => timers.add(setTimeout(act, ms));
  let isConnected = true;
  /** Resolves when the bytes were taken, or when the caller has left. */
  const write = async (text: string): Promise<void> => {
    if (!isConnected || text === "") return;
    try {
      await writer.write(encoder.encode(text));
    } catch {
      isConnected = false;
      after(READ_ON_MS, end);
    }
  };
  after(STREAM_MS, end);
  // A caller that reads gets the last event; for one that does not, a write would wait for ever.
  after(STREAM_MS + LAST_WORD_MS, () => void writer.abort().catch(() => undefined));
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      const { value: event, done } = await withReminders(events.next(), () => write(KEEP_ALIVE));
      if (done === true) break;
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      const text = await render(event);
      // Before the write: the settlement does not wait until the last event is read.
      if (event.kind === "closed") closed(event);
      // oxlint-disable-next-line no-await-in-loop -- at the caller's pace
      await write(text);
    }
    await writer.close().catch(() => undefined);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** Waits for a result, and calls `remind` each time that it has been quiet for a while. */
async function withReminders<Result>(
  awaited: Promise<Result>,
  remind: () => Promise<void>,
): Promise<Result> {
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const quiet = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), QUIET_MS);
    });
    // oxlint-disable-next-line no-await-in-loop -- until the result is there
    const arrived = await Promise.race([awaited.then((result) => ({ result })), quiet]);
    clearTimeout(timer);
    if (arrived !== null) return arrived.result;
    // oxlint-disable-next-line no-await-in-loop -- one reminder after the other
    await remind();
  }
}
