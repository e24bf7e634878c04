import { inCalls } from "../domain/generation/task-usage.ts";
import { tokensAtMost } from "../domain/generation/token-bound.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { LONG_LIST, renderedList } from "../generation/rendered-list.ts";
import { NO_ROOM } from "../http/intake.ts";
import { defineRoute } from "../http/route.ts";
import { personOf } from "../api/openai/drop-in.ts";
import {
  dimensionsFailure,
  embeddingItems,
  EmbeddingsInput,
  EmbeddingsOutput,
  type QuotedEmbeddings,
  toEmbeddings,
  tokensRefused,
  vectorBytes,
} from "../api/openai/embeddings.ts";
import {
  callerOf,
  GENERATED,
  generate,
  MAX_BODY_BYTES,
  openAiReply,
} from "../edge/generation-deps.ts";
import { textsIn } from "../edge/token-texts.ts";
import { mended } from "../api/drop-in-body.ts";

/** What is planned and priced: of a call, and of a quote for it. */
const measured = (model: string, texts: readonly string[]) => ({
  model,
  measured: { kind: "embeddings" as const, texts: texts.map(tokensAtMost) },
});

export const measureEmbeddings = ({ model, input }: QuotedEmbeddings) =>
  measured(model, typeof input === "string" ? [input] : input);

export const createEmbeddings = defineRoute({
  method: "POST",
  path: "/v1/embeddings",
  summary: "OpenAI's embeddings endpoint",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/embeddings" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: EmbeddingsInput,
    limitBytes: MAX_BODY_BYTES,
    mend: mended,
    refuse: tokensRefused,
  },
  reply: { status: 200, schema: EmbeddingsOutput },
  failures: GENERATED,
  handle: async (call) => {
    const startedMs = Date.now();
    const read = await callerOf(call, "POST /v1/embeddings", personOf(call.body));
    if (read.kind !== "read") return read;
    const wrong = dimensionsFailure(call.body, call.body.model);
    if (wrong !== null) return wrong;
    const { encoding_format: format, model } = call.body;
    const found = await textsIn("input", call.body.input, call.env.ASSETS);
    if (found.kind !== "texts") return found;
    const { texts } = found;
    const isLong = texts.length > LONG_LIST;
    if (isLong && !(await call.moreRoom(vectorBytes(model, texts.length)))) return NO_ROOM;
    const generation = await generate(call, {
      ...read.who,
      kind: "embeddings",
      ...measured(model, texts),
      inference: (id, _stage, at) => ({ model: id, texts: inCalls(texts)[at] ?? [] }),
      render: ({ answers, item }) => {
        const vectors = answers.flatMap(({ output }) => output.vectors);
        if (vectors.length !== texts.length) throw new Error("an answer is missing");
        const made = { model: item.pricedAs, item, requestId: call.requestId };
        const data = embeddingItems({ vectors }, format);
        return isLong
          ? renderedList(toEmbeddings([], made), "data", data)
          : renderedJson(toEmbeddings([...data], made));
      },
    });
    return generation.kind === "generated"
      ? openAiReply(generation, call.config, startedMs)
      : generation;
  },
});
