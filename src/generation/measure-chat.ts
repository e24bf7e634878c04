import { jsonTextTokens, jsonTokens } from "../domain/generation/json-bound.ts";
import { type ChatMeasure, tokensAtMost } from "../domain/generation/token-bound.ts";
import type { ChatMessage, ToolCall } from "../engines/inference.ts";

// The most tokens of a chat that reach the model. Each model's template decides how names, tool calls and
// tools are written: the longest known form is counted.

/** Separates a part from the next one: a line break or a marker. */
const PART_TOKENS = 2;

/**
 * No model reads as many. The limit keeps prices within the safe integers, which the indents of deeply nested
 * brackets could exceed.
 */
const MAX_TEXT_TOKENS = 1_000_000_000;

export function measureChat(
  messages: readonly ChatMessage[],
  parameters: Readonly<Record<string, unknown>>,
): ChatMeasure {
  const { tools, response_format: format, tool_choice: choice } = parameters;
  const declared = Array.isArray(tools) ? tools : [];
  const inMessages = messages.reduce((total, message) => total + messageTokens(message), 0);
  const inParameters =
    (declared.length > 0 ? jsonTokens(declared) : 0) +
    (asksForJson(format) ? jsonTokens(format) : 0) +
    (typeof choice === "object" && choice !== null ? jsonTokens(choice) : 0);
  return {
    textTokens: Math.min(MAX_TEXT_TOKENS, inMessages + inParameters),
    messages: messages.length,
    images: messages.flatMap(picturesOf).length,
    tools: declared.length,
  };
}

/** `text` is the default and adds nothing to the prompt. */
const asksForJson = (format: unknown): boolean =>
  typeof format === "object" && format !== null && Reflect.get(format, "type") !== "text";

function messageTokens(message: ChatMessage): number {
  const { content, role, name = "", tool_call_id: callId = "", tool_calls: calls = [] } = message;
  // Llama's templates write the result of a tool as a JSON string.
  const measure = role === "tool" ? jsonTokens : tokensAtMost;
  const texts = typeof content === "string" ? [content] : (content ?? []).map(textOf);
  return (
    texts.reduce((total, text) => total + measure(text), 0) +
    PART_TOKENS * Math.max(0, texts.length - 1) +
    tokensAtMost(name) +
    tokensAtMost(callId) +
    calls.reduce((total, call) => total + toolCallTokens(call), 0)
  );
}

type Part = Extract<ChatMessage["content"], readonly unknown[]>[number];

const textOf = (part: Part): string => (part.type === "text" ? part.text : "");

const picturesOf = ({ content }: ChatMessage): readonly Part[] =>
  Array.isArray(content) ? content.filter((part: Part) => part.type === "image_url") : [];

/** The nesting of arguments: they are in the call's `function`. */
const ARGUMENTS_DEPTH = 2;

/** A template writes the arguments as the original text, or as the JSON in it: the longer form counts. */
function toolCallTokens(call: ToolCall): number {
  const asText = jsonTokens(call);
  const written = jsonTextTokens(call.function.arguments, ARGUMENTS_DEPTH);
  // The model's text need not be JSON.
  if (written === null) return asText;
  const without = jsonTokens({ ...call, function: { ...call.function, arguments: 0 } });
  return Math.max(asText, without + written);
}
