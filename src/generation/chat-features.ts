import { type PromptFeatures, promptFeatures } from "../domain/generation/prompt-features.ts";
import type { ChatMessage } from "../engines/inference.ts";

/** What kind of work a conversation asks for, by what the user said in it. */
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
