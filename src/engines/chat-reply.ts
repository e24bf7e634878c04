import type { Usage } from "../domain/catalogue/catalogue.ts";
import { logprobsIn } from "./logprobs.ts";
import { field, readUsage } from "./engine-call.ts";
import { type ChatOutput, FINISH_REASONS, type FinishReason, type ToolCall } from "./inference.ts";

// Reads the answer of a language model, in either of two forms: OpenAI's `choices`, or `response` and
// `tool_calls` of Workers AI's older models.

/** Room for 128,000 tokens of several bytes each, escaped as JSON. A longer reply counts as failed. */
export const MAX_CHAT_BYTES = 4 * 1024 * 1024;

export type ReadAnswer =
  | { readonly kind: "answered"; readonly output: ChatOutput; readonly usage: Usage | null }
  | { readonly kind: "failed"; readonly usage: Usage | null };

/** @param maxTokens the limit sent to the model, since the older form does not say why an answer ends */
export function readChatReply(reply: unknown, maxTokens: number): ReadAnswer {
  const usage = readUsage(reply);
  const choices = field(reply, "choices");
  const output = Array.isArray(choices)
    ? choiceOutput(choices)
    : responseOutput(reply, (usage?.output_token ?? 0) >= maxTokens);
  return output === null ? { kind: "failed", usage } : { kind: "answered", output, usage };
}

function choiceOutput(choices: readonly unknown[]): ChatOutput | null {
  // We asked for exactly one answer.
  if (choices.length !== 1 || isFailure(field(choices[0], "finish_reason"))) return null;
  const message = field(choices[0], "message");
  const toolCalls = readToolCalls(callsIn(message));
  const content = saidIn(field(message, "content"));
  if (toolCalls === null || content === undefined) return null;
  const refusal = textOf(field(message, "refusal")) ?? null;
  const text = content ?? refusal;
  const reasoning = reasoningIn(message);
  const finishReason = readFinish(field(choices[0], "finish_reason"), toolCalls.length > 0);
  const isEmpty = text === null && reasoning === null && toolCalls.length === 0;
  // An answer may be empty if the model was cut while it reasoned, or filtered before its first word.
  if (isEmpty && finishReason !== "length" && finishReason !== "content_filter") return null;
  const logprobs = logprobsIn(choices[0]);
  return {
    content: text,
    reasoning,
    toolCalls,
    finishReason,
    ...(logprobs.length > 0 && { logprobs }),
  };
}

/** In JSON mode `response` is the parsed JSON, not a string. */
function responseOutput(reply: unknown, cut: boolean): ChatOutput | null {
  const response = field(reply, "response");
  const toolCalls = readToolCalls(field(reply, "tool_calls"));
  if (toolCalls === null) return null;
  const content =
    typeof response === "object" && response !== null ? JSON.stringify(response) : textOf(response);
  if (content === undefined) return null;
  if (content === null && toolCalls.length === 0 && !cut) return null;
  const finishReason = toolCalls.length > 0 ? "tool_calls" : cut ? "length" : "stop";
  // Such a model sends an empty text beside its calls.
  return {
    content: content === "" && toolCalls.length > 0 ? null : content,
    reasoning: null,
    toolCalls,
    finishReason,
  };
}

/** Servers use either name for it. */
export const reasoningIn = (message: unknown): string | null =>
  textOf(field(message, "reasoning_content")) ?? textOf(field(message, "reasoning")) ?? null;

/** The calls of a message, or pieces of them; a server that knows no `tool_calls` has one call. */
export function callsIn(message: unknown): unknown {
  const calls = field(message, "tool_calls") ?? [];
  const older = field(message, "function_call") ?? null;
  const hasNone = Array.isArray(calls) && calls.length === 0;
  return hasNone && older !== null ? [{ function: older }] : calls;
}

/** The texts of parts, or a text: some servers answer in parts. What was only thought is left out. */
export function saidIn(content: unknown): string | null | undefined {
  if (!Array.isArray(content)) return textOf(content);
  const texts = content
    .filter((part) => !THOUGHTS.has(field(part, "type")))
    .map((part) => field(part, "text"));
  return texts.every((text) => typeof text === "string") ? texts.join("") : undefined;
}

const THOUGHTS: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking", "reasoning"]);

/** An error in the place of an answer. */
export function isError(value: unknown): boolean {
  if ((field(value, "error") ?? null) !== null || (field(value, "errors") ?? null) !== null)
    return true;
  const isAnswer = field(value, "choices") !== undefined || field(value, "response") !== undefined;
  return !isAnswer && typeof field(value, "message") === "string";
}

/** A text, null where there is none, undefined for anything else. */
const textOf = (value: unknown): string | null | undefined => {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : undefined;
};

/** The reasons of other servers, in OpenAI's words. */
const REASONS: Readonly<Record<string, FinishReason>> = {
  ...Object.fromEntries(FINISH_REASONS.map((reason) => [reason, reason])),
  function_call: "tool_calls",
  tool_use: "tool_calls",
  max_length: "length",
  max_output_tokens: "length",
  max_tokens: "length",
  model_length: "length",
  blocklist: "content_filter",
  content_filtered: "content_filter",
  prohibited_content: "content_filter",
  recitation: "content_filter",
  safety: "content_filter",
};

/** An answer that its server gave up: it is not whole. */
export const isFailure = (reason: unknown): boolean => reason === "error";

export function readFinish(value: unknown, calls: boolean): FinishReason {
  const name = typeof value === "string" ? value.toLowerCase() : "";
  const known = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
  // Some servers say "stop" after calls, and clients look at the reason to find them.
  if (calls && (known === undefined || known === "stop")) return "tool_calls";
  return known ?? "stop";
}

const MAX_TOOL_CALLS = 128;

/** Calls in OpenAI's form, or as `{ name, arguments }` without an id; null for anything else. */
export function readToolCalls(value: unknown): ToolCall[] | null {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_TOOL_CALLS) return null;
  const calls: ToolCall[] = [];
  for (const item of value) {
    const called = field(item, "function") ?? item;
    const name = field(called, "name");
    const given = field(called, "arguments");
    if (typeof name !== "string" || name === "") return null;
    const id = field(item, "id");
    calls.push({
      id: typeof id === "string" && id !== "" ? id : newToolCallId(),
      type: "function",
      function: {
        name,
        arguments: argumentsOf(given),
      },
    });
  }
  return calls;
}

/** Clients parse them, so a call without any has an empty object. */
const argumentsOf = (given: unknown): string =>
  typeof given === "string" && given !== "" ? given : JSON.stringify(given || {});

/** In the form of OpenAI's ids; the caller sends it back with the result of the call. */
export const newToolCallId = (): string => `call_${crypto.randomUUID().replaceAll("-", "")}`;
