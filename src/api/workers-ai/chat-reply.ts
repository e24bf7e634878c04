import type { Item } from "../../domain/ledger/ledger.ts";
import type { ChatEvent, ChatOutput, ToolCall, ToolCallDelta } from "../../engines/inference.ts";
import { utf8 } from "../../http/call-labels.ts";
import { jsonShape, MAX_DEPTH } from "../../http/read-body.ts";
import { toWorkersAiError } from "../../http/workers-ai-error.ts";
import { toNeurogate } from "../openai/drop-in.ts";
import type { ChatChunks } from "../openai/chat-chunks.ts";
import { toChatUsage, wholeItem } from "../openai/chat-reply.ts";
import { toLogprobs } from "../openai/logprobs.ts";

// What Workers AI's older models answer: `{ response, tool_calls, usage }`, whole or as server-sent
// events. The newer ones answer as OpenAI's do.

/**
 * @param made `asJson`: the answer as what its JSON says, as in the original's JSON mode;
 *   `moderation`: what a guard found, an extra key as `logprobs` is; null where there is none
 */
export const toResponse = (
  output: ChatOutput,
  item: Item,
  made: { readonly asJson: boolean; readonly moderation: object | null },
): object => ({
  response: made.asJson ? parsed(output.content) : output.content,
  ...(output.toolCalls.length > 0 && { tool_calls: output.toolCalls.map(toCall) }),
  usage: toChatUsage(item.units),
  ...withLogprobs(output),
  ...(made.moderation !== null && { moderation: made.moderation }),
});

/** The original has no place for them; ours is OpenAI's form of a choice. */
const withLogprobs = ({ logprobs }: Pick<ChatOutput, "logprobs">): object =>
  logprobs === undefined ? {} : { logprobs: toLogprobs(logprobs) };

/** As it is where it is deeper than a body may be: no reply could be written of it. */
function parsed(text: string | null): unknown {
  try {
    if (text === null || jsonShape(utf8(text)).depth > MAX_DEPTH) return text;
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const toCall = ({ function: { name, arguments: given } }: Pick<ToolCall, "function">): object => ({
  name,
  arguments: parsed(given),
});

const sseEvent = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** A stream of texts; what it used is on the last event before the end. */
export function responseChunks(requestId: string): ChatChunks {
  const calls = new Map<number, { name: string; arguments: string }>();
  return {
    piece(_index: number, event: ChatEvent): string {
      switch (event.kind) {
        case "text":
          return sseEvent({ response: event.text, ...withLogprobs(event) });
        case "tool_calls":
          for (const delta of event.deltas) gather(calls, delta);
          return "";
        case "finish":
          if (calls.size === 0) return "";
          return sseEvent({
            response: "",
            tool_calls: [...calls.values()].map((called) => toCall({ function: called })),
          });
        default:
          return "";
      }
    },
    ended(items: readonly Item[], moderation: object | null): string {
      const item = wholeItem(items);
      const last = {
        response: "",
        usage: toChatUsage(item.units),
        ...(moderation !== null && { moderation }),
        neurogate: toNeurogate(item, requestId),
      };
      return `${sseEvent(last)}data: [DONE]\n\n`;
    },
    cut: () => {
      const context = { requestId, instance: "" };
      return sseEvent(toWorkersAiError({ kind: "engine_failed", charged: true }, context).body);
    },
  };
}

/** Older models give their calls whole. */
function gather(
  calls: Map<number, { name: string; arguments: string }>,
  { index, name = "", arguments: given = "" }: ToolCallDelta,
): void {
  const before = calls.get(index) ?? { name: "", arguments: "" };
  calls.set(index, { name: before.name + name, arguments: before.arguments + given });
}
