import {
  FAILED,
  isJson,
  type NoReply,
  readJson,
  readText,
  refused,
  type Reply,
  TIMED_OUT,
  withDeadline,
} from "../engine-call.ts";
import type { CheckOptions } from "../engine.ts";
import { mayReject, outcomeOfError, statedWaitMs } from "../rejection.ts";
import { eventsOf, type OpenedEvents } from "../open-chat-stream.ts";

// One request to an OpenAI-compatible server, and what its reply means for the hold.

export interface OpenAiOptions {
  /** With its version and no slash at the end: `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  /** Empty when the server wants none. */
  readonly apiKey?: string;
  /** From catalogue ids to the server's names of the models that it runs in their place. */
  readonly models: Readonly<Record<string, string>>;
  /**
   * For language models that `models` does not name. Not for vision: a server may drop a picture
   * that its model cannot see, and the answer would look like a harmless one.
   */
  readonly defaultModel?: string;
}

/** The server's name for a model; undefined where it has none. */
export const namedModel = (
  { models }: Pick<OpenAiOptions, "models">,
  model: string,
): string | undefined => (Object.hasOwn(models, model) ? models[model] : undefined);

/**
 * Posts JSON and reads JSON.
 *
 * @param path under the base URL: `/chat/completions`
 * @param maxBytes of the reply; a longer one is `failed`
 */
export function postJson(
  { baseUrl, apiKey }: OpenAiOptions,
  path: string,
  body: unknown,
  options: CheckOptions & { readonly maxBytes?: number },
): Promise<Reply> {
  const headers = new Headers({ "content-type": "application/json", accept: "application/json" });
  if (apiKey) headers.set("authorization", `Bearer ${apiKey}`);
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const url = baseUrl.replace(/\/+$/, "") + path;
  return withDeadline(options, (signal) => post(url, headers, bytes, { ...options, signal }));
}

async function post(
  url: string,
  headers: Headers,
  bytes: Uint8Array,
  { signal, maxBytes }: { readonly signal: AbortSignal; readonly maxBytes?: number },
): Promise<Reply> {
  const response = await answered(url, headers, [bytes], signal);
  if (!(response instanceof Response)) return response;
  try {
    if (isJson(response)) {
      return { kind: "replied", value: await readJson(response.body, signal, maxBytes) };
    }
    await response.body?.cancel();
  } catch {
    // Cut, too large, or not JSON.
  }
  return FAILED;
}

/** Posts JSON and gives the events of the answer, unread. */
export async function postForEvents(
  { baseUrl, apiKey }: OpenAiOptions,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<OpenedEvents> {
  const headers = new Headers({ "content-type": "application/json", accept: "text/event-stream" });
  if (apiKey) headers.set("authorization", `Bearer ${apiKey}`);
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const response = await answered(baseUrl.replace(/\/+$/, "") + path, headers, [bytes], signal);
  return response instanceof Response ? eventsOf(response, signal) : response;
}

/** A reply with a good status; or what an error status, or no reply, means for the hold. */
export async function answered(
  url: string,
  headers: Headers,
  chunks: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<Response | NoReply> {
  // workerd reports a refused and a lost connection alike. The difference is whether the body was taken:
  // that needs a connection.
  const { body, taken } = watchedBody(chunks);
  let response: Response;
  try {
    response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  } catch {
    if (signal.aborted) return TIMED_OUT;
    return taken() ? FAILED : refused(null, true);
  }
  if (response.ok) return response;
  const { status, headers: sent } = response;
  return outcomeOfError(status, await errorBody(response, signal), statedWaitMs(sent));
}

/** An error's body: its JSON, else its plain text; null where it is neither, or cannot be read. */
async function errorBody(response: Response, signal: AbortSignal): Promise<unknown> {
  if (!mayReject(response.status)) {
    await response.body?.cancel();
    return null;
  }
  const text = await readText(response.body, signal).catch(() => "");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A page for a browser says nothing about the request.
    return text.trim() === "" || text.trimStart().startsWith("<") ? null : text;
  }
}

/** A body of known length that records whether any of it was taken. */
function watchedBody(chunks: readonly Uint8Array[]): {
  readonly body: ReadableStream;
  readonly taken: () => boolean;
} {
  const length = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  let taken = false;
  const write = async () => {
    for (const chunk of chunks) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await writer.write(chunk);
      taken = true;
    }
    await writer.close();
  };
  write().catch(() => {}); // the connection was lost, which fetch reports
  return { body: readable, taken: () => taken };
}
