import * as v from "valibot";
import { leastSure } from "../../domain/moderation/stage.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import { sum } from "../../domain/ledger/micro-neurons.ts";
import type { Usage } from "../../domain/catalogue/catalogue.ts";
import { type ChatOutput, FINISH_REASONS } from "../../engines/inference.ts";
import { ModerationObject } from "./chat-moderation.ts";
import { type PlanNotes, planNotes } from "../plan-notes.ts";
import { LogprobsOutput, toLogprobs } from "./logprobs.ts";
import { Neurogate, toNeurogate, usageOf } from "./drop-in.ts";

// OpenAI's chat completion, byte for byte; what is ours is under `neurogate`.

const ToolCallOutput = v.object({
  id: v.string(),
  type: v.literal("function"),
  function: v.object({ name: v.string(), arguments: v.string() }),
});

export const UsageOutput = v.object({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
  prompt_tokens_details: v.object({ cached_tokens: v.number() }),
  completion_tokens_details: v.exactOptional(
    v.pipe(
      v.object({ reasoning_tokens: v.number() }),
      v.description("If the engine reports them; a part of `completion_tokens`."),
    ),
  ),
});

export const ChatNeurogate = v.object({
  ...Neurogate.entries,
  ...planNotes,
  stand_in: v.pipe(
    v.boolean(),
    v.description(
      "True when no language model wrote this, but the gateway itself, from the prompt.",
    ),
  ),
});

export const ChatOutputBody = v.object({
  id: v.string(),
  object: v.literal("chat.completion"),
  created: v.number(),
  model: v.string(),
  choices: v.array(
    v.object({
      index: v.number(),
      message: v.object({
        role: v.literal("assistant"),
        content: v.nullable(v.string()),
        refusal: v.null(),
        reasoning_content: v.exactOptional(
          v.pipe(v.string(), v.description("The reasoning of a model before its answer.")),
        ),
        tool_calls: v.exactOptional(v.array(ToolCallOutput)),
      }),
      logprobs: LogprobsOutput,
      finish_reason: v.picklist(FINISH_REASONS),
    }),
  ),
  usage: v.pipe(
    UsageOutput,
    v.description("Summed over the answers, each of which read the prompt."),
  ),
  system_fingerprint: v.null(),
  moderation: v.exactOptional(
    v.pipe(ModerationObject, v.description("Where the request or the policy asks for a guard.")),
  ),
  neurogate: ChatNeurogate,
});

/** What does not change from one chunk of a stream to the next. */
export interface ChatHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
  /** What was decided here. */
  readonly notes: PlanNotes;
}

/** The same call gives the same id, also when it is replayed. */
export const chatId = (callId: string): string => callId.replace(/^jnl_/, "chatcmpl-");

export function toChatUsage(units: Usage): v.InferOutput<typeof UsageOutput> {
  const { cached_tokens, reasoning_tokens, ...counts } = usageOf(units);
  return {
    ...counts,
    prompt_tokens_details: { cached_tokens },
    ...(reasoning_tokens !== undefined && { completion_tokens_details: { reasoning_tokens } }),
  };
}

export const toChatNeurogate = (
  item: Item,
  requestId: string,
): v.InferOutput<typeof ChatNeurogate> => ({
  ...toNeurogate(item, requestId),
  stand_in: item.model?.startsWith("neurogate/") === true,
});

/**
 * A call as one item: its tokens are the generation's own, its cost is all of it, what guarded it
 * included.
 *
 * @throws Error when there is no generation among the items: a bug
 */
export function wholeItem(items: readonly Item[]): Item {
  const made = items.find(({ stage }) => stage === "generate");
  if (made === undefined) throw new Error("a generation without its item");
  return {
    ...made,
    microNeurons: sum(items.map(({ microNeurons }) => microNeurons)),
    basis: leastSure(items.map(({ basis }) => basis)),
  };
}

export function toChatCompletion(
  outputs: readonly ChatOutput[],
  head: ChatHead,
  made: {
    readonly items: readonly Item[];
    readonly moderation: v.InferOutput<typeof ModerationObject> | null;
    readonly requestId: string;
  },
): v.InferOutput<typeof ChatOutputBody> {
  const { items, moderation, requestId } = made;
  const item = wholeItem(items);
  return {
    id: head.id,
    object: "chat.completion",
    created: head.created,
    model: head.model,
    choices: outputs.map((output, index) => ({
      index,
      message: {
        role: "assistant",
        content: output.content,
        refusal: null,
        ...(output.reasoning !== null && { reasoning_content: output.reasoning }),
        ...(output.toolCalls.length > 0 && {
          tool_calls: output.toolCalls.map(({ id, type, function: called }) => ({
            id,
            type,
            function: { name: called.name, arguments: called.arguments },
          })),
        }),
      },
      logprobs: toLogprobs(output.logprobs),
      finish_reason: output.finishReason,
    })),
    usage: toChatUsage(item.units),
    system_fingerprint: null,
    ...(moderation !== null && { moderation }),
    neurogate: { ...toChatNeurogate(item, requestId), ...head.notes },
  };
}
