import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import type { ChatEvent, ChatMessage, ChatOutput } from "../../engines/inference.ts";
import { FINISH_REASONS } from "../../engines/inference.ts";
import { between } from "../field.ts";
import {
  choiceCount,
  known,
  maxTokens,
  modelName,
  personFields,
  stopSequences,
} from "./drop-in.ts";
import { type ChatChunks, cutEvent, sseEvent, type UsageForm } from "./chat-chunks.ts";
import {
  type ChatHead,
  ChatNeurogate,
  toChatNeurogate,
  toChatUsage,
  UsageOutput,
  wholeItem,
} from "./chat-reply.ts";
import { seed } from "../seed.ts";
import { oneTokenList, tokenLists, unknownTokens } from "./token-ids.ts";

// OpenAI's older completions: a text in, a text out. The models here are asked as in a chat, with the
// text as what the user says; they answer it rather than write on.
// https://platform.openai.com/docs/api-reference/completions

/** OpenAI's own, where the caller gives none. */
const DEFAULT_TOKENS = 16;

const text = v.pipe(v.string(), v.minLength(1));

export const CompletionInput = v.object({
  model: modelName,
  prompt: v.pipe(
    v.union([text, v.pipe(v.array(text), v.length(1)), oneTokenList, tokenLists(1)]),
    v.description(
      "A text, or a list of one: each call answers one prompt. Or its token ids, for OpenAI's names of models with the vocabulary cl100k_base.",
    ),
  ),
  max_tokens: v.nullish(maxTokens, DEFAULT_TOKENS),
  n: choiceCount,
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean(), false) })),
  stop: stopSequences,
  temperature: between(0, 2),
  top_p: between(0, 1),
  presence_penalty: between(-2, 2),
  frequency_penalty: between(-2, 2),
  seed,
  ...personFields,
  best_of: known,
  echo: known,
  logit_bias: known,
  logprobs: known,
  suffix: known,
});

export type CompletionBody = v.InferOutput<typeof CompletionInput>;

export const completionRefused = (body: unknown): FieldError | null =>
  unknownTokens(Object(body), ["prompt", Object(body).prompt]);

type Refused = Extract<RequestFailure, { kind: "unsupported_parameter" }>;

/** Parameters that would change the answer if they were ignored. */
export function refusedOf(body: CompletionBody): Refused | null {
  const { best_of: best = null, echo = null, logit_bias: bias = null, logprobs = null } = body;
  const refused = [
    ["best_of", best !== null && best !== body.n, "every answer that is made is given."],
    ["echo", echo === true, "the answer comes without its prompt."],
    ["logit_bias", Object.keys(Object(bias)).length > 0, "token ids are each model's own."],
    ["logprobs", logprobs !== null && logprobs !== false, "no engine here reports them."],
    ["suffix", typeof body.suffix === "string" && body.suffix !== "", "nothing is filled in."],
  ] as const;
  const [first] = refused.filter(([, given]) => given);
  if (first === undefined) return null;
  const [parameter, , why] = first;
  return { kind: "unsupported_parameter", parameter, detail: `${parameter}: ${why}` };
}

export const promptOf = (content: string): readonly ChatMessage[] => [{ role: "user", content }];

const PASSED_ON = ["temperature", "top_p", "presence_penalty", "frequency_penalty"] as const;

/** The parameters of a chat; a seed is added as it was written. */
export function completionParameters(body: CompletionBody): Readonly<Record<string, unknown>> {
  const { stop } = body;
  const given = PASSED_ON.flatMap((name) => {
    const value = body[name];
    return value === null || value === undefined ? [] : [[name, value] as const];
  });
  const stops = Array.isArray(stop) && stop.length === 0 ? null : (stop ?? null);
  return { ...Object.fromEntries(given), ...(stops !== null && { stop: stops }) };
}

/** The same call gives the same id, also when it is replayed. */
export const completionId = (callId: string): string => callId.replace(/^jnl_/, "cmpl-");

export const CompletionOutput = v.object({
  id: v.string(),
  object: v.literal("text_completion"),
  created: v.number(),
  model: v.string(),
  choices: v.array(
    v.object({
      text: v.string(),
      index: v.number(),
      logprobs: v.null(),
      finish_reason: v.picklist(FINISH_REASONS),
    }),
  ),
  usage: UsageOutput,
  neurogate: ChatNeurogate,
});

export const toCompletion = (
  outputs: readonly ChatOutput[],
  head: ChatHead,
  { items, requestId }: { readonly items: readonly Item[]; readonly requestId: string },
): v.InferOutput<typeof CompletionOutput> => {
  const item = wholeItem(items);
  return {
    id: head.id,
    object: "text_completion",
    created: head.created,
    model: head.model,
    choices: outputs.map(({ content, finishReason }, index) => ({
      text: content ?? "",
      index,
      logprobs: null,
      finish_reason: finishReason,
    })),
    usage: toChatUsage(item.units),
    neurogate: { ...toChatNeurogate(item, requestId), ...head.notes },
  };
};

export function completionChunks(
  head: ChatHead,
  { usage: form, requestId }: { readonly usage: UsageForm; readonly requestId: string },
): ChatChunks {
  const chunk = (choices: readonly object[], more: object): string => {
    const { id, created, model } = head;
    return sseEvent({ id, object: "text_completion", created, model, choices, ...more });
  };
  const usageToCome = form === "null_until_last" ? { usage: null } : {};
  const of = (index: number, said: string, finish_reason: string | null): string =>
    chunk([{ text: said, index, logprobs: null, finish_reason }], usageToCome);
  return {
    piece(index: number, event: ChatEvent): string {
      if (event.kind === "text") return of(index, event.text, null);
      return event.kind === "finish" ? of(index, "", event.reason) : "";
    },
    ended(items: readonly Item[]): string {
      const item = wholeItem(items);
      const neurogate = { ...toChatNeurogate(item, requestId), ...head.notes };
      const usage = form === "none" ? "" : chunk([], { usage: toChatUsage(item.units), neurogate });
      return `${usage}data: [DONE]\n\n`;
    },
    cut: () => cutEvent(requestId),
  };
}
