import { CATALOGUE } from "../domain/catalogue/catalogue.ts";
import type { GenerationStage } from "../domain/generation/plan-generation.ts";
import { outputTokensAtMost } from "../domain/generation/plan-generation.ts";
import type { ChatInference, ChatMessage } from "../engines/inference.ts";
import type { ResolveHost } from "../io/resolve-host.ts";
import { chatFeatures } from "./chat-features.ts";
import { chatPictures } from "./chat-pictures.ts";
import { compactMessages } from "./compact-messages.ts";
import type { GenerationRequest, PrepareFailure } from "./generation-call.ts";
import { guardRequest, type GuardTerms } from "./guard-request.ts";
import { measureChat } from "./measure-chat.ts";

// A chat as a governed call takes it, whichever surface it came on.

/** What was asked for: messages and parameters in OpenAI's form, pictures as they were named. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
  /** Of those that are known to cost nothing beyond the bound. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Null: the tenant's default. */
  readonly maxTokens: number | null;
  readonly choices: number;
  readonly guard: GuardTerms;
  /** Whether the prompt is to be sent with fewer blanks; null: as the tenant has set. */
  readonly compact?: boolean | null;
}

export type ChatRequest = Required<
  Pick<GenerationRequest<"chat">, "kind" | "measured" | "guard" | "prepare" | "inference">
>;

/** @param resolve looks hosts of picture URLs up; null leaves that check out: for a local host */
export function chatRequest(
  ask: ChatInput,
  resolve: ResolveHost | null,
): { readonly kind: "read"; readonly request: ChatRequest } | PrepareFailure {
  const { messages, parameters } = ask;
  const pictures = chatPictures(messages, resolve);
  if (pictures.kind !== "read") return pictures;
  const request: ChatRequest = {
    kind: "chat",
    measured: measured(ask),
    guard: guardRequest(ask.guard, messages, () => pictures.messages()),
    prepare: (signal) => pictures.prepare(signal),
    inference: (model, stage): ChatInference => ({
      model,
      messages:
        stage.compactedTokens === undefined
          ? pictures.messages()
          : (compactMessages(pictures.messages()) ?? pictures.messages()),
      maxTokens: toldTokens(model, stage),
      parameters,
    }),
  };
  return { kind: "read", request };
}

function measured({
  messages,
  parameters,
  maxTokens,
  choices,
  compact = null,
}: ChatInput): ChatRequest["measured"] {
  const chat = measureChat(messages, parameters);
  const features = chatFeatures(messages, { tools: chat.tools ?? 0, maxTokens });
  const sizes = { kind: "chat", chat, maxTokens, choices, features } as const;
  const compacted = compact === false ? null : compactMessages(messages);
  if (compacted === null) return sizes;
  const { textTokens } = measureChat(compacted, parameters);
  return textTokens < chat.textTokens
    ? { ...sizes, compacted: { textTokens, asked: compact ?? false } }
    : sizes;
}

function toldTokens(id: string, { maxTokens }: GenerationStage): number {
  const model = CATALOGUE.get(id);
  if (model === undefined || maxTokens === null) throw new Error("the hold plans no chat");
  return outputTokensAtMost(model, maxTokens);
}
