import type { CallEvent, StreamHead } from "../generation/call-events.ts";
import { chatRequest } from "../generation/chat-request.ts";
import { generationIn, type Made, renderedJson } from "../generation/generation-call.ts";
import { keepResponse } from "../generation/keep-response.ts";
import { streamCall } from "../generation/stream-call.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import { requestedModes } from "../api/openai/chat-moderation.ts";
import { personOf } from "../api/openai/drop-in.ts";
import { toPlanNotes } from "../api/plan-notes.ts";
import { effortHeaders } from "../api/reasoning-effort.ts";
import {
  chatParameters,
  refusedBody,
  refusedIn,
  type ResponseBody,
  ResponseInput,
} from "../api/responses/body.ts";
import { ofResponse } from "../api/responses/conversation.ts";
import { responseEvents } from "../api/responses/events.ts";
import { formOfResponseRefused, mendedResponse } from "../api/responses/mended-body.ts";
import { endingOf, outputItems } from "../api/responses/output-items.ts";
import {
  begunResponse,
  endedResponse,
  type ResponseHead,
  type ResponseObject,
  ResponseOutput,
} from "../api/responses/response.ts";
import { bucketOf, tenantObject } from "../edge/bindings.ts";
import {
  callerOf,
  compacts,
  GENERATED,
  generate,
  generationDeps,
  type GenerationRouteCall,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { streamReply } from "./chat.ts";
import { readTurn, type ResponseCall, type Turn } from "./response-turn.ts";

// OpenAI's Responses API: a chat whose turns are kept, so that the next one can name them.

const ROUTE = "POST /v1/responses";

export const createResponse = defineRoute({
  method: "POST",
  path: "/v1/responses",
  summary: "OpenAI's Responses endpoint",
  description:
    "A drop-in for the official clients: text, pictures, tools, structured output. With `stream: true` the reply is `text/event-stream`. Unless `store` is false it is kept for `response_retention_s`, and `previous_response_id` or an `item_reference` continues it.",
  surface: "openai",
  admits: { kind: "generation", route: ROUTE },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: ResponseInput,
    limitBytes: MAX_BODY_BYTES,
    mend: mendedResponse,
    refuse: (body: unknown) => refusedBody(body) ?? formOfResponseRefused(body),
  },
  reply: { status: 200, schema: ResponseOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const startedMs = Date.now();
    const { body } = call;
    const refused = refusedIn(body);
    if (refused !== null) return refused;
    const read = await callerOf(call, ROUTE, personOf(body));
    if (read.kind !== "read") return read;
    const turn = await readTurn(call, read.who);
    if (turn.kind !== "turn") return turn;
    const { conversation } = turn;
    const chat = chatOf(call, turn);
    if (chat.kind !== "read") return ofResponse(chat, conversation);
    const request = {
      ...read.who,
      ...chat.request,
      userId: turn.userId,
      model: body.model,
      ...(turn.store && { keepsResponse: true as const }),
      ...(turn.requestTaken && { requestTaken: true as const }),
    };
    const taken = effortHeaders(body.reasoning?.effort);
    if (body.stream) {
      const render = renderEvents(call, turn);
      const stream = streamCall(generationDeps(call), { ...request, render });
      const streamed = await toItsEnd(call.ctx, stream);
      if (streamed.kind !== "streamed") return ofResponse(streamed, conversation);
      call.ctx.waitUntil(streamed.ended);
      return streamReply(streamed, call.config, { startedMs, taken });
    }
    const generation = await generate(call, {
      ...request,
      render: async (made) => renderedJson(await wholeResponse(call, turn, made)),
    });
    return generation.kind === "generated"
      ? openAiReply(generation, call.config, startedMs, taken)
      : ofResponse(generation, conversation);
  },
});

