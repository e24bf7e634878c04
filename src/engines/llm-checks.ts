/// <reference lib="esnext.typedarrays" />
import {
  JUDGE_INSTRUCTIONS,
  JUDGE_MAX_TOKENS,
  judgeMessages,
  judgeSchema,
  type Message,
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

/** 128 bits: a text cannot guess the fence around it, nor the answer's nonce. */
function drawNonce(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

function dataUri({ bytes, format }: Picture): string {
  // The native method takes 4 MB in a few milliseconds, `btoa` 200.
  return `data:image/${format};base64,${bytes.toBase64()}`;
}
