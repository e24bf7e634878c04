import type { ChatMessage, ChatPart } from "./inference.ts";

// What a tool shows. No model here takes a picture in a tool's own message, so the pictures follow the
// tools' messages as what the user shows: whoever answers calls sends those messages one after the other.

/** Said in the place of a picture that follows. */
const SHOWN = "[picture: see the next message]";

export function withToolPictures(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some((message) => message.role === "tool" && picturesOf(message).length > 0)) {
    return messages;
  }
  const told: ChatMessage[] = [];
  let shown: ChatPart[] = [];
  for (const message of messages) {
    if (message.role !== "tool" && shown.length > 0) {
      told.push({ role: "user", content: shown });
      shown = [];
    }
    const pictures = message.role === "tool" ? picturesOf(message) : [];
    shown.push(...pictures);
    told.push(pictures.length === 0 ? message : { ...message, content: textOf(message) });
  }
  return shown.length === 0 ? told : [...told, { role: "user", content: shown }];
}

const picturesOf = ({ content }: ChatMessage): readonly ChatPart[] =>
  content === null || typeof content === "string"
    ? []
    : content.filter((part) => part.type === "image_url");

const textOf = ({ content }: ChatMessage): string =>
  typeof content === "string" || content === null
    ? (content ?? "")
    : content.map((part) => (part.type === "text" ? part.text : SHOWN)).join("\n");
