import type { ChatMessage, ChatPart } from "./inference.ts";

// Pictures from tools. No model here takes a picture in a tool's own message, so the pictures follow in
// a user's message, after all consecutive messages of tools.

/** The text in place of a picture that follows. */
const SHOWN = "[picture: see the next message]";

export function withToolPictures(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some((message) => message.role === "tool" && picturesOf(message).length > 0)) {
    return messages;
  }
  const result: ChatMessage[] = [];
  let waiting: ChatPart[] = [];
  for (const message of messages) {
    if (message.role !== "tool" && waiting.length > 0) {
      result.push({ role: "user", content: waiting });
      waiting = [];
    }
    const pictures = message.role === "tool" ? picturesOf(message) : [];
    waiting.push(...pictures);
    result.push(pictures.length === 0 ? message : { ...message, content: textOf(message) });
  }
  return waiting.length === 0 ? result : [...result, { role: "user", content: waiting }];
}

const picturesOf = ({ content }: ChatMessage): readonly ChatPart[] =>
  content === null || typeof content === "string"
    ? []
    : content.filter((part) => part.type === "image_url");

const textOf = ({ content }: ChatMessage): string =>
  typeof content === "string" || content === null
    ? (content ?? "")
    : content.map((part) => (part.type === "text" ? part.text : SHOWN)).join("\n");
