/// <reference lib="esnext.typedarrays" />
import {
  JUDGE_INSTRUCTIONS,
  JUDGE_MAX_TOKENS,
  judgeMessages,
  judgeSchema,
  type Message,
  NONCE_LENGTH,
  readJudgeAnswer,
} from "../domain/moderation/judge.ts";
import {
  readVisionAnswer,
  VISION_INSTRUCTIONS,
  VISION_MAX_TOKENS,
  type VisionAnswer,
  visionMessages,
  visionSchema,
} from "../domain/moderation/vision.ts";
import { field, readUsage, type Reply } from "./engine-call.ts";
import type { Check, CheckOutcome } from "./engine.ts";
import type { Picture } from "./picture.ts";

// Language models: what the adapters must know of each besides its price, as data with its source, and the
// chats of their checks.

/**
 * Models that take and answer OpenAI's chat completions through `run()`: `response_format` wraps
 * the schema as `{ name, schema }`, the answer is in `choices`, and they reason at length unless
 * told not to. The others (such as llama-3.1) take the bare schema and answer `{ response }`.
 * Source: @cloudflare/workers-types 5.20261117.1, models whose output is `ChatCompletionsOutput`.
 */
const CHAT_MODELS: ReadonlySet<string> = new Set([
  "@cf/deepseek-ai/deepseek-v4-flash-0731",
  "@cf/deepseek-ai/deepseek-v4-pro-0813",
  "@cf/google/gemma-4-26b-a4b-it",
  "@cf/moonshotai/kimi-k2.6",
  "@cf/moonshotai/kimi-k2.7-code",
  "@cf/nvidia/nemotron-3-120b-a12b",
  "@cf/openai/gpt-oss-120b",
  "@cf/openai/gpt-oss-20b",
  "@cf/qwen/qwen3.8-27b",
  "@cf/zai-org/glm-4.7-flash",
  "@cf/zai-org/glm-5.2",
  "@cf/zai-org/glm-5.3",
  "@cf/zai-org/glm-5.3-flash",
]);

/**
 * Models that take a picture as an `image_url` content part with a data URI.
 * Source: the same types, and the model page of gemma-4 (property `vision`).
 */
const VISION_MODELS: ReadonlySet<string> = new Set([
  "@cf/google/gemma-4-26b-a4b-it",
  "@cf/meta/llama-3.2-11b-vision-instruct",
  "@cf/meta/llama-4-scout-17b-16e-instruct",
  "@cf/mistralai/mistral-small-3.1-24b-instruct",
]);

/** Models that answer in their own form, or not in words at all, and cannot be asked to judge. */
const NO_JUDGES: ReadonlySet<string> = new Set([
  "@cf/huggingface/distilbert-sst-2-int8",
  "@cf/meta/llama-guard-3-8b",
  "@cf/microsoft/resnet-50",
]);

/** Meta's model cards of Llama 3.1, 3.2 and 3.3: "officially supported". */
const LLAMA_3 = ["en", "de", "fr", "it", "pt", "hi", "es", "th"];

/**
 * Gemma 3 and 4 and Qwen 3 are published as "35 and more", "140" or "119 languages", without a list
 * of those that they do well. An assumption: the languages with the most text to learn from.
 */
const BROAD =
  "en de fr it pt es nl sv da no fi pl cs ro hu el ru uk tr ar he hi bn id vi th ja ko zh".split(
    " ",
  );

const SEA_LION = "en id km lo ms my ta th tl vi zh".split(" ");
const MISTRAL_SMALL =
  "en fr de el hi id it ja ko ms ne pl pt ro ru sr es sv tr uk vi ar bn zh fa".split(" ");
const GRANITE = "en de es fr ja pt ar cs it ko nl zh".split(" ");

