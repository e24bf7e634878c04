import { type PromptFeatures, promptFeatures } from "../domain/generation/prompt-features.ts";
import type { ChatMessage } from "../engines/inference.ts";

/** The kind of work that a conversation asks for, judged by the user's messages. */
export function chatFeatures(
  messages: readonly ChatMessage[],
  { tools, maxTokens }: { readonly tools: number; readonly maxTokens: number | null },
): PromptFeatures {
  const userTexts = messages.filter(({ role }) => role === "user").map(textOf);
  return promptFeatures({ userTexts, messages: messages.length, tools, maxTokens });
}

function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => (part.type === "text" ? part.text : "")).join("\n");
}
