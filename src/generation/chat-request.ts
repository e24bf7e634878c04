import { CATALOGUE } from "../domain/catalogue/catalogue.ts";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import { outputTokensAtMost, promptOfCall } from "../domain/generation/plan-generation.ts";
import type { ChatMeasure } from "../domain/generation/token-bound.ts";
import type { ChatInference, ChatMessage } from "../engines/inference.ts";
import type { ResolveHost } from "../io/resolve-host.ts";
import { chatFeatures } from "./chat-features.ts";
import { chatPictures } from "./chat-pictures.ts";
import { compactMessages } from "./compact-messages.ts";
import type { GenerationRequest, PrepareFailure } from "./generation-call.ts";
import { guardRequest, type GuardTerms } from "./guard-request.ts";
import { measureChat } from "./measure-chat.ts";

// A chat in the form of a governed call, for every surface.

/** The request: messages and parameters in OpenAI's form, pictures as they were named. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
  /**
   * Further conversations, without pictures, where one call has several: each is answered by itself. A
   * guard reads all of them together.
   */
  readonly others?: readonly (readonly ChatMessage[])[];
  /** Only parameters that are known to cost nothing beyond the bound. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Null: the tenant's default. */
  readonly maxTokens: number | null;
  /** Answers to each conversation. */
  readonly choices: number;
  readonly guard: GuardTerms;
  /** Whether to send the prompt with fewer blanks; null: the tenant's setting. */
  readonly compact?: boolean | null;
}

export type ChatRequest = Required<
  Pick<GenerationRequest<"chat">, "kind" | "measured" | "guard" | "prepare" | "inference">
>;

/** @param resolve looks up the hosts of picture URLs; null skips that check, for a local host */
export function chatRequest(
  input: ChatInput,
  resolve: ResolveHost | null,
): { readonly kind: "read"; readonly request: ChatRequest } | PrepareFailure {
  const { messages, others = [], choices, parameters } = input;
  const pictures = chatPictures(messages, resolve);
  if (pictures.kind !== "read") return pictures;
  const request: ChatRequest = {
    kind: "chat",
    measured: measured(input),
    guard: guardRequest(input.guard, [messages, ...others].flat(), () =>
      [pictures.messages(), ...others].flat(),
    ),
    prepare: (signal) => pictures.prepare(signal),
    inference: (model, stage, at): ChatInference => {
      const prompt = promptOfCall(at, { choices });
      const sent = prompt === 0 ? pictures.messages() : (others[prompt - 1] ?? []);
      return {
        model,
        messages: stage.compactedTokens === undefined ? sent : compacted(sent),
        maxTokens: sentMaxTokens(model, stage),
        parameters,
      };
    },
  };
  return { kind: "read", request };
}

function measured({
  messages,
  others = [],
  parameters,
  maxTokens,
  choices,
  compact = null,
}: ChatInput): ChatRequest["measured"] {
  const measure = (prompt: readonly ChatMessage[]) => measureChat(prompt, parameters);
  const chat = measure(messages);
  const further = others.map(measure);
  const features = chatFeatures([messages, ...others].flat(), {
    tools: chat.tools ?? 0,
    maxTokens,
  });
  const sizes = {
    kind: "chat",
    chat,
    ...(further.length > 0 && { others: further }),
    maxTokens,
    choices,
    features,
  } as const;
  if (compact === false) return sizes;
  const tokens = measure(compacted(messages)).textTokens;
  const tokensOfOthers = others.map((other) => measure(compacted(other)).textTokens);
  const isShorter = sum([tokens, ...tokensOfOthers]) < sum([chat, ...further].map(textTokensOf));
  const asked = compact ?? false;
  return isShorter
    ? { ...sizes, compacted: { textTokens: tokens, others: tokensOfOthers, asked } }
    : sizes;
}

const compacted = (messages: readonly ChatMessage[]): readonly ChatMessage[] =>
  compactMessages(messages) ?? messages;

const textTokensOf = ({ textTokens }: ChatMeasure): number => textTokens;

const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);

function sentMaxTokens(id: string, { maxTokens }: GenerationStage): number {
  const model = CATALOGUE.get(id);
  if (model === undefined || maxTokens === null) throw new Error("the hold plans no chat");
  return outputTokensAtMost(model, maxTokens);
}
