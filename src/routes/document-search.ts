import { type Raw, raw } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import {
  AnswerInput,
  AnswerOutput,
  type SearchBody,
  SearchInput,
  SearchOutput,
  toAnswer,
  toFilter,
  toSearch,
} from "../api/native/document-search.ts";
import {
  callerOf,
  GENERATED,
  generationHeaders,
  type GenerationRouteCall,
} from "../edge/generation-deps.ts";
import { toItsEnd } from "../edge/moderation-deps.ts";
import { searchDeps } from "../edge/search-deps.ts";
import { answerQuestion } from "../search/answer-question.ts";
import type { Generation, GenerationCaller } from "../generation/generation-call.ts";
import { retrieve, type SearchMade, stepOf, totalOf } from "../search/retrieve.ts";

// Search over a tenant's documents, and answers from them. Each step that asks a model is a governed call of
// its own, with its own line; a repeat with the same idempotency key repeats each of them.

/** A question is short. */
const BODY_BYTES = 64 * 1024;

const SEARCH = "POST /v1/documents/search";
const ANSWER = "POST /v1/documents/answer";

const newCallId = () => newId("jnl");

export const searchDocuments = defineRoute({
  method: "POST",
  path: "/v1/documents/search",
  summary: "The passages of documents that are nearest to a query",
  surface: "native",
  admits: { kind: "generation", route: SEARCH },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: SearchInput, limitBytes: BODY_BYTES },
  reply: { status: 200, schema: SearchOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const { body } = call;
    const read = await callerOf(call, SEARCH, body.user_id ?? null);
    if (read.kind !== "read") return read;
    const retrieved = await toItsEnd(call.ctx, retrieveFor(call, body, read.who));
    if (retrieved.kind !== "retrieved") return retrieved;
    const { passages, made, generation } = retrieved;
    return replyOf(toSearch(passages, made), { call, made, generation });
  },
});

export const answerFromDocuments = defineRoute({
  method: "POST",
  path: "/v1/documents/answer",
  summary: "Answers a question from documents, with what each statement rests on",
  surface: "native",
  admits: { kind: "generation", route: ANSWER },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: AnswerInput, limitBytes: BODY_BYTES },
  reply: { status: 200, schema: AnswerOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const { body } = call;
    const read = await callerOf(call, ANSWER, body.user_id ?? null);
    if (read.kind !== "read") return read;
    const asker = { ...read.who, callId: newCallId() };
    const searcher = { ...read.who, route: `${ANSWER}#embed` };
    const retrieved = await toItsEnd(call.ctx, retrieveFor(call, body, searcher));
    if (retrieved.kind !== "retrieved") return retrieved;
    const { passages, made, generation } = retrieved;
    if (passages.length === 0) {
      return replyOf(toAnswer(null, 0, made), { call, made, generation });
    }
    const { query: question, model, max_tokens: maxTokens } = body;
    const asked = { tenantId: call.caller.tenant, question, passages, model, maxTokens };
    const answered = await toItsEnd(call.ctx, answerQuestion(searchDeps(call), asked, asker));
    if (answered.kind !== "answered") return answered;
    const steps = [...made.steps, stepOf("answer", answered.generation)];
    const whole = { ...made, steps };
    return replyOf(toAnswer(answered.answer, passages.length, whole), {
      call,
      made: whole,
      generation: answered.generation,
    });
  },
});

const retrieveFor = (
  call: GenerationRouteCall,
  { query, top_k: most, filter, rerank }: SearchBody,
  who: GenerationCaller,
): ReturnType<typeof retrieve> =>
  retrieve(searchDeps(call), { query, most, filter: toFilter(filter), rerank }, who, newCallId);

/** With the headers of the last call, and what all of them cost. */
function replyOf(
  body: object,
  {
    call,
    made,
    generation,
  }: {
    readonly call: GenerationRouteCall;
    readonly made: SearchMade;
    readonly generation: Generation;
  },
): Raw {
  const headers = generationHeaders(
    { ...generation, microNeurons: totalOf(made.steps) },
    call.config,
  );
  return raw(Response.json(body, { headers }));
}
