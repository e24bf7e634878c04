import { UNGUARDED } from "../domain/moderation/guard.ts";
import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import { chatRequest } from "../generation/chat-request.ts";
import { generationIn, renderedJson } from "../generation/generation-call.ts";
import { streamCall } from "../generation/stream-call.ts";
import { defineRoute } from "../http/route.ts";
import { mended } from "../api/drop-in-body.ts";
import { personOf } from "../api/openai/drop-in.ts";
import type { ChatHead } from "../api/openai/chat-reply.ts";
import {
  type CompletionBody,
  completionChunks,
  completionId,
  completionLogprobsFailure,
  CompletionInput,
  CompletionOutput,
  completionParameters,
  completionRefused,
  promptOf,
  refusedOf,
  toCompletion,
  tooManyAnswers,
} from "../api/openai/completion.ts";
import { toPlanNotes } from "../api/plan-notes.ts";
import { withExactSeed } from "../api/seed.ts";
import { streamReply } from "./chat.ts";
import {
  callerOf,
  GENERATED,
  generate,
  generationDeps,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import { textsIn } from "../edge/token-texts.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";

export const createCompletion = defineRoute({
  method: "POST",
  path: "/v1/completions",
  summary: "OpenAI's older completions endpoint: texts in, texts out",
  description:
    "Each prompt is asked as a chat of one message, so that the answer is one and no continuation. A list of prompts is one call: one hold, one line, usage of all. With `stream: true` the reply is `text/event-stream`. The tenant's policy says whether it is guarded.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/completions" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: CompletionInput,
    limitBytes: MAX_BODY_BYTES,
    mend: mended,
    refuse: completionRefused,
  },
  reply: { status: 200, schema: CompletionOutput },
  failures: GENERATED,
  handle: async (call) => {
    const startedMs = Date.now();
    const { body, requestId, config } = call;
    const refused = refusedOf(body) ?? tooManyAnswers(body) ?? completionLogprobsFailure(body);
    if (refused !== null) return refused;
    const read = await callerOf(call, "POST /v1/completions", personOf(body));
    if (read.kind !== "read") return read;
    const seeded = withExactSeed(completionParameters(body), body.seed, call.rawBody);
    if (seeded.kind !== "read") return seeded;
    const prompt = await textsIn("prompt", body.prompt, call.env.ASSETS);
    if (prompt.kind !== "texts") return prompt;
    const [messages = [], ...others] = prompt.texts.map(promptOf);
    // No pictures can be named, so no host is looked up.
    const prepared = chatRequest(
      {
        messages,
        others,
        parameters: seeded.parameters,
        maxTokens: body.max_tokens,
        choices: body.n,
        guard: { tenantId: call.caller.tenant, policyName: null, modes: UNGUARDED },
      },
      null,
    );
    if (prepared.kind !== "read") return prepared;
    const request = { ...read.who, ...prepared.request, model: body.model };
    if (body.stream) {
      const render = renderChunks(body, requestId);
      const stream = streamCall(generationDeps(call), { ...request, render });
      const streamed = await toItsEnd(call.ctx, stream);
      if (streamed.kind !== "streamed") return streamed;
      call.ctx.waitUntil(streamed.ended);
      return streamReply(streamed, config, { startedMs, taken: {} });
    }
    const generation = await generate(call, {
      ...request,
      render: ({ answers, item, items, hold }) => {
        const outputs = answers.map(({ output }) => output);
        const head = headOf({ hold, model: item.pricedAs });
        return renderedJson(toCompletion(outputs, head, { items, requestId }));
      },
    });
    return generation.kind === "generated"
      ? openAiReply(generation, config, startedMs)
      : generation;
  },
});

const headOf = ({ hold, model }: Pick<StreamHead, "hold" | "model">): ChatHead => ({
  id: completionId(hold.callId),
  created: Math.floor(hold.admittedAtMs / 1000),
  model,
  notes: toPlanNotes(generationIn(hold)),
});

const renderChunks =
  (body: CompletionBody, requestId: string) =>
  (head: StreamHead): ((event: CallEvent) => string) => {
    const usage = body.stream_options?.include_usage === true ? "null_until_last" : "none";
    const chunks = completionChunks(headOf(head), { usage, requestId });
    return (event) => {
      if (event.kind === "choice") return chunks.piece(event.index, event.event);
      return event.complete ? chunks.ended(event.items, null) : chunks.cut();
    };
  };
