import { MAX_CHAT_BYTES, readChatReply } from "../chat-reply.ts";
import type { ChatInference, ChatMessage, ChatOutput, Generate, StreamChat } from "../inference.ts";
import { seesPictures, speaksChat } from "../language-models.ts";
import { withToolPictures } from "../tool-pictures.ts";
import { openChatStream } from "../open-chat-stream.ts";
import { cutAtStop, untilStop } from "../stop-sequences.ts";
import { runForEvents, runModel } from "./call.ts";

// Chats on the `AI` binding, in the two forms that its models take. Newer ones take OpenAI's chat
// completions. Older ones take messages of text, tools and a bare schema, and have no field to choose
// among tools. Source: @cloudflare/workers-types 5.20261117.1, `ChatCompletionsCommonOptions` and
// `AiTextGenerationInput`.

export const chat =
  (ai: Ai): Generate<"chat"> =>
  async (_hold, inference, options) => {
    const request = chatInputs(inference);
    if (request.kind === "unsupported") return request;
    const { model, maxTokens, parameters } = inference;
    const bounded = { ...options, maxBytes: MAX_CHAT_BYTES };
    const reply = await runModel(ai, model, request.inputs, bounded);
    if (reply.kind !== "replied") return reply;
    const answer = readChatReply(reply.value, maxTokens);
    if (answer.kind === "failed") return answer;
    if (speaksChat(model)) return { ...answer, model };
    return { ...answer, model, output: stoppedOutput(answer.output, parameters["stop"]) };
  };

export const streamChat =
  (ai: Ai): StreamChat =>
  async (_hold, inference, options) => {
    const { model } = inference;
    const request = chatInputs(inference);
    if (request.kind === "unsupported") return request;
    const newer = speaksChat(model);
    // "JSON Mode currently doesn't support streaming", of the older models' mode.
    // https://developers.cloudflare.com/workers-ai/features/json-mode/
    if (!newer && "response_format" in request.inputs) {
      return { kind: "unsupported", parameter: "response_format" };
    }
    const inputs = {
      ...request.inputs,
      stream: true,
      ...(newer && { stream_options: { include_usage: true } }),
    };
    const open = (signal: AbortSignal) => runForEvents(ai, model, inputs, signal);
    const opened = await openChatStream(inference, open, options);
    return newer || opened.kind !== "streaming"
      ? opened
      : { ...opened, events: untilStop(opened.events, inference.parameters["stop"]) };
  };

function stoppedOutput(output: ChatOutput, stop: unknown): ChatOutput {
  const { text, stopped } = cutAtStop(output.content ?? "", stop);
  return stopped ? { ...output, content: text, finishReason: "stop" } : output;
}

export type ChatInputs =
  | { readonly kind: "inputs"; readonly inputs: Readonly<Record<string, unknown>> }
  | { readonly kind: "unsupported"; readonly parameter?: string };

export function chatInputs(request: ChatInference): ChatInputs {
  const inference = { ...request, messages: withToolPictures(request.messages) };
  const { model, messages } = inference;
  if (hasPictures(messages) && !seesPictures(model)) return { kind: "unsupported" };
  return speaksChat(model) ? newerInputs(inference) : olderInputs(inference);
}

const hasPictures = (messages: readonly ChatMessage[]): boolean =>
  messages.some(
    ({ content }) =>
      content !== null &&
      typeof content !== "string" &&
      content.some((part) => part.type === "image_url"),
  );

function newerInputs({ messages, maxTokens, parameters }: ChatInference): ChatInputs {
  const { reasoning_effort: effort, ...others } = parameters;
  const reasoning =
    effort === "none"
      ? { chat_template_kwargs: { enable_thinking: false } }
      : effort !== undefined && { reasoning_effort: effort === "minimal" ? "low" : effort };
  return {
    kind: "inputs",
    inputs: { messages, max_tokens: maxTokens, ...others, ...reasoning },
  };
}

/** The parameters that the older form has too, beside those that are translated below. */
const OLDER: readonly string[] = [
  "temperature",
  "top_p",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "top_k",
  "repetition_penalty",
];

function olderInputs({ messages, maxTokens, parameters }: ChatInference): ChatInputs {
  const {
    tools,
    tool_choice: choice = "auto",
    parallel_tool_calls: parallel = true,
    response_format: format,
    // `stop` is applied to the answer, and these models do not reason.
    stop: _stop,
    reasoning_effort: _effort,
    ...others
  } = parameters;
  if (choice !== "auto" && choice !== "none") {
    return { kind: "unsupported", parameter: "tool_choice" };
  }
  if (parallel !== true) return { kind: "unsupported", parameter: "parallel_tool_calls" };
  const unknown = Object.keys(others).find((name) => !OLDER.includes(name));
  if (unknown !== undefined) return { kind: "unsupported", parameter: unknown };
  return {
    kind: "inputs",
    inputs: {
      messages: messages.map(olderMessage),
      max_tokens: maxTokens,
      ...others,
      ...(tools !== undefined && choice === "auto" && { tools }),
      ...olderFormat(format),
    },
  };
}

/** The bare schema, where OpenAI wraps it with a name. */
function olderFormat(format: unknown): { readonly response_format?: unknown } {
  const { type, json_schema: wrapped } = (format ?? {}) as {
    readonly type?: string;
    readonly json_schema?: { readonly schema?: unknown };
  };
  if (type === "json_object") return { response_format: { type } };
  if (type !== "json_schema") return {};
  return { response_format: { type, json_schema: wrapped?.schema ?? { type: "object" } } };
}

/**
 * Text where there is nothing but text. The form has no field for earlier calls of tools: they become
 * part of the text, as in Cloudflare's own `runWithTools` (@cloudflare/ai-utils).
 */
function olderMessage({
  role,
  content,
  name,
  tool_call_id,
  tool_calls = [],
}: ChatMessage): unknown {
  const texts = typeof content === "string" ? [content] : (content ?? []).map(asText);
  const plain = texts.every((text) => text !== null);
  const calls = tool_calls.map(({ function: called }) => JSON.stringify(called));
  return {
    role,
    content: plain ? [...texts, ...calls].join("\n") : content,
    ...(name !== undefined && { name }),
    ...(tool_call_id !== undefined && { tool_call_id }),
  };
}

type Part = Extract<ChatMessage["content"], readonly unknown[]>[number];

const asText = (part: Part): string | null => (part.type === "text" ? part.text : null);
