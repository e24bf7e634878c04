import { useEffect, useState } from "preact/hooks";
import { backOffMs, wait } from "../api/back-off.ts";
import { serverEvents } from "../api/events.ts";
import { RequestFailed } from "../api/problem.ts";
import { api } from "../api/session.ts";

export interface Live<T> {
  readonly data: T | null;
  readonly state: "connecting" | "live" | "waiting" | "refused";
}

/** The server ends a stream after a minute, and we open it again. A longer one hangs. */
const STREAM_MS = 120_000;

/** Statuses that a repeat does not change. */
const FINAL: ReadonlySet<number> = new Set([401, 403, 404]);

/** The last event of a stream. It is opened again, with back-off, while the page is visible. */
export function useLive<T>(path: string, event: string): Live<T> {
  const [live, setLive] = useState<Live<T>>({ data: null, state: "connecting" });
  useEffect(() => {
    const abort = new AbortController();
    let stream = new AbortController();
    const seen = () => document.hidden && stream.abort();
    document.addEventListener("visibilitychange", seen);

    async function read(): Promise<void> {
      const signal = AbortSignal.any([abort.signal, stream.signal]);
      const accept = "text/event-stream";
      const response = await api.raw("GET", path, { accept, signal, timeoutMs: STREAM_MS });
      if (response.body === null) return;
      for await (const one of serverEvents(response.body)) {
        if (one.event === event) setLive({ data: JSON.parse(one.data) as T, state: "live" });
      }
    }

    async function follow(): Promise<void> {
      let failures = 0;
      while (!abort.signal.aborted) {
        try {
          // oxlint-disable no-await-in-loop -- one stream after the other
          if (document.hidden) await becomesSeen(abort.signal);
          stream = new AbortController();
          await read();
          failures = 0;
        } catch (error) {
          if (abort.signal.aborted) return;
          if (error instanceof RequestFailed && FINAL.has(error.problem.status)) {
            setLive((before) => ({ ...before, state: "refused" }));
            return;
          }
          if (!stream.signal.aborted) failures += 1;
        }
        if (failures > 0) setLive((before) => ({ ...before, state: "waiting" }));
        await wait(backOffMs(failures + 1), abort.signal).catch(() => undefined);
        // oxlint-enable no-await-in-loop
      }
    }

    void follow();
    return () => {
      document.removeEventListener("visibilitychange", seen);
      abort.abort();
    };
  }, [path, event]);
  return live;
}

function becomesSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener("visibilitychange", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    signal.addEventListener("abort", check, { once: true });
  });
}
