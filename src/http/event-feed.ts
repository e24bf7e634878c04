// How something stands, as server-sent events: told at once, and again whenever it has changed.
// https://html.spec.whatwg.org/multipage/server-sent-events.html

/** Often enough to be called live, and seldom enough that a minute is 30 questions. */
export const EVERY_MS = 2000;

/** A Worker on the free plan may ask 50 times in one request. The client then asks anew. */
export const LONGEST_S = 60;

export const EVENT_STREAM = "text/event-stream";

export interface Feed {
  /** The name of its events. */
  readonly event: string;
  /** How it stands at the start. */
  readonly first: unknown;
  /** How it stands now; null: it cannot be told any more, so the stream ends. */
  readonly read: () => Promise<unknown>;
  readonly forS: number;
  readonly pause?: (ms: number) => Promise<void>;
}

export function eventFeed({ event, first, read, forS, pause = sleep }: Feed): Response {
  const encoder = new TextEncoder();
  const rounds = Math.floor((forS * 1000) / EVERY_MS);
  let round = 0;
  let told = "";
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (round > rounds) return controller.close();
        if (round > 0) await pause(EVERY_MS);
        const now = round === 0 ? first : await read();
        round += 1;
        if (now === null) return controller.close();
        const data = JSON.stringify(now);
        // A comment keeps the connection, and whoever stands in between, awake.
        controller.enqueue(encoder.encode(data === told ? ": \n\n" : framed(event, data)));
        told = data;
      },
    },
    // Asked for what is read and not ahead of it: who has gone asks for nothing.
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { "Content-Type": EVENT_STREAM } });
}

const framed = (event: string, data: string): string => `event: ${event}\ndata: ${data}\n\n`;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
