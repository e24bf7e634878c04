import type { Answer, Conversation } from "../../durable-objects/session/session.ts";
import { readConfig } from "../config.ts";
import {
  continuesTurn,
  openToolCalls,
  turnTooLong,
  unanswered,
} from "../domain/session/history.ts";
import { isWholeObject } from "../domain/text/json-text.ts";
import type { ChatMessage, ChatOutput, ToolCall } from "../engines/inference.ts";
import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import {
  generationCall,
  type GenerationDeps,
  type PrepareFailure,
  renderedJson,
} from "../generation/generation-call.ts";
import { streamCall } from "../generation/stream-call.ts";
import { toChatCompletion } from "../api/openai/chat-reply.ts";
import type { SessionNote } from "../api/native/session.ts";
import { chatHead, moderationOf, renderChunks, requestOf } from "../edge/chat-call.ts";
import { generationDeps } from "../edge/generation-deps.ts";
import type { SessionMessage, SessionReply } from "../edge/session-object.ts";
import { UNAVAILABLE } from "../edge/bindings.ts";
import { GatheredAnswer } from "./gathered-answer.ts";
import { type SentHistory, sentHistory } from "./sent-history.ts";

// Answers one message of a chat session, within the session's object: the same governed call as a chat's,
// with the history before the new messages. What was said is kept once the answer is complete and before the
// call is settled, so a call that failed leaves no trace in the history, and one that was paid does.

/**
 * UTF-16 units of a message's JSON. A row takes 2 MB. A request has 1 MB, and the arguments of a tool, which
 * are JSON in a text of JSON, grow less than twofold.
 */
const MAX_MESSAGE_CHARS = 1_500_000;

interface Answered {
  readonly reply: SessionReply;
  readonly ended: Promise<void>;
}

export const answerMessage: Answer = async (sent, conversation): Promise<Answered> => {
  const asked = sent as SessionMessage;
  const { env, session, waitUntil } = conversation;
  const read = readConfig(env);
  if (read.kind !== "ready") return complete(UNAVAILABLE);
  if (asked.person !== null && asked.person !== session.userId) return complete(OTHER_PERSON);
  if (asked.chat.messages.some(isTooLong)) return complete(TOO_LONG);
  const history = sentHistory(conversation, asked);
  const messages = [...history.messages, ...asked.chat.messages];
  const chat = requestOf({ ...asked.chat, messages }, asked.tenant);
  const before = history.messages.length;
  if (chat.kind !== "read") return complete(asSent(chat, before));
  const { prepare } = chat.request;
  const prepared = async (signal: AbortSignal) => {
    const failure = await prepare(signal);
    return failure === null ? null : asSent(failure, before);
  };
  const call: Call = {
    asked,
    conversation,
    deps: generationDeps({
      config: read.config,
      env,
      ctx: { waitUntil },
      caller: { tenant: asked.tenant },
    }),
    request: {
      ...asked.who,
      ...chat.request,
      userId: session.userId,
      sessionId: session.id,
      context: asked.who.context ?? session.context,
      model: asked.model,
      // After the admission, which knows a repeat: its history has moved on.
      prepare: async (signal) =>
        wrongCalls(history, asked) ?? wrongLength(conversation, asked) ?? (await prepared(signal)),
    },
    note: {
      id: session.id,
      kept: false,
      turns_sent: history.turns,
      turns_left_out: history.leftOut,
    },
  };
  return asked.stream ? streamed(call) : whole(call);
};

interface Call {
  readonly asked: SessionMessage;
  readonly conversation: Conversation;
  readonly deps: GenerationDeps;
  readonly request: SessionMessage["who"] &
    Extract<ReturnType<typeof requestOf>, { kind: "read" }>["request"] & {
      readonly sessionId: string;
      readonly model: string;
    };
  readonly note: SessionNote;
}

async function whole({ asked, conversation, deps, request, note }: Call): Promise<Answered> {
  const { chat, who } = asked;
  const generation = await generationCall(deps, {
    ...request,
    render: ({ answers, item, items, guard, hold }) => {
      const head = chatHead({ hold, model: item.pricedAs });
      const outputs = answers.map(({ output }) => output);
      const moderation = moderationOf(guard, chat);
      const kept = keep(conversation, asked, outputs[0] ?? null);
      const notes = { ...head.notes, session: { ...note, kept } };
      const made = { items, moderation, requestId: who.requestId };
      return renderedJson(toChatCompletion(outputs, { ...head, notes }, made));
    },
  });
  return complete(generation.kind === "generated" ? { kind: "answered", generation } : generation);
}

