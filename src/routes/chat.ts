import type { Config } from "../config.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { type Streamed, streamCall } from "../generation/stream-call.ts";
import { type Raw, raw } from "../http/reply.ts";
import { openAiRateHeaders } from "../http/rate-headers.ts";
import { defineRoute } from "../http/route.ts";
import { personOf } from "../api/openai/drop-in.ts";
import { type ChatBody, ChatInput, refusedIn, takenHeaders } from "../api/openai/chat.ts";
import { ChatOutputBody, toChatCompletion } from "../api/openai/chat-reply.ts";
import { askedChat, chatHead, moderationOf, renderChunks, requestOf } from "../edge/chat-call.ts";
import {
  callerOf,
  generationDeps,
  GENERATED,
  generate,
  generationHeaders,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import type { MeasuredCall, CallOrigin, Misread } from "./measured-call.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { chatFormRefused, mendedChat } from "../api/drop-in-body.ts";

export const createChatCompletion = defineRoute({
  method: "POST",
  path: "/v1/chat/completions",
  summary: "OpenAI's chat completions endpoint",
  description:
    "A drop-in for the official clients. With `stream: true` the reply is `text/event-stream`.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/chat/completions" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: ChatInput,
    limitBytes: MAX_BODY_BYTES,
    mend: mendedChat,
    refuse: chatFormRefused,
  },
  reply: { status: 200, schema: ChatOutputBody },
  failures: GENERATED,
  handle: async (call) => {
    const startedMs = Date.now();
    const { body, requestId } = call;
    const refused = refusedIn(body);
    if (refused !== null) return refused;
    const read = await callerOf(call, "POST /v1/chat/completions", personOf(body));
    if (read.kind !== "read") return read;
    const prepared = chatOf(body, call, call.rawBody);
    if (prepared.kind !== "read") return prepared;
    const request = { ...read.who, ...prepared.request, model: body.model };
    const deps = generationDeps(call);
    if (body.stream) {
      const render = renderChunks(prepared.chat, requestId);
      const streamed = await toItsEnd(call.ctx, streamCall(deps, { ...request, render }));
      if (streamed.kind !== "streamed") return streamed;
      call.ctx.waitUntil(streamed.ended);
      return streamReply(streamed, call.config, { startedMs, taken: takenHeaders(body) });
    }
    const generation = await generate(call, {
      ...request,
      render: ({ answers, item, items, guard, hold }) => {
        const head = chatHead({ hold, model: item.pricedAs });
        const outputs = answers.map(({ output }) => output);
        const moderation = moderationOf(guard, prepared.chat);
        return renderedJson(toChatCompletion(outputs, head, { items, moderation, requestId }));
      },
    });
    return generation.kind === "generated"
      ? openAiReply(generation, call.config, startedMs, takenHeaders(body))
      : generation;
  },
});

/** What is planned and priced, for a quote too. */
export function measureChatCall(body: ChatBody, by: CallOrigin): MeasuredCall | Misread {
  const prepared = refusedIn(body) ?? chatOf(body, by, null);
  if (prepared.kind !== "read") return prepared;
  const { measured, guard } = prepared.request;
  return { kind: "generation", model: body.model, measured, guard: guard.ask };
}

function chatOf(body: ChatBody, { request, caller }: CallOrigin, json: Uint8Array | null) {
  const asked = askedChat(body, request, json);
  if (asked.kind !== "asked") return asked;
  const read = requestOf(asked.chat, caller.tenant);
  return read.kind === "read" ? { ...read, chat: asked.chat } : read;
}

/** What it will cost is not known yet: the header has what is held. */
export function streamReply(
  {
    body,
    hold,
    stage,
    standing,
    ended,
  }: Omit<Streamed, "kind" | "model" | "ended"> & Partial<Pick<Streamed, "ended">>,
  config: Config,
  { startedMs, taken }: { readonly startedMs: number; readonly taken: Record<string, string> },
): Raw {
  const { maxTokens, clamped } = stage;
  const made = { microNeurons: hold.held, standing, replayed: false, maxTokens, clamped };
  return raw(
    new Response(body, {
      headers: {
        "Content-Type": "text/event-stream; charset=utf-8",
        ...generationHeaders(made, config),
        ...taken,
        ...(standing !== null && openAiRateHeaders(standing.rates, standing.nowMs)),
        "openai-processing-ms": String(Date.now() - startedMs),
      },
    }),
    ended,
  );
}
