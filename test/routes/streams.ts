import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../src/index.ts";
import { WORKERS_AI } from "../client.ts";

// Streams of the chat route, as a client sees them: read, left half way, or not read at all.

export interface OpenStream {
  readonly response: Response;
  /** Until it is settled and nothing of it runs any more. */
  readonly ended: () => Promise<void>;
}

export interface StreamOptions {
  readonly env?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

export async function openStream(
  key: string,
  body: object,
  { env: other = WORKERS_AI, headers = {}, path = "/v1/chat/completions" }: StreamOptions = {},
): Promise<OpenStream> {
  const request = new Request(`https://gateway.test${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ stream: true, ...body }),
  });
  const ctx = createExecutionContext();
  const own: Env = { ...env, ...other };
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], own, ctx);
  return { response, ended: () => waitOnExecutionContext(ctx) };
}

export interface ReadStream {
  readonly raw: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into chunks freely
  readonly chunks: any[];
  /** Whether the last event was `[DONE]`. */
  readonly done: boolean;
}

export async function readStream({ response, ended }: OpenStream): Promise<ReadStream> {
  const raw = await response.text();
  await ended();
  const events = raw.split("\n\n");
  if (events.pop() !== "") throw new Error("the last event has no end");
  // A comment is said in a silence.
  const said = events.filter((event) => event !== ":");
  const data = said.map((event) => {
    if (!event.startsWith("data: ")) throw new Error("no event of data");
    return event.slice("data: ".length);
  });
  const done = data.at(-1) === "[DONE]";
  return {
    raw,
    chunks: data.slice(0, done ? -1 : undefined).map((text) => JSON.parse(text)),
    done,
  };
}

/** What the answer says, put together. */
export const textIn = ({ chunks }: Pick<ReadStream, "chunks">, index = 0): string =>
  chunks
    .flatMap(({ choices = [] }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? "")
    .join("");

/** How far the fake wrote the streams of a content. */
export async function writtenStreams(
  match: string,
): Promise<{ pieces: number; bytes: number; closed: boolean }[]> {
  const url = new URL(`/__streams?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
}
