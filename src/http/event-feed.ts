// The state of something as server-sent events: one at once, and one after each change.
// https://html.spec.whatwg.org/multipage/server-sent-events.html

/** Often enough to be called live, and seldom enough: a minute has 30 reads. */
export const EVERY_MS = 2000;

/** A Worker on the free plan may make 50 subrequests in one request. The client then connects again. */
export const LONGEST_S = 60;

export const EVENT_STREAM = "text/event-stream";

export interface Feed {
  /** The name of its events. */
  readonly event: string;
  /** The state at the start. */
  readonly first: unknown;
  /** Reads the state now; null: it cannot be read any more, so the stream ends. */
  readonly read: () => Promise<unknown>;
  readonly forS: number;
  readonly pause?: (ms: number) => Promise<void>;
}

export function eventFeed({ event, first, read, forS, pause = sleep }: Feed): Response {
  const encoder = new TextEncoder();
  const rounds = Math.floor((forS * 1000) / EVERY_MS);
  let round = 0;
  let lastData = "";
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (round > rounds) return controller.close();
        if (round > 0) await pause(EVERY_MS);
        const now = round === 0 ? first : await read();
        round += 1;
        if (now === null) return controller.close();
        const data = JSON.stringify(now);
        // A comment keeps the connection open, also through proxies.
        controller.enqueue(encoder.encode(data === lastData ? ": \n\n" : framed(event, data)));
        lastData = data;
      },
    },
    // Read on demand and not ahead: after the client has left, nothing is read.
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { "Content-Type": EVENT_STREAM } });
}

const framed = (event: string, data: string): string => `event: ${event}\ndata: ${data}\n\n`;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
