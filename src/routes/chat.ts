import type { Config } from "../config.ts";
import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import type { GuardResults } from "../generation/chat-guard.ts";
import { chatRequest } from "../generation/chat-request.ts";
import { generationCall, generationIn, renderedJson } from "../generation/generation-call.ts";
import { type Streamed, streamCall } from "../generation/stream-call.ts";
import { type Raw, raw } from "../http/call.ts";
import { openAiRateHeaders } from "../http/rate-headers.ts";
import { defineRoute } from "../http/route.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import { personOf } from "../api/openai/drop-in.ts";
import {
  type ChatBody,
  ChatInput,
  maxTokensOf,
  parametersOf,
  refusedIn,
  takenHeaders,
} from "../api/openai/chat.ts";
import { toPlanNotes } from "../api/plan-notes.ts";
import { chatChunks } from "../api/openai/chat-chunks.ts";
import { requestedModes, toModeration } from "../api/openai/chat-moderation.ts";
import { withExactSeed } from "../api/seed.ts";
import { toMessages } from "../api/openai/chat-messages.ts";
import {
  type ChatHead,
  chatId,
  ChatOutputBody,
  toChatCompletion,
} from "../api/openai/chat-reply.ts";
import {
  callerOf,
  compacts,
  generationDeps,
  GENERATED,
  generationHeaders,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import type { MeasuredCall, CallOrigin, Misread } from "./measured-call.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { mendedChat } from "../api/drop-in-body.ts";

export const createChatCompletion = defineRoute({
  method: "POST",
  path: "/v1/chat/completions",
  summary: "OpenAI's chat completions endpoint",
  description:
    "A drop-in for the official clients. With `stream: true` the reply is `text/event-stream`.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/chat/completions" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: ChatInput, limitBytes: MAX_BODY_BYTES, mend: mendedChat },
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
      const render = renderChunks(body, requestId);
      const streamed = await toItsEnd(call.ctx, streamCall(deps, { ...request, render }));
      if (streamed.kind !== "streamed") return streamed;
      call.ctx.waitUntil(streamed.ended);
      return streamReply(streamed, call.config, { startedMs, taken: takenHeaders(body) });
    }
    const generation = await toItsEnd(
      call.ctx,
      generationCall(deps, {
        ...request,
        render: ({ answers, item, items, guard, hold }) => {
          const head = chatHead({ hold, model: item.pricedAs });
          const outputs = answers.map(({ output }) => output);
          const moderation = moderationOf(guard, body);
          return renderedJson(toChatCompletion(outputs, head, { items, moderation, requestId }));
        },
      }),
    );
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

/** @param json the request as it was sent; null: nothing is asked of an engine */
function chatOf(
  body: ChatBody,
  by: CallOrigin,
  json: Uint8Array | null,
): ReturnType<typeof chatRequest> {
  const seeded = withExactSeed(parametersOf(body), body.seed, json);
  if (seeded.kind !== "read") return seeded;
  return chatRequest(
    {
      messages: toMessages(body.messages),
      parameters: seeded.parameters,
      maxTokens: maxTokensOf(body),
      choices: body.n,
      guard: {
        tenantId: by.caller.tenant,
        policyName: body.neurogate?.policy ?? null,
        modes: requestedModes(body.moderation),
      },
      compact: compacts(by.request),
    },
    resolveOverHttps((...request) => fetch(...request)),
  );
}

/** Null where nobody asked for a guard. */
const moderationOf = (guard: GuardResults | null, { moderation }: ChatBody) =>
  guard === null ? null : toModeration(guard, moderation?.model ?? null);

const chatHead = ({ hold, model }: Pick<StreamHead, "hold" | "model">): ChatHead => ({
  id: chatId(hold.callId),
  created: Math.floor(hold.admittedAtMs / 1000),
  model,
  notes: toPlanNotes(generationIn(hold)),
});

const renderChunks =
  (body: ChatBody, requestId: string) =>
  (head: StreamHead): ((event: CallEvent) => string) => {
    const usage = body.stream_options?.include_usage === true ? "null_until_last" : "none";
    const chunks = chatChunks(chatHead(head), { usage, requestId });
    return (event) => {
      if (event.kind === "choice") return chunks.piece(event.index, event.event);
      if (!event.complete) return chunks.cut();
      return chunks.ended(event.items, moderationOf(event.guard ?? null, body));
    };
  };

/** What it will cost is not known yet: the header has what is held. */
export function streamReply(
  { body, hold, stage, standing, ended }: Streamed,
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
