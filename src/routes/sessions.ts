import * as v from "valibot";

import { idempotencyOf } from "../http/call-labels.ts";
import { acted, ok } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute, type Route } from "../http/route.ts";
import { list, listById, listOf, pageAfterId, pageQuery, parseIndex } from "../api/field.ts";
import {
  ListedSessionOutput,
  SessionChatOutput,
  SessionInput,
  SessionMessageOutput,
  SessionOutput,
  SessionStateOutput,
  toListedSession,
  toSession,
  toSessionMessage,
  toSessionState,
  toTerms,
} from "../api/native/session.ts";
import { chatFormRefused, mendedChat } from "../api/drop-in-body.ts";
import { refusedIn, SessionChatInput, takenHeaders } from "../api/openai/chat.ts";
import { personOf } from "../api/openai/drop-in.ts";
import { askedChat } from "../edge/chat-call.ts";
import { callerOf, openAiReply } from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import {
  callSession,
  SESSION_CREATE,
  SESSION_MESSAGE,
  type SessionObject,
} from "../edge/session-object.ts";
import {
  objectCaller,
  readTenant,
  TENANT_READ,
  UNAVAILABLE,
  writeTenant,
} from "../edge/bindings.ts";
import { streamReply } from "./chat.ts";
import { TENANT_PARAMS } from "./tenants.ts";

// Chat sessions: conversations that the gateway keeps. The tenant's object knows which there are and who may
// use them; each is an object of its own, which answers its messages.

const ROLES = { kind: "key", roles: ["call"] } as const;

const ID = v.strictObject({ id: v.pipe(v.string(), v.description("`ses_` and a ULID.")) });

const MAX_SESSION_BYTES = 512 * 1024;

/** With what is kept before it, a message is a chat of at most 2 MB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

const MESSAGE_ROUTE = "POST /v1/sessions/{id}/messages";

/** What a session's object says of it, if the caller may use the session. */
async function readSession<Result>(
  call: Parameters<typeof readTenant>[0] & { readonly params: { readonly id: string } },
  read: (session: SessionObject) => Promise<Result>,
) {
  const { id } = call.params;
  const opened = await readTenant(call, (tenant, caller) =>
    tenant.openSession(caller, { id, model: null }),
  );
  if (opened.kind !== "opened") return opened;
  return callSession(call.env, { tenant: call.caller.tenant, id, repeats: true }, read);
}

const createSession = defineRoute({
  method: "POST",
  path: "/v1/sessions",
  summary: "Begin a chat session",
  description:
    "The gateway keeps what is said in it, so each message brings only what is new. What is kept goes `ttl_s` after the last message, with the person, or when the session is deleted.",
  surface: "native",
  startsCalls: true,
  auth: ROLES,
  body: { schema: SessionInput, limitBytes: MAX_SESSION_BYTES },
  reply: { status: 200, schema: SessionOutput },
  failures: SESSION_CREATE,
  handle: async (call) => {
    const read = await idempotencyOf(call);
    if (read.kind !== "read") return read;
    const { requestId } = call;
    const { tenant } = call.caller;
    const asked = { requestId, tenant, caller: objectCaller(call.caller) };
    const terms = toTerms(call.body, call.context);
    const begin = (id: string) =>
      callSession(call.env, { tenant, id, repeats: true }, (session) =>
        session.create({ ...asked, id, terms, idempotency: read.idempotency }),
      );
    const made = await begin(newId("ses"));
    if (made.kind === "session") return ok(toSession(made));
    if (made.kind !== "begun_before") return made;
    // Its request may have been cut off, or still be in progress: this one brings it to its end.
    const { id } = made;
    const before = await begin(id);
    switch (before.kind) {
      case "session":
        return ok(toSession(before), { headers: { "idempotency-replayed": "true" } });
      case "begun_before":
        return UNAVAILABLE;
      case "not_found":
        return { kind: "idempotency_replay_unavailable", subject: id };
      default:
        return before;
    }
  },
});