async function streamed(call: Call): Promise<Answered> {
  const { asked, conversation, deps, request } = call;
  const note = { ...call.note };
  const render = (head: StreamHead): ((event: CallEvent) => string) => {
    const gathered = new GatheredAnswer();
    const text = renderChunks(asked.chat, asked.who.requestId, { session: note })(head);
    return (event) => {
      if (event.kind === "choice") {
        if (event.index === 0) gathered.add(event.event);
      } else if (event.complete) {
        note.kept = keep(conversation, asked, gathered.output());
      }
      return text(event);
    };
  };
  const opened = await streamCall(deps, { ...request, render });
  if (opened.kind !== "streamed") return complete(opened);
  const { kind: _, ended, ...stream } = opened;
  return { reply: { kind: "streaming", stream }, ended };
}

/**
 * The first answer is the session's. One that was withheld is not kept, nor is one with a tool call that was
 * cut off: engines refuse a history with half of one. Nor is then what it answers.
 */
function keep(
  { keep: store }: Conversation,
  { who, chat }: SessionMessage,
  output: ChatOutput | null,
): boolean {
  if (output === null || output.finishReason === "content_filter") return false;
  const toolCalls = output.toolCalls.map(withArguments);
  if (!toolCalls.every((call) => isWholeObject(call.function.arguments))) return false;
  const answer: ChatMessage = {
    role: "assistant",
    content: output.content,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  };
  if (isTooLong(answer)) return false;
  return store(
    who.callId,
    [...chat.messages, answer].map((message) => ({ ...message })),
  );
}

/** Models write nothing for a tool without parameters, and engines want an object. */
const withArguments = (call: ToolCall): ToolCall =>
  call.function.arguments.trim() === ""
    ? { ...call, function: { ...call.function, arguments: "{}" } }
    : call;

/** Whether the new messages bring the results that the last answer waits for, and no others. */
function wrongCalls(
  history: SentHistory,
  { chat }: Pick<SessionMessage, "chat">,
): PrepareFailure | null {
  const before = openToolCalls(history.messages);
  const after = openToolCalls(chat.messages, before.kind === "open" ? before.ids : []);
  if (after.kind === "wrong") return wrong(["messages", after.at], after.detail);
  return after.ids.length === 0 ? null : wrong(["messages"], unanswered(after.ids));
}

/** Whether the results of tools make their turn too long. */
function wrongLength(
  { messages: kept }: Pick<Conversation, "messages">,
  { chat }: Pick<SessionMessage, "chat">,
): PrepareFailure | null {
  if (!continuesTurn(chat.messages)) return null;
  const last = kept.at(-1)?.turn;
  const turn = kept.filter((record) => record.turn === last).map(({ message }) => message);
  const detail = turnTooLong(turn, chat.messages);
  return detail === null ? null : wrong(["messages"], detail);
}

/** @param before messages before the new ones: a caller knows the place of a message in its own body alone */
function asSent(failure: PrepareFailure, before: number): PrepareFailure {
  const errors = failure.errors.map(({ path, detail }) => {
    const [name, at, ...rest] = path;
    if (name !== "messages" || typeof at !== "number") return { path, detail };
    return { path: at < before ? [name] : [name, at - before, ...rest], detail };
  });
  return { ...failure, errors };
}

const wrong = (path: readonly (string | number)[], detail: string): PrepareFailure => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

const OTHER_PERSON = wrong(["user"], "must be the session's user_id, or absent");

const TOO_LONG = {
  kind: "over_limit",
  detail: `A message of a session has at most ${MAX_MESSAGE_CHARS} characters of JSON.`,
} as const;

const isTooLong = (message: ChatMessage): boolean =>
  JSON.stringify(message).length > MAX_MESSAGE_CHARS;

/** A reply after which nothing of the call runs any more. */
const complete = (reply: SessionReply): Answered => ({ reply, ended: Promise.resolve() });
