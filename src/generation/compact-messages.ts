import { compactText } from "../domain/text/compact-text.ts";
import type { ChatMessage, ChatPart } from "../engines/inference.ts";

/**
 * A conversation with fewer blanks; null if there are none to remove. Results and arguments of tools are data
 * and stay as they are.
 */
export function compactMessages(messages: readonly ChatMessage[]): readonly ChatMessage[] | null {
  const compacted = messages.map((message) => {
    const content = message.role === "tool" ? message.content : compactContent(message.content);
    return content === message.content ? message : { ...message, content };
  });
  return compacted.some((message, at) => message !== messages[at]) ? compacted : null;
}

function compactContent(content: ChatMessage["content"]): ChatMessage["content"] {
  if (content === null) return null;
  if (typeof content === "string") return compactText(content);
  const parts = content.map(compactPart);
  return parts.some((part, at) => part !== content[at]) ? parts : content;
}

function compactPart(part: ChatPart): ChatPart {
  if (part.type !== "text") return part;
  const text = compactText(part.text);
  return text === part.text ? part : { ...part, text };
}
