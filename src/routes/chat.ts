import { chatRequest } from "../generation/chat-request.ts";
import { generationCall, renderedJson } from "../generation/generation-call.ts";
import { defineRoute } from "../http/route.ts";
import { resolveOverHttps } from "../moderation/resolve-host.ts";
import { personOf } from "../wire/openai.ts";
import {
  type ChatBody,
  ChatInput,
  maxTokensOf,
  parametersOf,
  refusedIn,
} from "../wire/openai-chat.ts";
import { toMessages } from "../wire/openai-chat-messages.ts";
import { chatId, ChatOutputBody, toChatCompletion } from "../wire/openai-chat-reply.ts";
import {
  callerOf,
  generationDeps,
  GENERATED,
  MAX_BODY_BYTES,
  openAiReply,
} from "./generation-deps.ts";
import { toItsEnd } from "./moderation-deps.ts";

export const createChatCompletion = defineRoute({
  method: "POST",
  path: "/v1/chat/completions",
  summary: "OpenAI's chat completions endpoint",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  body: { schema: ChatInput, limitBytes: MAX_BODY_BYTES },
  reply: { status: 200, schema: ChatOutputBody },
  failures: GENERATED,
  handle: async (call) => {
    const startedMs = Date.now();
    const refused = refusedIn(call.body);
    if (refused !== null) return refused;
    if (call.body.stream) return NOT_STREAMED;
    const read = await callerOf(call, "POST /v1/chat/completions", personOf(call.body));
    if (read.kind !== "read") return read;
    const asked = chatOf(call.body);
    if (asked.kind !== "read") return asked;
    const generation = await toItsEnd(
      call.ctx,
      generationCall(generationDeps(call), {
        ...read.who,
        ...asked.request,
        model: call.body.model,
        render: ({ answers, item, hold }) => {
          const created = Math.floor(hold.admittedAtMs / 1000);
          const head = { id: chatId(hold.callId), created, model: item.pricedAs };
          const outputs = answers.map(({ output }) => output);
          return renderedJson(toChatCompletion(outputs, head, { item, requestId: call.requestId }));
        },
      }),
    );
    return generation.kind === "generated"
      ? openAiReply(generation, call.config, startedMs)
      : generation;
  },
});

const chatOf = (body: ChatBody): ReturnType<typeof chatRequest> =>
  chatRequest(
    {
      messages: toMessages(body.messages),
      parameters: parametersOf(body),
      maxTokens: maxTokensOf(body),
      choices: body.n,
    },
    resolveOverHttps((...request) => fetch(...request)),
  );

const NOT_STREAMED = {
  kind: "unsupported_parameter",
  parameter: "stream",
  detail: "stream: chats are not streamed yet.",
} as const;
