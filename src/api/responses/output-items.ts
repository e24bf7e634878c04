import { type ItemStatus, itemId, type OutputItem } from "../../domain/responses/item.ts";
import type { ChatOutput, FinishReason } from "../../engines/inference.ts";

// The items that a model's answer becomes: what it thought, what it said, what it called.

/** How a response ended. */
export type Ending =
  | { readonly status: "completed" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" };

export function endingOf(reason: FinishReason): Ending {
  switch (reason) {
    case "length":
      return { status: "incomplete", reason: "max_output_tokens" };
    case "content_filter":
      return { status: "incomplete", reason: "content_filter" };
    default:
      return { status: "completed" };
  }
}

/** Of a turn: the ids of its items follow those of the caller's. */
export interface ItemNumbers {
  readonly responseId: string;
  readonly first: number;
}

export const outputId = (
  { responseId, first }: ItemNumbers,
  type: OutputItem["type"],
  index: number,
): string => itemId(type, responseId, first + index);

export const messageItem = (
  id: string,
  text: string,
  status: ItemStatus,
): Extract<OutputItem, { type: "message" }> => ({
  type: "message",
  id,
  role: "assistant",
  status,
  content: [textPart(text)],
});

export const textPart = (text: string) => ({ type: "output_text", text, annotations: [] }) as const;

export const reasoningItem = (
  id: string,
  text: string,
  status: ItemStatus,
): Extract<OutputItem, { type: "reasoning" }> => ({
  type: "reasoning",
  id,
  summary: [],
  content: [{ type: "reasoning_text", text }],
  status,
});

export function outputItems(output: ChatOutput, numbers: ItemNumbers): readonly OutputItem[] {
  const { status } = endingOf(output.finishReason);
  const items: OutputItem[] = [];
  const idOf = (type: OutputItem["type"]): string => outputId(numbers, type, items.length);
  if (output.reasoning !== null && output.reasoning !== "") {
    items.push(reasoningItem(idOf("reasoning"), output.reasoning, "completed"));
  }
  if (output.content !== null && output.content !== "") {
    items.push(messageItem(idOf("message"), output.content, "completed"));
  }
  for (const { id, function: called } of output.toolCalls) {
    items.push({
      type: "function_call",
      id: idOf("function_call"),
      call_id: id,
      name: called.name,
      arguments: called.arguments,
      status: "completed",
    });
  }
  return items.map((item, at) => (at === items.length - 1 ? { ...item, status } : item));
}
