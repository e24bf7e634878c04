import type { Conversation } from "../../durable-objects/session/session.ts";
import { estimateInputTokens } from "../domain/generation/token-bound.ts";
import { continuesTurn, lastTurns } from "../domain/session/history.ts";
import type { ChatMessage } from "../engines/inference.ts";
import { measureChat } from "../generation/measure-chat.ts";
import type { SessionMessage } from "../edge/session-object.ts";

// The part of a session's history that is sent with a message.

interface Turn {
  readonly messages: readonly ChatMessage[];
  /** Of its text, at most. */
  readonly tokens: number;
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
  const own = measureChat([...system, ...chat.messages], chat.parameters).textTokens;
  const maxTokens = chat.maxTokens ?? defaultMaxTokens;
  const fits = (kept: readonly Turn[]): boolean => {
    const text = kept.reduce((total, { tokens }) => total + tokens, own);
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
    messages.push(message as unknown as ChatMessage);
    byTurn.set(turn, messages);
  }
  return [...byTurn.values()].map((messages) => ({
    messages,
    tokens: measureChat(messages, {}).textTokens,
  }));
}
