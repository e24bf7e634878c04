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

/**
 * An engine may think for a minute. A comment, which clients pass over, keeps what stands between
 * from giving the connection up; and only a write shows that the caller has left, the second one
 * after it has: the first is taken by the socket. With `READ_ON_MS` that fits into the 30 s.
 */
export const QUIET_MS = 3_000;
const STILL_HERE = ":\n\n";

/** For the last words to a caller whose stream has come to its limit; who does not read has it too. */
export const LAST_WORD_MS = 5_000;

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

interface Pump {
  readonly events: CallEvents;
  readonly render: (event: CallEvent) => string;
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
  let there = true;
  /** Resolves when the bytes were taken, or nobody is there to take them. */
  const write = async (text: string): Promise<void> => {
    if (!there || text === "") return;
    try {
      await writer.write(encoder.encode(text));
    } catch {
      there = false;
      after(READ_ON_MS, end);
    }
  };
  after(STREAM_MS, end);
  // A caller that reads is told of the end; one that does not would keep a write waiting for ever.
  after(STREAM_MS + LAST_WORD_MS, () => void writer.abort().catch(() => undefined));
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      const { value: event, done } = await patiently(events.next(), () => write(STILL_HERE));
      if (done === true) break;
      // Before it is written: the settlement does not wait for the last word to be read.
      if (event.kind === "closed") closed(event);
      // oxlint-disable-next-line no-await-in-loop -- at the caller's pace
      await write(render(event));
    }
    await writer.close().catch(() => undefined);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** Waits for something, and says so as often as it has been quiet for a while. */
async function patiently<Result>(
  awaited: Promise<Result>,
  say: () => Promise<void>,
): Promise<Result> {
  for (;;) {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const quiet = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), QUIET_MS);
    });
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    const came = await Promise.race([awaited.then((result) => ({ result })), quiet]);
    clearTimeout(timer);
    if (came !== null) return came.result;
    // oxlint-disable-next-line no-await-in-loop -- one word after the other
    await say();
  }
}
