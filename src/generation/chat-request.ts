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

// A chat in the form of a governed call, for every surface.

/** The request: messages and parameters in OpenAI's form, pictures as they were named. */
export interface ChatInput {
  readonly messages: readonly ChatMessage[];
  /** Only parameters that are known to cost nothing beyond the bound. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Null: the tenant's default. */
  readonly maxTokens: number | null;
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
  const { messages, parameters } = input;
  const pictures = chatPictures(messages, resolve);
  if (pictures.kind !== "read") return pictures;
  const request: ChatRequest = {
    kind: "chat",
    measured: measured(input),
    guard: guardRequest(input.guard, messages, () => pictures.messages()),
    prepare: (signal) => pictures.prepare(signal),
    inference: (model, stage): ChatInference => ({
      model,
      messages:
        stage.compactedTokens === undefined
          ? pictures.messages()
          : (compactMessages(pictures.messages()) ?? pictures.messages()),
      maxTokens: sentMaxTokens(model, stage),
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

function sentMaxTokens(id: string, { maxTokens }: GenerationStage): number {
  const model = CATALOGUE.get(id);
  if (model === undefined || maxTokens === null) throw new Error("the hold plans no chat");
  return outputTokensAtMost(model, maxTokens);
}
