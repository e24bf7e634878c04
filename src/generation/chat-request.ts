import { CATALOGUE } from "../domain/catalogue.ts";
import type { GenerationStage } from "../domain/plan-generation.ts";
import { outputTokensAtMost } from "../domain/plan-generation.ts";
import type { ChatInference, ChatMessage } from "../engines/inference.ts";
import type { ResolveHost } from "../moderation/resolve-host.ts";
import { chatPictures } from "./chat-pictures.ts";
import type { GenerationRequest, PrepareFailure } from "./generation-call.ts";
import { guardRequest, type GuardTerms } from "./guard-request.ts";
import { measureChat } from "./measure-chat.ts";

// A chat as a governed call takes it, whichever surface it came on.

/** What was asked for: messages and parameters in OpenAI's form, pictures as they were named. */
export interface ChatAsk {
  readonly messages: readonly ChatMessage[];
  /** Of those that are known to cost nothing beyond the bound. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Null: the tenant's default. */
  readonly maxTokens: number | null;
  readonly choices: number;
  readonly guard: GuardTerms;
}

export type ChatRequest = Required<
  Pick<GenerationRequest<"chat">, "kind" | "measured" | "guard" | "prepare" | "inference">
>;

/** @param resolve looks hosts of picture URLs up; null leaves that check out: for a local host */
export function chatRequest(
  { messages, parameters, maxTokens, choices, guard }: ChatAsk,
  resolve: ResolveHost | null,
): { readonly kind: "read"; readonly request: ChatRequest } | PrepareFailure {
  const pictures = chatPictures(messages, resolve);
  if (pictures.kind !== "read") return pictures;
  const request: ChatRequest = {
    kind: "chat",
    measured: { kind: "chat", chat: measureChat(messages, parameters), maxTokens, choices },
    guard: guardRequest(guard, messages, () => pictures.messages()),
    prepare: (signal) => pictures.prepare(signal),
    inference: (model, stage): ChatInference => ({
      model,
      messages: pictures.messages(),
      maxTokens: toldTokens(model, stage),
      parameters,
    }),
  };
  return { kind: "read", request };
}

function toldTokens(id: string, { maxTokens }: GenerationStage): number {
  const model = CATALOGUE.get(id);
  if (model === undefined || maxTokens === null) throw new Error("the hold plans no chat");
  return outputTokensAtMost(model, maxTokens);
}