const listSessions = defineRoute({
  method: "GET",
  path: "/v1/sessions",
  mirror: "/admin/tenants/:tenant/sessions",
  summary: "The tenant's sessions, newest first",
  description: "Nothing of what was said in them.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfterId("ses")),
  reply: { status: 200, schema: listOf(ListedSessionOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = null, limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listSessions(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    return ok(listById(page, toListedSession));
  },
});

const getSession = defineRoute({
  method: "GET",
  path: "/v1/sessions/:id",
  summary: "A session as it is now",
  surface: "native",
  auth: ROLES,
  params: ID,
  reply: { status: 200, schema: SessionOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const read = await readSession(call, (session) => session.read());
    return read.kind === "session" ? ok(toSession(read)) : read;
  },
});

const getSessionState = defineRoute({
  method: "GET",
  path: "/admin/tenants/:tenant/sessions/:id",
  summary: "How far a tenant's session is",
  description: "Without its system message, its metadata and what was said in it.",
  surface: "native",
  auth: { kind: "platform" },
  params: v.strictObject({ ...TENANT_PARAMS.entries, ...ID.entries }),
  reply: { status: 200, schema: SessionStateOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const read = await readSession(call, (session) => session.read());
    return read.kind === "session" ? ok(toSessionState(read)) : read;
  },
});

const deleteSession = defineRoute({
  method: "DELETE",
  path: "/v1/sessions/:id",
  mirror: "/admin/tenants/:tenant/sessions/:id",
  summary: "End a session and erase what was said in it",
  description: "A message that is being answered is answered to its end, and not kept.",
  surface: "native",
  auth: ROLES,
  params: ID,
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { id } = call.params;
    const removed = await writeTenant(call, (tenant, caller) => tenant.removeSession(caller, id));
    return removed.kind === "removed" ? acted({ session: id }, ok(null)) : removed;
  },
});

const listSessionMessages = defineRoute({
  method: "GET",
  path: "/v1/sessions/:id/messages",
  summary: "What was said, the oldest first",
  description: "The turns that are kept: older ones than `max_turns` are gone.",
  surface: "native",
  auth: ROLES,
  params: ID,
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(SessionMessageOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor, limit } = call.query;
    const after = parseIndex(cursor);
    if (typeof after !== "number") return after;
    const page = await readSession(call, (session) => session.listMessages(after, limit));
    if (page.kind !== "messages") return page;
    const last = page.messages.at(-1)?.position ?? after;
    return ok(list(page.messages.map(toSessionMessage), page.more ? String(last) : null));
  },
});

const createSessionMessage = defineRoute({
  method: "POST",
  path: "/v1/sessions/:id/messages",
  summary: "A message of a session, and its answer",
  description:
    "A chat completion whose `messages` are the new ones alone, with any option of `/v1/chat/completions`. Messages of one session are answered one after the other; at most 8 at once. With `stream: true` the reply is `text/event-stream`.",
  surface: "native",
  admits: { kind: "generation", route: MESSAGE_ROUTE },
  auth: ROLES,
  params: ID,
  body: {
    schema: SessionChatInput,
    limitBytes: MAX_MESSAGE_BYTES,
    mend: mendedChat,
    refuse: chatFormRefused,
  },
  reply: { status: 200, schema: SessionChatOutput },
  failures: SESSION_MESSAGE,
  handle: async (call) => {
    const startedMs = Date.now();
    const { body, config, env } = call;
    const { id } = call.params;
    const refused = refusedIn(body);
    if (refused !== null) return refused;
    const read = await callerOf(call, MESSAGE_ROUTE, null);
    if (read.kind !== "read") return read;
    const asked = askedChat(body, call.request, call.rawBody);
    if (asked.kind !== "asked") return asked;
    const opened = await readTenant(call, (tenant, caller) =>
      tenant.openSession(caller, { id, model: body.model ?? null }),
    );
    if (opened.kind !== "opened") return opened;
    const { model, windowTokens, defaultMaxTokens } = opened;
    const { tenant } = call.caller;
    const message = {
      who: ofSession(read.who, id),
      chat: asked.chat,
      model,
      windowTokens,
      defaultMaxTokens,
      person: personOf(body),
      tenant,
      stream: body.stream,
    };
    const reply = await toItsEnd(
      call.ctx,
      callSession(env, { tenant, id, repeats: false }, (session) => session.message(message)),
    );
    const taken = takenHeaders(body);
    if (reply.kind === "streaming") return streamReply(reply.stream, config, { startedMs, taken });
    if (reply.kind !== "answered") return reply;
    return openAiReply(reply.generation, config, startedMs, taken);
  },
});

type Who = Extract<Awaited<ReturnType<typeof callerOf>>, { kind: "read" }>["who"];

/** The same key and body in another session is another request. */
const ofSession = (who: Who, id: string): Who =>
  who.idempotency === null
    ? who
    : {
        ...who,
        idempotency: { ...who.idempotency, fingerprint: `${id} ${who.idempotency.fingerprint}` },
      };

export const SESSION_ROUTES: readonly Route[] = [
  createSession,
  listSessions,
  getSession,
  getSessionState,
  deleteSession,
  createSessionMessage,
  listSessionMessages,
];
