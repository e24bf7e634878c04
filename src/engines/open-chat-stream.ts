import { isError } from "./chat-reply.ts";
import { chatEvents, type StreamedEvent } from "./chat-events.ts";
import { FAILED, isJson, type NoReply, readJson, TIMED_OUT } from "./engine-call.ts";
import type { CheckOptions, Unanswered } from "./engine.ts";
import { outcomeInBody } from "./rejection.ts";
import type { ChatEvent, ChatStream } from "./inference.ts";
import { eventData } from "./server-sent-events.ts";

// Opens a stream of an engine. A failure before the first byte is an outcome like any other (refused,
// timed out, failed); a failure after it cuts the stream.

export type OpenedEvents =
  | { readonly kind: "opened"; readonly body: ReadableStream<Uint8Array> }
  | NoReply;

/** The events of a reply with a good status, or the error that it has in their place. */
export async function eventsOf(response: Response, signal: AbortSignal): Promise<OpenedEvents> {
  const type = response.headers.get("content-type") ?? "";
  if (response.body !== null && /^text\/event-stream\s*(;|$)/i.test(type)) {
    return { kind: "opened", body: response.body };
  }
  if (isJson(response)) {
    const value = await readJson(response.body, signal).catch(() => null);
    return isError(value) ? outcomeInBody(value) : FAILED;
  }
  await response.body?.cancel();
  return FAILED;
}

/**
 * @param model the model that really runs
 * @param maxTokens the limit sent to it, since the older form does not say why an answer ends
 * @param open calls the engine; the signal ends the call at any time
 */
export async function openChatStream(
  { model, maxTokens }: { readonly model: string; readonly maxTokens: number },
  open: (signal: AbortSignal) => Promise<OpenedEvents>,
  { timeoutMs, signal }: CheckOptions,
): Promise<ChatStream | Unanswered> {
  if (signal?.aborted === true) return TIMED_OUT;
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal?.addEventListener("abort", abort, { once: true });
  const aborted = new Promise<NoReply>((resolve) => {
    controller.signal.addEventListener("abort", () => resolve(TIMED_OUT), { once: true });
  });
  const timer = setTimeout(abort, timeoutMs);
  const began = begin(open, maxTokens, controller.signal).catch(() => FAILED);
  const outcome = await Promise.race([aborted, began]);
  clearTimeout(timer);
  if (outcome.kind !== "began") {
    signal?.removeEventListener("abort", abort);
    abort();
    return outcome;
  }
  const done = () => signal?.removeEventListener("abort", abort);
  return { kind: "streaming", model, events: untilDone(outcome.events, done) };
}

type Began = { readonly kind: "began"; readonly events: AsyncGenerator<StreamedEvent, void> };

/** Waits for the first event, which has no content yet. */
async function begin(
  open: (signal: AbortSignal) => Promise<OpenedEvents>,
  maxTokens: number,
  signal: AbortSignal,
): Promise<Began | NoReply> {
  const opened = await open(signal);
  if (opened.kind !== "opened") return opened;
  const events = chatEvents(eventData(opened.body, signal), maxTokens);
  const first = await events.next();
  if (first.done === true) return FAILED;
  const { value } = first;
  return value.kind === "error" ? outcomeInBody(value.value) : { kind: "began", events };
}

async function* untilDone(
  events: AsyncGenerator<StreamedEvent, void>,
  done: () => void,
): AsyncGenerator<ChatEvent, void> {
  try {
    for await (const event of events) {
      if (event.kind !== "begin" && event.kind !== "error") yield event;
    }
  } finally {
    done();
  }
}
