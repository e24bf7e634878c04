import * as v from "valibot";
import type { MessageRecord } from "../../../durable-objects/session/session.ts";
import type { ListedSession } from "../../domain/session/listed-session.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { expiresAtMs, type Session, type SessionTerms } from "../../domain/session/session.ts";
import { count, name, time, wholeNumber } from "../field.ts";
import { ChatNeurogate, ChatOutputBody } from "../openai/chat-reply.ts";
import { modelName } from "../openai/drop-in.ts";
import { metadata } from "./content.ts";
import { strictObject } from "../object-input.ts";

// Chat sessions on the wire. A message is a chat of OpenAI's with the new messages alone.

const MIN_TTL_S = 60;
const MAX_TTL_S = 30 * 86_400;
const DEFAULT_TTL_S = 3600;

const MAX_TURNS = 200;
const DEFAULT_TURNS = 20;

const MAX_SYSTEM_CHARS = 65_536;

export const SessionInput = strictObject({
  model: v.pipe(modelName, v.description("For messages that name none; `auto` is one too.")),
  system: v.nullish(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(MAX_SYSTEM_CHARS),
      v.description("The system message, before the history of every message."),
    ),
    null,
  ),
  user_id: v.nullish(
    name("The person that the session is for; every call of it names them."),
    null,
  ),
  ttl_s: v.nullish(
    wholeNumber(MIN_TTL_S, MAX_TTL_S, "It ends so many seconds after its last message."),
    DEFAULT_TTL_S,
  ),
  max_turns: v.nullish(
    wholeNumber(1, MAX_TURNS, "The most earlier turns that are kept and sent with a message."),
    DEFAULT_TURNS,
  ),
  metadata: v.nullish(metadata, {}),
});

export const toTerms = (
  body: v.InferOutput<typeof SessionInput>,
  context: string | null,
): SessionTerms => ({
  system: body.system,
  model: body.model,
  userId: body.user_id,
  ttlS: body.ttl_s,
  maxTurns: body.max_turns,
  metadata: body.metadata,
  context,
});

const facts = {
  id: name("`ses_` and a ULID."),
  model: v.string(),
  user_id: v.nullable(v.string()),
  created_at: time("When it was made."),
};

const state = {
  ...facts,
  ttl_s: count("Seconds from its last message to its end."),
  max_turns: count("The most earlier turns that are kept."),
  turns: count("Turns that are kept now."),
  in_line: count("Messages that are being answered, or wait for it."),
  last_message_at: v.nullable(time("When the last message was answered; null: none was.")),
  expires_at: time("When it ends, if no message is answered before."),
};

export const SessionOutput = v.object({
  ...state,
  object: v.literal("session"),
  system: v.nullable(v.string()),
  metadata: v.record(v.string(), v.string()),
  context: v.pipe(
    v.nullable(v.string()),
    v.description(
      "The label of messages that bring none: `x-neurogate-context` of the request that began the session.",
    ),
  ),
});

/** What the platform sees of a session: nothing that the tenant or its people wrote. */
export const SessionStateOutput = v.object({ ...state, object: v.literal("session_state") });

interface SessionNow {
  readonly session: Session;
  readonly turns: number;
  readonly inLine: number;
}

const toState = ({ session, turns, inLine }: SessionNow) => ({
  id: session.id,
  model: session.model,
  user_id: session.userId,
  ttl_s: session.ttlS,
  max_turns: session.maxTurns,
  turns,
  in_line: inLine,
  created_at: isoTime(session.createdAtMs),
  last_message_at: session.lastMessageAtMs === null ? null : isoTime(session.lastMessageAtMs),
  expires_at: isoTime(expiresAtMs(session)),
});

export const toSession = (now: SessionNow) => ({
  ...toState(now),
  object: "session" as const,
  system: now.session.system,
  metadata: now.session.metadata,
  context: now.session.context,
});

export const toSessionState = (now: SessionNow) => ({
  ...toState(now),
  object: "session_state" as const,
});

export const ListedSessionOutput = v.object({
  ...facts,
  object: v.literal("listed_session"),
  key_id: v.nullable(
    v.pipe(
      v.string(),
      v.description("The key that made it; of a key that was rotated, the first one."),
    ),
  ),
});

export const toListedSession = (session: ListedSession) => ({
  id: session.id,
  object: "listed_session" as const,
  model: session.model,
  user_id: session.userId,
  key_id: session.lineage,
  created_at: isoTime(session.createdAtMs),
});

const ToolCall = v.object({
  id: v.string(),
  type: v.literal("function"),
  function: v.object({ name: v.string(), arguments: v.string() }),
});

export const SessionMessageOutput = v.object({
  object: v.literal("session_message"),
  position: count("Its place in the session, counted from 1."),
  turn: count("The turn that it belongs to, counted from 1."),
  role: v.picklist(["system", "user", "assistant", "tool"]),
  content: v.pipe(v.unknown(), v.description("A text, a list of parts, or null.")),
  name: v.exactOptional(v.string()),
  tool_calls: v.exactOptional(v.array(ToolCall)),
  tool_call_id: v.exactOptional(v.string()),
  journal_line_id: v.pipe(v.string(), v.description("The call in which it came.")),
  created_at: time("When its answer was complete."),
});

/** @throws when what is stored is no message: a bug */
export const toSessionMessage = ({
  position,
  turn,
  callId,
  message,
  createdAtMs,
}: MessageRecord): v.InferOutput<typeof SessionMessageOutput> =>
  v.parse(SessionMessageOutput, {
    ...message,
    object: "session_message",
    position,
    turn,
    journal_line_id: callId,
    created_at: isoTime(createdAtMs),
  });

/** What a reply says of the session, beside the chat's own. */
export const SessionNote = v.object({
  id: v.string(),
  kept: v.pipe(
    v.boolean(),
    v.description(
      "False where the guard withheld it, or a tool call was cut off: then the history is as it was.",
    ),
  ),
  turns_sent: count("Earlier turns that the model has read."),
  turns_left_out: count("Earlier turns that did not fit its window."),
});
export type SessionNote = v.InferOutput<typeof SessionNote>;

export const SessionChatOutput = v.object({
  ...ChatOutputBody.entries,
  neurogate: v.object({ ...ChatNeurogate.entries, session: SessionNote }),
});
