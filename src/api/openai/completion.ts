import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import type { ChatEvent, ChatMessage, ChatOutput } from "../../engines/inference.ts";
import { FINISH_REASONS } from "../../engines/inference.ts";
import { invalid } from "../../http/field-errors.ts";
import { formRefused } from "../drop-in-body.ts";
import { between, wholeNumber } from "../field.ts";
import {
  choiceCount,
  known,
  maxTokens,
  modelName,
  personFields,
  stopSequences,
  streamOptions,
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
import { MOST_TOP_LOGPROBS } from "../../engines/logprobs.ts";
import { TextLogprobsOutput, tooManyLogprobs, toTextLogprobs } from "./logprobs.ts";
import { oneTokenList, tokenLists, tokenListsOf, unknownTokens } from "./token-ids.ts";
import { isEmptyList, object } from "../object-input.ts";

// OpenAI's older completions: texts in, texts out. The models here are asked as in a chat, each prompt by
// itself as what the user says; they answer it rather than write on.
// https://platform.openai.com/docs/api-reference/completions

/** OpenAI's own, where the caller gives none. */
const DEFAULT_TOKENS = 16;

/** Answers to all prompts of a call. Each is an engine call, and a unit of the model's rate. */
const MAX_ANSWERS = 128;

const text = v.pipe(v.string(), v.minLength(1));

export const CompletionInput = object({
  model: modelName,
  prompt: v.pipe(
    v.union([
      text,
      v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_ANSWERS)),
      oneTokenList,
      tokenLists(MAX_ANSWERS),
    ]),
    v.description(
      `A text, or a list: each prompt gets "n" answers, in order, at most ${MAX_ANSWERS} in all. Or token ids, for OpenAI's names of models with the vocabulary cl100k_base.`,
    ),
  ),
  max_tokens: v.nullish(maxTokens, DEFAULT_TOKENS),
  n: choiceCount,
  stream: v.nullish(v.boolean(), false),
  stream_options: streamOptions,
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
  logprobs: v.nullish(
    v.union([
      v.literal(false),
      wholeNumber(
        0,
        MOST_TOP_LOGPROBS,
        "Log-probabilities, and of so many of the likeliest tokens. Where the engine reports them.",
      ),
    ]),
  ),
  suffix: known,
});

export type CompletionBody = v.InferOutput<typeof CompletionInput>;

const chatRefused = formRefused("completions have no such field; POST /v1/chat/completions has", [
  "messages",
  "response_format",
  "tools",
]);

export const completionRefused = (body: unknown): FieldError | null =>
  chatRefused(body) ?? unknownTokens(Object(body), ["prompt", Object(body).prompt]);

type Refused = Extract<RequestFailure, { kind: "unsupported_parameter" }>;

/** Parameters that would change the answer if they were ignored. */
export function refusedOf(body: CompletionBody): Refused | null {
  const { best_of: best = null, echo = null, logit_bias: bias = null } = body;
  const refused = [
    ["best_of", best !== null && best !== body.n, "every answer that is made is given."],
    ["echo", echo === true, "the answer comes without its prompt."],
    ["logit_bias", Object.keys(Object(bias)).length > 0, "token ids are each model's own."],
    ["suffix", typeof body.suffix === "string" && body.suffix !== "", "nothing is filled in."],
  ] as const;
  const [first] = refused.filter(([, given]) => given);
  if (first === undefined) return null;
  const [parameter, , why] = first;
  return { kind: "unsupported_parameter", parameter, detail: `${parameter}: ${why}` };
}

export const promptOf = (content: string): readonly ChatMessage[] => [{ role: "user", content }];

const promptCount = ({ prompt }: CompletionBody): number =>
  typeof prompt === "string" ? 1 : (tokenListsOf(prompt) ?? prompt).length;

/** Null: a call may have so many answers. */
export function tooManyAnswers(
  body: CompletionBody,
): Extract<RequestFailure, { kind: "invalid_request" }> | null {
  const prompts = promptCount(body);
  if (prompts * body.n <= MAX_ANSWERS) return null;
  const detail = `must be at most ${Math.floor(MAX_ANSWERS / body.n)} prompts with n ${body.n}: a call gives at most ${MAX_ANSWERS} answers`;
  return invalid(["prompt"], detail);
}

const PASSED_ON = ["temperature", "top_p", "presence_penalty", "frequency_penalty"] as const;

/** The parameters of a chat; a seed is added as it was written. */
export function completionParameters(body: CompletionBody): Readonly<Record<string, unknown>> {
  const { stop } = body;
  const given = PASSED_ON.flatMap((name) => {
    const value = body[name];
    return value === null || value === undefined ? [] : [[name, value] as const];
  });
  const stops = isEmptyList(stop) ? null : (stop ?? null);
  return {
    ...Object.fromEntries(given),
    ...(stops !== null && { stop: stops }),
    ...(typeof body.logprobs === "number" && { logprobs: true }),
    ...(Number(body.logprobs) > 0 && { top_logprobs: body.logprobs }),
  };
}

/** Null: the reply will hold what is asked for. */
export const completionLogprobsFailure = (
  body: CompletionBody,
): ReturnType<typeof tooManyLogprobs> =>
  typeof body.logprobs === "number"
    ? tooManyLogprobs({
        top: body.logprobs,
        maxTokens: body.max_tokens,
        stream: body.stream,
        answers: promptCount(body) * body.n,
      })
    : null;

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
      logprobs: TextLogprobsOutput,
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
    choices: outputs.map(({ content, finishReason, logprobs }, index) => ({
      text: content ?? "",
      index,
      logprobs: toTextLogprobs(logprobs),
      finish_reason: finishReason,
    })),
    usage: toChatUsage(item.units),
    neurogate: { ...toChatNeurogate(item, requestId), ...head.notes },
  };
};

type Said = Pick<Extract<ChatEvent, { kind: "text" }>, "text" | "logprobs">;

export function completionChunks(
  head: ChatHead,
  { usage: form, requestId }: { readonly usage: UsageForm; readonly requestId: string },
): ChatChunks {
  const chunk = (choices: readonly object[], more: object): string => {
    const { id, created, model } = head;
    return sseEvent({ id, object: "text_completion", created, model, choices, ...more });
  };
  const usageToCome = form === "null_until_last" ? { usage: null } : {};
  /** How long the text of each answer is by now. */
  const lengths = new Map<number, number>();
  const of = (
    index: number,
    { text: said, logprobs: given }: Said,
    finish_reason: string | null,
  ) => {
    const from = lengths.get(index) ?? 0;
    lengths.set(index, from + said.length);
    const choice = { text: said, index, logprobs: toTextLogprobs(given, from), finish_reason };
    return chunk([choice], usageToCome);
  };
  return {
    piece(index: number, event: ChatEvent): string {
      if (event.kind === "text") return of(index, event, null);
      return event.kind === "finish" ? of(index, { text: "" }, event.reason) : "";
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
