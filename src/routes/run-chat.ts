import { UNGUARDED } from "../domain/moderation/guard.ts";
import type { Hold } from "../domain/ledger/ledger.ts";
import { speaksChat } from "../engines/language-models.ts";
import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import { chatRequest } from "../generation/chat-request.ts";
import { generationIn, renderedJson } from "../generation/generation-call.ts";
import { streamCall } from "../generation/stream-call.ts";
import { raw } from "../http/reply.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import { toNeurogate } from "../api/openai/drop-in.ts";
import { chatChunks } from "../api/openai/chat-chunks.ts";
import { toModeration } from "../api/openai/chat-moderation.ts";
import { type ChatHead, chatId, toChatCompletion, wholeItem } from "../api/openai/chat-reply.ts";
import { toPlanNotes } from "../api/plan-notes.ts";
import { envelope } from "../api/workers-ai/envelope.ts";
import { type ChatRun, readChat } from "../api/workers-ai/chat.ts";
import { responseChunks, toResponse } from "../api/workers-ai/chat-reply.ts";
import {
  generate,
  generationDeps,
  generationHeaders,
  renderedReply,
} from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import type { RunCall, RunTask } from "./run-task.ts";

/** Text generation: the answer is in the shape of the model that was asked for, old or new. */
export const chatTask: RunTask = async (run) => {
  const task = readChat(run.body);
  if (task.kind !== "task") return task;
  const { messages, parameters, maxTokens } = task;
  const resolve = resolveOverHttps((...request) => fetch(...request));
  // This surface has no field to ask for a guard: the tenant's policy decides.
  const guard = { tenantId: run.call.caller.tenant, policyName: null, modes: UNGUARDED };
  const chat = chatRequest({ messages, parameters, maxTokens, choices: 1, guard }, resolve);
  if (chat.kind !== "read") return chat;
  const request = { ...run.who, ...chat.request, model: run.model };
  return task.stream ? streamed(run, task, request) : whole(run, task, request);
};

type Request = RunCall["who"] &
  Extract<ReturnType<typeof chatRequest>, { kind: "read" }>["request"] & { readonly model: string };

async function whole(
  { call }: RunCall,
  { asJson, taken }: ChatRun,
  request: Request,
): ReturnType<RunTask> {
  const { requestId, config } = call;
  const generation = await generate(call, {
    ...request,
    render: ({ answers: [answer], items, guard, hold, stage }) => {
      if (answer === undefined) throw new Error("an answer is missing");
      const { output } = answer;
      const item = wholeItem(items);
      const moderation = guard === null ? null : toModeration(guard, null);
      const head = chatHead(hold, item.pricedAs);
      const result = speaksChat(stage.model)
        ? toChatCompletion([output], head, { items, moderation, requestId })
        : toResponse(output, item, { asJson, moderation });
      return renderedJson(envelope(result, toNeurogate(item, requestId)));
    },
  });
  return generation.kind === "generated" ? renderedReply(generation, config, taken) : generation;
}

const chatHead = (hold: Hold, model: string): ChatHead => ({
  id: chatId(hold.callId),
  created: Math.floor(hold.admittedAtMs / 1000),
  model,
  notes: toPlanNotes(generationIn(hold)),
});

/** What it will cost is not known yet: the header has what is held. */
async function streamed(
  { call }: RunCall,
  { taken }: ChatRun,
  request: Request,
): ReturnType<RunTask> {
  const render = renderChunks(call.requestId);
  const stream = streamCall(generationDeps(call), { ...request, render });
  const opened = await toItsEnd(call.ctx, stream);
  if (opened.kind !== "streamed") return opened;
  call.ctx.waitUntil(opened.ended);
  const { hold, stage, standing } = opened;
  const { maxTokens, clamped } = stage;
  const made = { microNeurons: hold.held, standing, replayed: false, maxTokens, clamped };
  const headers = {
    "Content-Type": "text/event-stream; charset=utf-8",
    ...generationHeaders(made, call.config),
    ...taken,
  };
  return raw(new Response(opened.body, { headers }), opened.ended);
}

const renderChunks =
  (requestId: string) =>
  ({ hold, stage, model }: StreamHead): ((event: CallEvent) => string) => {
    const chunks = speaksChat(stage.model)
      ? chatChunks(chatHead(hold, model), { usage: "last_only", requestId })
      : responseChunks(requestId);
    return (event) => {
      if (event.kind === "choice") return chunks.piece(event.index, event.event);
      if (!event.complete) return chunks.cut();
      const { items, guard } = event;
      return chunks.ended(items, guard === undefined ? null : toModeration(guard, null));
    };
  };
