import { readAtMost } from "../../io/read-at-most.ts";
import {
  FAILED,
  isJson,
  type NoReply,
  readJson,
  type Reply,
  withDeadline,
} from "../engine-call.ts";
import type { CheckOptions } from "../engine.ts";
import type { Generate, Generators } from "../inference.ts";
import { answered, namedModel, type OpenAiOptions } from "./call.ts";
import { MAX_SPEECH_BYTES, MAX_TRANSCRIPT_BYTES, soundType, speechOf } from "../sound-type.ts";
import { readWhisper } from "../transcript.ts";

// An OpenAI-compatible server that transcribes (whisper.cpp, faster-whisper, vLLM) or speaks (Kokoro).
// Each server rounds the length of a recording in its own way, so lengths are counted here.

export const openAiSound = (server: OpenAiOptions): Generators => ({
  transcription: transcription(server),
  speech: speech(server),
});

const transcription =
  (server: OpenAiOptions): Generate<"transcription"> =>
  async (_hold, { model: id, bytes, format, ...parameters }, options) => {
    const model = namedModel(server, id);
    if (model === undefined) return { kind: "unsupported" };
    const { language, prompt, temperature, timed, task } = parameters;
    const form = formOf(
      {
        model,
        response_format: timed ? "verbose_json" : "json",
        ...(language !== null && { language }),
        ...(prompt !== null && { prompt }),
        ...(temperature !== null && { temperature: String(temperature) }),
        ...(timed && task === "transcribe" && { "timestamp_granularities[]": ["segment", "word"] }),
      },
      // Some servers read the format from the end of the name.
      { name: `audio.${format}`, type: soundType(format), bytes },
    );
    const headers = { "content-type": form.contentType, accept: "application/json" };
    const path = task === "translate" ? "/audio/translations" : "/audio/transcriptions";
    const reply = await posted(server, path, { ...form, headers }, options);
    if (reply.kind !== "replied") return reply;
    const output = readWhisper(reply.value);
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model, output, usage: null };
  };

const speech =
  (server: OpenAiOptions): Generate<"speech"> =>
  async (_hold, { model: id, text, voice, format, speed, instructions }, options) => {
    const model = namedModel(server, id);
    if (model === undefined) return { kind: "unsupported" };
    const body = {
      model,
      input: text,
      voice,
      response_format: format ?? "mp3",
      ...(speed !== null && { speed }),
      ...(instructions !== null && { instructions }),
    };
    const chunks = [new TextEncoder().encode(JSON.stringify(body))];
    const headers = { "content-type": "application/json", accept: "audio/*" };
    const reply = await posted(server, "/audio/speech", { chunks, headers }, options);
    if (reply.kind !== "replied") return reply;
    const output =
      reply.value instanceof Uint8Array
        ? speechOf(reply.value as Uint8Array<ArrayBuffer>, format)
        : null;
    if (output === null) return { kind: "failed", usage: null };
    return { kind: "answered", model, output, usage: null };
  };

interface Posted {
  readonly chunks: readonly Uint8Array[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The value of a reply is its parsed JSON, or a `Uint8Array`. */
function posted(
  { baseUrl, apiKey }: OpenAiOptions,
  path: string,
  { chunks, headers }: Posted,
  options: CheckOptions,
): Promise<Reply> {
  const sent = new Headers(headers);
  if (apiKey) sent.set("authorization", `Bearer ${apiKey}`);
  const url = baseUrl.replace(/\/+$/, "") + path;
  return withDeadline(options, async (signal) => {
    const response = await answered(url, sent, chunks, signal);
    return response instanceof Response ? valueOf(response, signal) : response;
  });
}

async function valueOf(response: Response, signal: AbortSignal): Promise<Reply | NoReply> {
  try {
    if (isJson(response)) {
      const value = await readJson(response.body, signal, MAX_TRANSCRIPT_BYTES);
      return { kind: "replied", value };
    }
    if (response.body === null) return FAILED;
    const bytes = await readAtMost(response.body, MAX_SPEECH_BYTES);
    return bytes === null ? FAILED : { kind: "replied", value: bytes };
  } catch {
    return FAILED; // cut, too large, or not JSON
  }
}

interface File {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A form in pieces, so that the file is not copied. Names and types are ours, so nothing is escaped. */
function formOf(
  fields: Readonly<Record<string, string | readonly string[]>>,
  file: File,
): { readonly chunks: readonly Uint8Array[]; readonly contentType: string } {
  const boundary = `neurogate-${crypto.randomUUID()}`;
  const part = (name: string, value: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const texts = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((one) => part(name, one)),
  );
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${file.name}"\r\n` +
    `Content-Type: ${file.type}\r\n\r\n`;
  const utf8 = new TextEncoder();
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    chunks: [
      utf8.encode(texts.join("") + head),
      file.bytes,
      utf8.encode(`\r\n--${boundary}--\r\n`),
    ],
  };
}
