import type { Usage } from "../domain/catalogue/price.ts";
import { field, readUsage } from "./engine-call.ts";
import { type ChatOutput, FINISH_REASONS, type FinishReason, type ToolCall } from "./inference.ts";

// What a language model answered, in either of the two forms: OpenAI's `choices`, or `response` and
// `tool_calls` of Workers AI's older models.

/** 128,000 tokens of several bytes each, escaped as JSON, fit; more is no answer to us. */
export const MAX_CHAT_BYTES = 4 * 1024 * 1024;

export type ReadAnswer =
  | { readonly kind: "answered"; readonly output: ChatOutput; readonly usage: Usage | null }
  | { readonly kind: "failed"; readonly usage: Usage | null };

/** @param maxTokens that the model was told: the older form does not say why an answer ends */
export function readChatReply(reply: unknown, maxTokens: number): ReadAnswer {
  const usage = readUsage(reply);
  const choices = field(reply, "choices");
  const output = Array.isArray(choices)
    ? choiceOutput(choices)
    : responseOutput(reply, (usage?.output_token ?? 0) >= maxTokens);
  return output === null ? { kind: "failed", usage } : { kind: "answered", output, usage };
}

function choiceOutput(choices: readonly unknown[]): ChatOutput | null {
  // More answers than were asked for are none that anybody would pay for.
  if (choices.length !== 1) return null;
  const message = field(choices[0], "message");
  const toolCalls = readToolCalls(field(message, "tool_calls"));
  const content = textOf(field(message, "content"));
  if (toolCalls === null || content === undefined) return null;
  const refusal = textOf(field(message, "refusal")) ?? null;
  const said = content ?? refusal;
  const reasoning = reasoningIn(message);
  const finishReason = readFinish(field(choices[0], "finish_reason"), toolCalls.length > 0);
  const saysNothing = said === null && reasoning === null && toolCalls.length === 0;
  // A model that was cut while it thought, or filtered before its first word, has answered.
  if (saysNothing && finishReason !== "length" && finishReason !== "content_filter") return null;
  return { content: said, reasoning, toolCalls, finishReason };
}

/** In JSON mode `response` is what the JSON says. */
function responseOutput(reply: unknown, cut: boolean): ChatOutput | null {
  const response = field(reply, "response");
  const toolCalls = readToolCalls(field(reply, "tool_calls"));
  if (toolCalls === null) return null;
  const content =
    typeof response === "object" && response !== null ? JSON.stringify(response) : textOf(response);
  if (content === undefined) return null;
  if (content === null && toolCalls.length === 0 && !cut) return null;
  const finishReason = toolCalls.length > 0 ? "tool_calls" : cut ? "length" : "stop";
  // With its calls such a model sends an empty text.
  return {
    content: content === "" && toolCalls.length > 0 ? null : content,
    reasoning: null,
    toolCalls,
    finishReason,
  };
}

/** Servers call it by either name. */
export const reasoningIn = (message: unknown): string | null =>
  textOf(field(message, "reasoning_content")) ?? textOf(field(message, "reasoning")) ?? null;

/** A text, null where there is none, undefined for anything else. */
const textOf = (value: unknown): string | null | undefined => {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : undefined;
};

export function readFinish(value: unknown, calls: boolean): FinishReason {
  const known = FINISH_REASONS.find((reason) => reason === value);
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
        arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}),
      },
    });
  }
  return calls;
}

/** As OpenAI's look; the caller names it when it answers the call. */
export const newToolCallId = (): string => `call_${crypto.randomUUID().replaceAll("-", "")}`;