/** ISO 639-1, by the model cards unless said otherwise. */
const LANGUAGES: readonly (readonly [model: RegExp, languages: readonly string[]])[] = [
  [/^@cf\/meta\/llama-3\.[123]-/, LLAMA_3],
  [/^@cf\/meta\/llama-4-scout-/, [...LLAMA_3, "ar", "id", "tl", "vi"]],
  [/^@cf\/google\/gemma-4-/, BROAD],
  [/^@cf\/qwen\/qwen3/, BROAD],
  [/^@cf\/aisingapore\/gemma-sea-lion-/, SEA_LION],
  [/^@cf\/mistralai\/mistral-small-3\.1-/, MISTRAL_SMALL],
  [/^@cf\/ibm-granite\/granite-4\.0-/, GRANITE],
  [/^@cf\/zai-org\/glm-/, ["en", "zh"]],
];

/** A model that is not listed is trusted with English only. */
const UNLISTED: readonly string[] = ["en"];

export function speaksChat(model: string): boolean {
  return CHAT_MODELS.has(model);
}

export function seesPictures(model: string): boolean {
  return VISION_MODELS.has(model);
}

export function canJudge(model: string): boolean {
  return !NO_JUDGES.has(model);
}

export function languagesOf(model: string): readonly string[] {
  return LANGUAGES.find(([pattern]) => pattern.test(model))?.[1] ?? UNLISTED;
}

// Makes a chat of a language model's check, and an outcome of its reply, for every adapter.

export type LlmCheck = Extract<Check, { name: "judge" | "vision" }>;

export interface Chat {
  readonly messages: readonly Message[];
  readonly schema: Record<string, unknown>;
  readonly maxTokens: number;
  /** The outcome of this chat: the answer must repeat the nonce of the question. */
  outcome(model: string, reply: Reply): CheckOutcome;
}

export function llmChat(check: LlmCheck): Chat {
  const nonce = drawNonce();
  if (check.name === "judge") {
    return {
      messages: judgeMessages(check.text, nonce),
      schema: judgeSchema(),
      maxTokens: JUDGE_MAX_TOKENS,
      outcome: (model, reply) =>
        outcome({ model, instructions: JUDGE_INSTRUCTIONS }, reply, (answer) => {
          const scores = readJudgeAnswer(answer, nonce);
          return scores === null ? null : { scores, quoted: null };
        }),
    };
  }
  return {
    messages: visionMessages(dataUri(check.picture), nonce),
    schema: visionSchema(),
    maxTokens: VISION_MAX_TOKENS,
    outcome: (model, reply) =>
      outcome({ model, instructions: VISION_INSTRUCTIONS }, reply, (answer) =>
        readVisionAnswer(answer, nonce),
      ),
  };
}

function outcome(
  judge: { readonly model: string; readonly instructions: string },
  reply: Reply,
  read: (answer: unknown) => VisionAnswer | null,
): CheckOutcome {
  if (reply.kind !== "replied") return reply;
  const usage = readUsage(reply.value);
  const answer = read(answerIn(reply.value));
  if (answer === null) return { kind: "failed", usage, malformed: true };
  const { scores, quoted } = answer;
  return { kind: "answered", ...judge, scores, usage, ...(quoted !== null && { quoted }) };
}

/** The text of the model: `{ response }` of Workers AI's older models, else the one choice. */
function answerIn(reply: unknown): unknown {
  const response = field(reply, "response");
  if (response !== undefined) return response;
  const choices = field(reply, "choices");
  if (!Array.isArray(choices) || choices.length !== 1) return undefined;
  return field(field(choices[0], "message"), "content");
}

/** The writer of a text cannot guess the fence around it, nor the answer's nonce. */
export function drawNonce(): string {
  return crypto.getRandomValues(new Uint8Array(NONCE_LENGTH / 2)).toHex();
}

function dataUri({ bytes, format }: Picture): string {
  // The native method takes 4 MB in a few milliseconds, `btoa` 200.
  return `data:image/${format};base64,${bytes.toBase64()}`;
}
