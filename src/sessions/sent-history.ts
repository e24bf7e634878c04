import type { Conversation } from "../../durable-objects/session/session.ts";
import { estimateInputTokens } from "../domain/generation/token-bound.ts";
import { continuesTurn, lastTurns } from "../domain/session/history.ts";
import { isDataUri } from "../domain/text/base64.ts";
import type { ChatMessage, ChatPart } from "../engines/inference.ts";
import { MAX_PICTURES } from "../generation/chat-pictures.ts";
import { measureChat } from "../generation/measure-chat.ts";
import type { SessionMessage } from "../edge/session-object.ts";

// The part of a session's history that is sent with a message. It never makes a message fail: pictures at
// URLs are not fetched again, and turns whose pictures are too many beside the new ones are left out.

/** Stands for a picture of an earlier message that was named by its URL. */
const PICTURE: ChatPart = { type: "text", text: "[picture]" };

interface Turn {
  readonly messages: readonly ChatMessage[];
  /** Of its text, at most. */
  readonly tokens: number;
  readonly pictures: number;
}

export interface SentHistory {
  readonly messages: readonly ChatMessage[];
  readonly turns: number;
  /** Turns that are kept and did not fit. */
  readonly leftOut: number;
}

/** As a routing table judges whether a chat likely fits: half of the bound, and the answer's limit. */
export function sentHistory(
  { session, messages }: Pick<Conversation, "session" | "messages">,
  asked: Pick<SessionMessage, "chat" | "windowTokens" | "defaultMaxTokens">,
): SentHistory {
  const { chat, windowTokens, defaultMaxTokens } = asked;
  const turns = turnsOf(messages);
  const system = systemOf(session);
  const own = measureChat([...system, ...chat.messages], chat.parameters);
  const maxTokens = chat.maxTokens ?? defaultMaxTokens;
  const fits = (kept: readonly Turn[]): boolean => {
    const pictures = kept.reduce((total, turn) => total + turn.pictures, own.images);
    if (pictures > MAX_PICTURES) return false;
    const text = kept.reduce((total, { tokens }) => total + tokens, own.textTokens);
    return windowTokens === null || estimateInputTokens(text) + maxTokens <= windowTokens;
  };
  const least = continuesTurn(chat.messages) ? Math.min(1, turns.length) : 0;
  const kept = lastTurns(turns, { maxTurns: session.maxTurns, least, fits });
  return {
    messages: [...system, ...kept.flatMap((turn) => turn.messages)],
    turns: kept.length,
    leftOut: turns.length - kept.length,
  };
}

const systemOf = ({ system }: Conversation["session"]): readonly ChatMessage[] =>
  system === null ? [] : [{ role: "system", content: system }];

function turnsOf(records: Conversation["messages"]): readonly Turn[] {
  const byTurn = new Map<number, ChatMessage[]>();
  for (const { turn, message } of records) {
    const messages = byTurn.get(turn) ?? [];
    // Written by the same code, which had a chat's messages.
    messages.push(withoutUrls(message as unknown as ChatMessage));
    byTurn.set(turn, messages);
  }
  return [...byTurn.values()].map((messages) => {
    const { textTokens, images } = measureChat(messages, {});
    return { messages, tokens: textTokens, pictures: images };
  });
}

/** A picture that was sent as bytes stays. */
function withoutUrls(message: ChatMessage): ChatMessage {
  const { content } = message;
  if (content === null || typeof content === "string") return message;
  const parts = content.map((part) =>
    part.type === "image_url" && !isDataUri(part.image_url.url) ? PICTURE : part,
  );
  return { ...message, content: parts };
}
