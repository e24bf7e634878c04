import { isError, MAX_CHAT_BYTES, readChatReply } from "../chat-reply.ts";
import { outcomeInBody } from "../rejection.ts";
import type { ChatInference, Generate, StreamChat } from "../inference.ts";
import { withToolPictures } from "../tool-pictures.ts";
import { openChatStream } from "../open-chat-stream.ts";
import { namedModel, type OpenAiOptions, postForEvents, postJson } from "./call.ts";

// Chats on an OpenAI-compatible server: the caller's request is passed on.

export const chat =
  (server: OpenAiOptions): Generate<"chat"> =>
  async (_hold, inference, options) => {
    const body = completionBody(server, inference);
    if (body === null) return { kind: "unsupported" };
    const bounded = { ...options, maxBytes: MAX_CHAT_BYTES };
    const reply = await postJson(server, "/chat/completions", body, bounded);
    if (reply.kind !== "replied") return reply;
    if (isError(reply.value)) return outcomeInBody(reply.value);
    const answer = readChatReply(reply.value, inference.maxTokens);
    return answer.kind === "failed" ? answer : { ...answer, model: body.model };
  };

export const streamChat =
  (server: OpenAiOptions): StreamChat =>
  async (_hold, inference, options) => {
    const completion = completionBody(server, inference);
    if (completion === null) return { kind: "unsupported" };
    const body = { ...completion, stream: true, stream_options: { include_usage: true } };
    const { maxTokens } = inference;
    return openChatStream(
      { model: completion.model, maxTokens },
      (signal) => postForEvents(server, "/chat/completions", body, signal),
      options,
    );
  };

export interface CompletionBody {
  readonly model: string;
  readonly [name: string]: unknown;
}

/** Null where the server has no model for it: a model that is not named for pictures may drop them. */
export function completionBody(
  server: OpenAiOptions,
  { model: id, messages, maxTokens, parameters }: ChatInference,
): CompletionBody | null {
  const pictures = messages.some(
    ({ content }) =>
      Array.isArray(content) && content.some((part: { type: string }) => part.type === "image_url"),
  );
  const model = namedModel(server, id) ?? (pictures ? undefined : server.defaultModel);
  if (model === undefined) return null;
  // `max_tokens` is the name that every such server knows.
  return {
    ...parameters,
    model,
    messages: withToolPictures(messages),
    max_tokens: maxTokens,
  };
}
