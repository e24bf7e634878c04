import { type ChatMeasure, tokensAtMost } from "../domain/token-bound.ts";
import type { ChatMessage, ToolCall } from "../engines/inference.ts";

// What of a chat reaches the model, in tokens at most. Each model's template decides how names,
// tool calls and tools are written; counted is the longest form that a template is known to use.

/** How deep the templates that write JSON on several lines indent it: Llama 3.1 and 3.2. */
const INDENT = 4;

/** A part may be set off from the next: a line break, a marker. */
const PART_TOKENS = 2;

export function measureChat(
  messages: readonly ChatMessage[],
  parameters: Readonly<Record<string, unknown>>,
): ChatMeasure {
  const { tools, response_format: format, tool_choice: choice } = parameters;
  const declared = Array.isArray(tools) ? tools : [];
  const spoken = messages.reduce((total, message) => total + messageTokens(message), 0);
  const written =
    (declared.length > 0 ? jsonTokens(declared) : 0) +
    (asksForJson(format) ? jsonTokens(format) : 0) +
    (typeof choice === "object" && choice !== null ? jsonTokens(choice) : 0);
  return {
    textTokens: spoken + written,
    messages: messages.length,
    images: messages.flatMap(picturesOf).length,
    tools: declared.length,
  };
}

/** Text is the default: it says nothing to the model. */
const asksForJson = (format: unknown): boolean =>
  typeof format === "object" && format !== null && Reflect.get(format, "type") !== "text";

function messageTokens(message: ChatMessage): number {
  const { content, role, name = "", tool_call_id: callId = "", tool_calls: calls = [] } = message;
  // Llama's templates write a tool's answer as a JSON string.
  const said = role === "tool" ? jsonTokens : tokensAtMost;
  const texts = typeof content === "string" ? [content] : (content ?? []).map(textOf);
  return (
    texts.reduce((total, text) => total + said(text), 0) +
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

/** A template writes the arguments as the text that they came as, or as the JSON that it holds. */
function toolCallTokens(call: ToolCall): number {
  const asText = jsonTokens(call);
  const parsed = parsedJson(call.function.arguments);
  if (parsed === undefined) return asText;
  const asJson = { ...call, function: { ...call.function, arguments: parsed } };
  return Math.max(asText, jsonTokens(asJson));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a model wrote it: it need not be JSON
  }
}

/**
 * Tokens of a value at most, written as JSON: on several lines, and as the writer of Jinja and
 * Python may, in ASCII alone (`\u00e9` for one letter) and without what HTML would read.
 */
function jsonTokens(value: unknown): number {
  const json = JSON.stringify(value, null, INDENT);
  let escaped = 0;
  for (let at = 0; at < json.length; at += 1) if (isEscaped(json.charCodeAt(at))) escaped += 1;
  return Math.max(tokensAtMost(json), json.length + ESCAPE_BYTES * escaped);
}

/** All that is not ASCII, and `<`, `>`, `&`, `'`. */
const isEscaped = (unit: number): boolean =>
  unit >= 0x7f || unit === 0x3c || unit === 0x3e || unit === 0x26 || unit === 0x27;

/** `\u00e9` is six bytes in the place of one unit. */
const ESCAPE_BYTES = 5;
