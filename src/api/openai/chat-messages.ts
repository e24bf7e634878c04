import * as v from "valibot";
import { isWholeObject } from "../../domain/text/json-text.ts";
import type { ChatMessage, ChatPart, ToolCall } from "../../engines/inference.ts";
import { stated } from "../../http/field-errors.ts";
import { object } from "../object-input.ts";

// The messages of OpenAI's chat completions, as its clients send them, and what engines are given:
// `developer` is a system message, a refusal is text, and what only decorates is left out. Chats on
// Workers AI's own surface are read here too.

/** A conversation of thousands of turns; the body's limit of 2 MB is what bounds the text. */
const MAX_MESSAGES = 4096;
const MAX_PARTS = 256;
/** OpenAI's own limit of tools. */
const MAX_TOOL_CALLS = 128;

const shortName = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

const TextPart = object({ type: v.literal("text"), text: v.string() });

const ImagePart = object({
  type: v.literal("image_url"),
  image_url: object({
    url: v.pipe(
      v.string(),
      v.minLength(1),
      v.description("An https URL, or a data URI of a PNG, JPEG or WebP picture."),
    ),
  }),
});

const RefusalPart = object({ type: v.literal("refusal"), refusal: v.string() });

const parts = <S extends v.GenericSchema>(part: S) =>
  v.pipe(v.array(part), v.minLength(1), v.maxLength(MAX_PARTS));

const text = v.union([v.string(), parts(v.variant("type", [TextPart]))]);

/** As long as some providers make them. */
const toolId = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

const toolArguments = v.pipe(
  v.string(),
  v.check(stated("must be the JSON of an object, whole", isWholeObject)),
);

const ToolCallInput = object({
  id: toolId,
  type: v.literal("function"),
  function: object({ name: shortName, arguments: toolArguments }),
});

const name = v.nullish(shortName);

const SystemMessage = object({
  role: v.picklist(["system", "developer"]),
  content: text,
  name,
});

const UserMessage = object({
  role: v.literal("user"),
  content: v.union([v.string(), parts(v.variant("type", [TextPart, ImagePart]))]),
  name,
});

const toolCalls = <S extends v.GenericSchema>(call: S) =>
  v.nullish(v.pipe(v.array(call), v.maxLength(MAX_TOOL_CALLS)));

const AssistantMessage = object({
  role: v.literal("assistant"),
  content: v.nullish(v.union([v.string(), parts(v.variant("type", [TextPart, RefusalPart]))])),
  refusal: v.nullish(v.string()),
  name,
  tool_calls: toolCalls(ToolCallInput),
});

const ToolMessage = object({
  role: v.literal("tool"),
  content: v.union([v.string(), parts(v.variant("type", [TextPart, ImagePart]))]),
  tool_call_id: toolId,
});

const conversation = <S extends v.GenericSchema>(message: S) =>
  v.pipe(
    v.array(message),
    v.minLength(1),
    v.maxLength(MAX_MESSAGES),
    v.description("The conversation. Parts may be text and, from the user, pictures."),
  );

const Message = v.variant("role", [SystemMessage, UserMessage, AssistantMessage, ToolMessage]);

export const Messages = conversation(Message);

/** As Workers AI's older models have them: a call has no id, and its answer names the tool. */
const OlderMessage = v.variant("role", [
  SystemMessage,
  UserMessage,
  object({
    ...AssistantMessage.entries,
    tool_calls: toolCalls(object({ ...ToolCallInput.entries, id: v.optional(toolId) })),
  }),
  object({ ...ToolMessage.entries, tool_call_id: v.optional(toolId), name }),
]);

export const OlderMessages = conversation(OlderMessage);

type MessageInput = v.InferOutput<typeof OlderMessage>;

/** Pictures still as they were named: by URL or as data URIs. */
export const toMessages = (messages: readonly MessageInput[]): readonly ChatMessage[] =>
  messages.map(toMessage);

function toMessage(message: MessageInput): ChatMessage {
  switch (message.role) {
    case "developer":
    case "system":
      return { role: "system", content: message.content, ...named(message.name) };
    case "user":
      return { role: "user", content: message.content, ...named(message.name) };
    case "tool": {
      const { content, tool_call_id: callId } = message;
      const id = callId === undefined ? {} : { tool_call_id: callId };
      return { role: "tool", content, ...named(message.name), ...id };
    }
    case "assistant": {
      const calls = (message.tool_calls ?? []).map((call, at): ToolCall => ({
        ...call,
        id: call.id ?? `call_${at}`,
      }));
      return {
        role: "assistant",
        content: saidBy(message) ?? (calls.length > 0 ? null : ""),
        ...named(message.name),
        ...(calls.length > 0 && { tool_calls: calls }),
      };
    }
  }
}

const named = (given: string | null | undefined): { readonly name?: string } =>
  given === null || given === undefined ? {} : { name: given };

function saidBy({
  content,
  refusal,
}: Extract<MessageInput, { role: "assistant" }>): ChatMessage["content"] {
  if (content === null || content === undefined) return refusal ?? null;
  if (typeof content === "string") return content;
  return content.map((part): ChatPart => ({
    type: "text",
    text: part.type === "text" ? part.text : part.refusal,
  }));
}
