import { MAX_VECTORS_BYTES, readEmbeddingList } from "../embedding-vectors.ts";
import { countIn, field } from "../engine-call.ts";
import { isError } from "../chat-reply.ts";
import { outcomeInBody } from "../rejection.ts";
import type { Generate, Generators } from "../inference.ts";
import { chat } from "./chat.ts";
import { namedModel, type OpenAiOptions, postJson } from "./call.ts";
import { openAiPicture } from "./pictures.ts";
import { openAiSound } from "./sound.ts";

/** What an OpenAI-compatible server generates, with the models that the deployment has named. */
export const openAiGenerators = (server: OpenAiOptions): Generators => ({
  embeddings: embeddings(server),
  chat: chat(server),
  picture: openAiPicture(server),
  ...openAiSound(server),
});

const embeddings =
  (server: OpenAiOptions): Generate<"embeddings"> =>
  async (_hold, { model: id, texts, pooling }, options) => {
    const model = namedModel(server, id);
    if (model === undefined || pooling !== undefined) return { kind: "unsupported" };
    const body = { model, input: texts, encoding_format: "float" };
    const bounded = { ...options, maxBytes: MAX_VECTORS_BYTES };
    const reply = await postJson(server, "/embeddings", body, bounded);
    if (reply.kind !== "replied") return reply;
    if (isError(reply.value)) return outcomeInBody(reply.value);
    const vectors = readEmbeddingList(reply.value, texts.length);
    const usage = promptUsage(reply.value);
    if (vectors === null) return { kind: "failed", usage };
    return { kind: "answered", model, output: { vectors }, usage };
  };

/** Embeddings report input tokens only. */
function promptUsage(reply: unknown): { readonly input_token: number } | null {
  const tokens = countIn(field(reply, "usage"), "prompt_tokens");
  return tokens === null ? null : { input_token: tokens };
}
