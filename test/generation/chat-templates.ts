import type { ChatMessage, ToolCall } from "../../src/engines/inference.ts";

// How models' chat templates write a conversation, as far as it decides how many tokens are read at
// most. What is the template's own is counted in the tokens that it takes (read from the templates
// on the model cards, generously); what is the caller's stands as text, of which each byte may be a
// token. Written apart from the code that it is to check.

/** Tokens of the template's own, or a text of the caller's. */
export type Piece = number | string;

export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly object[];
}

/** How a template's language writes JSON. */
export interface JsonStyle {
  /** `tojson(indent=4)`, else on one line with blanks, as Python does. */
  readonly indent: number | null;
  /** `ensure_ascii`, Python's default. */
  readonly ascii: boolean;
  /** Jinja's own `tojson` hides what HTML would read. */
  readonly html: boolean;
  /** Whether arguments are parsed before they are written, or written as the string they are. */
  readonly parsed: boolean;
}

const units = (text: string, pattern: RegExp): string =>
  text.replace(pattern, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function toJson(value: unknown, { indent, ascii, html }: JsonStyle): string {
  let json = indent === null ? spaced(value) : JSON.stringify(value, null, indent);
  if (ascii) json = units(json, /[\u007f-\uffff]/g);
  return html ? units(json, /[<>&']/g) : json;
}

/** `{"a": 1, "b": [2, 3]}` */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, one]) => `${JSON.stringify(key)}: ${spaced(one)}`,
  );
  return `{${entries.join(", ")}}`;
}

function argumentsOf({ function: called }: ToolCall, style: JsonStyle): string {
  if (!style.parsed) return toJson(called.arguments, style);
  try {
    return toJson(JSON.parse(called.arguments), style);
  } catch {
    return toJson(called.arguments, style);
  }
}

function* said({ content, name }: ChatMessage): Generator<Piece> {
  if (name !== undefined) yield* [1, name];
  if (content === null) return;
  if (typeof content === "string") return yield content;
  for (const part of content) yield* part.type === "text" ? [part.text, 1] : [];
}

/** Llama 3.1 and 3.2: https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct, tokenizer_config.json */
export function* llama({ messages, tools }: Conversation, style: JsonStyle): Generator<Piece> {
  yield 1 + 5 + 20; // begin_of_text, the system turn, its two lines of dates
  if (tools.length > 0) {
    yield 4 + 70; // "Environment: ipython", how to call
    for (const tool of tools) yield* [toJson(tool, { ...style, indent: 4 }), 1];
  }
  for (const message of messages) {
    yield 5;
    if (message.role === "tool") {
      yield 2; // "ipython"
      for (const piece of said(message))
        yield typeof piece === "string" ? toJson(piece, style) : piece;
      continue;
    }
    yield* said(message);
    for (const call of message.tool_calls ?? []) {
      yield* [14, call.function.name, argumentsOf(call, style)];
    }
  }
  yield 4;
}

/** ChatML with Hermes' tools: Qwen 2.5 and 3. https://huggingface.co/Qwen/Qwen2.5-7B-Instruct */
export function* chatMl({ messages, tools }: Conversation, style: JsonStyle): Generator<Piece> {
  yield 5 + 25; // a system turn, the default prompt
  if (tools.length > 0) {
    yield 120;
    for (const tool of tools) yield* [1, toJson(tool, style)];
  }
  for (const message of messages) {
    yield message.role === "tool" ? 5 + 8 : 5;
    yield* said(message);
    for (const call of message.tool_calls ?? []) {
      yield* [24, call.function.name, argumentsOf(call, style)];
    }
  }
  yield 3 + 4; // the assistant's header, an empty thinking block
}

/** Mistral: calls and answers with their ids. https://huggingface.co/mistralai/Mistral-Small-3.1-24B-Instruct-2503 */
export function* mistral({ messages, tools }: Conversation, style: JsonStyle): Generator<Piece> {
  yield 3 + 690; // its own system prompt
  if (tools.length > 0) yield* [2, toJson(tools, style)];
  for (const message of messages) {
    yield 3;
    if (message.role === "tool") yield* [2, message.tool_call_id ?? "", 1];
    yield* said(message);
    for (const call of message.tool_calls ?? []) {
      yield* [16, call.function.name, call.id, argumentsOf(call, style)];
    }
  }
}

const ENCODER = new TextEncoder();
const bytes = (text: string): number => ENCODER.encode(text).length;

/** Tokens at worst: a token for each byte, of the text or of its NFKC form, for each is used. */
export const worstTokens = (pieces: Iterable<Piece>): number =>
  [...pieces].reduce<number>(
    (total, piece) =>
      total +
      (typeof piece === "number" ? piece : Math.max(bytes(piece), bytes(piece.normalize("NFKC")))),
    0,
  );
