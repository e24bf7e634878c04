import type { Item } from "../../domain/ledger/ledger.ts";
import { toOpenAiError } from "../../http/openai-error.ts";
import type { ChatEvent, ToolCallDelta } from "../../engines/inference.ts";
import type { TokenLogprob } from "../../engines/logprobs.ts";
import { toLogprobs } from "./logprobs.ts";
import { type ChatHead, toChatNeurogate, toChatUsage, wholeItem } from "./chat-reply.ts";

// OpenAI's chunks of a chat, as server-sent events, byte for byte.
// https://platform.openai.com/docs/api-reference/chat-streaming

export interface ChatChunks {
  /** The chunk of an answer's next piece; before its first one, the chunk that names the role. */
  piece(index: number, event: ChatEvent): string;
  /**
   * What follows when all answers have ended: what a guard found, what it cost, if that was asked
   * for, and the end.
   */
  ended(items: readonly Item[], moderation: object | null): string;
  /** What follows when an answer was cut: an error, and never `[DONE]`. */
  cut(): string;
}

/**
 * How a stream tells what it used. OpenAI's tells it where it was asked to, and then says `null` in
 * every chunk before. Workers AI's always tells it, and has no such key before: its own LangChain
 * package reads whatever stands there.
 */
export type UsageForm = "none" | "null_until_last" | "last_only";

export function chatChunks(
  head: ChatHead,
  { usage: form, requestId }: { readonly usage: UsageForm; readonly requestId: string },
): ChatChunks {
  const begun = new Set<number>();
  const chunk = (choices: readonly unknown[], more: object): string =>
    sseEvent({
      id: head.id,
      object: "chat.completion.chunk",
      created: head.created,
      model: head.model,
      system_fingerprint: null,
      choices,
      ...more,
    });
  const usageToCome = form === "null_until_last" ? { usage: null } : {};
  const of = (index: number, { delta, finishReason, logprobs }: Delta): string => {
    const choice = { index, delta, logprobs: toLogprobs(logprobs), finish_reason: finishReason };
    return chunk([choice], usageToCome);
  };
  return {
    piece(index, event) {
      const said = deltaOf(event);
      if (said === null) return "";
      const first = begun.has(index) ? "" : of(index, ROLE);
      begun.add(index);
      return first + of(index, said);
    },
    ended(items, moderation) {
      const found = moderation === null ? "" : chunk([], { ...usageToCome, moderation });
      const usage = form === "none" ? "" : chunk([], usageOf(items, head, requestId));
      return `${found}${usage}data: [DONE]\n\n`;
    },
    cut: () => cutEvent(requestId),
  };
}

export const sseEvent = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** What follows when an answer was cut: an error. */
export const cutEvent = (requestId: string): string =>
  sseEvent(
    toOpenAiError({ kind: "engine_failed", charged: true }, { requestId, instance: "" }).body,
  );

interface Delta {
  readonly delta: object;
  readonly finishReason: string | null;
  readonly logprobs?: readonly TokenLogprob[] | undefined;
}

const ROLE: Delta = { delta: { role: "assistant", content: "" }, finishReason: null };

function deltaOf(event: ChatEvent): Delta | null {
  switch (event.kind) {
    case "text":
      return { delta: { content: event.text }, finishReason: null, logprobs: event.logprobs };
    case "reasoning":
      return { delta: { reasoning_content: event.text }, finishReason: null };
    case "tool_calls":
      return { delta: { tool_calls: event.deltas.map(toolCallDelta) }, finishReason: null };
    case "finish":
      return { delta: {}, finishReason: event.reason };
    default:
      return null;
  }
}

/** A call's first piece names it and its type; the others have arguments only. */
const toolCallDelta = ({ index, id, name, arguments: given }: ToolCallDelta): object => ({
  index,
  ...(id !== undefined && { id, type: "function" }),
  function: {
    ...(name !== undefined && { name }),
    ...(given !== undefined && { arguments: given }),
  },
});

function usageOf(items: readonly Item[], { notes }: ChatHead, requestId: string): object {
  const whole = wholeItem(items);
  return {
    usage: toChatUsage(whole.units),
    neurogate: { ...toChatNeurogate(whole, requestId), ...notes },
  };
}