/** What is planned and priced, for a quote: the turns that it would continue are kept no longer for that. */
export async function measureResponse(body: ResponseBody, by: GenerationRouteCall) {
  const refused = refusedIn(body);
  if (refused !== null) return refused;
  const call = { ...by, body };
  const who = { callId: newId("jnl"), userId: personOf(body) };
  const turn = await readTurn(call, who, { isUse: false });
  if (turn.kind !== "turn") return turn;
  const chat = chatOf(call, turn);
  if (chat.kind !== "read") return ofResponse(chat, turn.conversation);
  const { measured, guard } = chat.request;
  return { kind: "generation" as const, model: body.model, measured, guard: guard.ask };
}

const chatOf = ({ body, caller, request }: ResponseCall, { conversation }: Turn) =>
  chatRequest(
    {
      messages: conversation.messages,
      parameters: chatParameters(body),
      maxTokens: body.max_output_tokens ?? null,
      choices: 1,
      guard: {
        tenantId: caller.tenant,
        policyName: body.neurogate?.policy ?? null,
        modes: requestedModes(body.moderation),
      },
      compact: compacts(request),
    },
    resolveOverHttps((...sent) => fetch(...sent)),
  );

// The reply

const headOf = (
  turn: Turn,
  { hold, model, keepsResponse }: Pick<StreamHead, "hold" | "model" | "keepsResponse">,
): ResponseHead => ({
  id: turn.id,
  created: Math.floor(hold.admittedAtMs / 1000),
  model,
  store: turn.store && keepsResponse,
  notes: toPlanNotes(generationIn(hold)),
});

const numbersOf = ({ id, items }: Turn) => ({ responseId: id, first: items });

const nowS = (): number => Math.floor(Date.now() / 1000);

async function wholeResponse(
  call: ResponseCall,
  turn: Turn,
  { answers: [answer], item, items, guard, hold, generation, keepsResponse }: Made<"chat">,
): Promise<ResponseObject> {
  if (answer === undefined) throw new Error("an answer is missing");
  const head = headOf(turn, { hold, model: item.pricedAs, keepsResponse });
  const output = outputItems(answer.output, numbersOf(turn));
  const ending = endingOf(answer.output.finishReason);
  const ended = { output, ending, items, guard, completed: nowS() };
  const response = endedResponse(begunResponse(call.body, head), ended, described(call, head));
  return kept(call, turn, { response, generation });
}

const renderEvents =
  (call: ResponseCall, turn: Turn) =>
  (streamed: StreamHead): ((event: CallEvent) => string | Promise<string>) => {
    const head = headOf(turn, streamed);
    const begun = begunResponse(call.body, head);
    const events = responseEvents(begun, numbersOf(turn));
    let hasBegun = false;
    const rendered = async (event: CallEvent): Promise<string> => {
      if (event.kind === "choice") return events.piece(event.event);
      if (!event.complete) return events.cut();
      const { events: last, output, ending } = events.finish();
      const { items, guard = null } = event;
      const ended = { output, ending, items, guard, completed: nowS() };
      const response = endedResponse(begun, ended, described(call, head));
      const { generation } = streamed;
      return last + events.ended(await kept(call, turn, { response, generation }));
    };
    return async (event) => {
      const first = hasBegun ? "" : events.begun();
      hasBegun = true;
      return first + (await rendered(event));
    };
  };

const described = ({ body, requestId }: ResponseCall, { notes }: ResponseHead) => ({
  requestId,
  notes,
  moderationModel: body.moderation?.model ?? null,
});

/** It was paid for: one that cannot be kept is given all the same, and says so. */
async function kept(
  { env, caller, body }: ResponseCall,
  { userId, input }: Turn,
  { response, generation }: { readonly response: ResponseObject; readonly generation: number },
): Promise<ResponseObject> {
  const bucket = bucketOf(env);
  if (!response.store || bucket === null) return { ...response, store: false };
  const { id } = response;
  const previousId = body.previous_response_id ?? null;
  const isKept = await keepResponse(
    bucket,
    { tenant: caller.tenant, generation },
    { version: 1, userId, input, response },
    (bytes) =>
      tenantObject(env, caller.tenant).keepResponse(generation, { id, previousId, userId, bytes }),
  );
  return isKept ? response : { ...response, store: false };
}
