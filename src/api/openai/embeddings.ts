import * as v from "valibot";
import type { FieldError, RequestFailure } from "../../domain/ledger/failure.ts";
import type { Item } from "../../domain/ledger/ledger.ts";
import { dimensionsOf, MOST_DIMENSIONS } from "../../engines/embedded/embedding.ts";
import type { EmbeddingsInference, Outputs } from "../../engines/inference.ts";
import { modelName, Neurogate, personFields, toNeurogate, usageOf } from "./drop-in.ts";
import { oneTokenList, tokenLists, unknownTokens } from "./token-ids.ts";
import { object } from "../object-input.ts";

// OpenAI's embeddings, byte for byte. Unknown fields are ignored, as the original does.

/** OpenAI's own limit. */
export const MAX_TEXTS = 2048;

/** Memory of the vectors. A name that is not the catalogue's may stand for any model. */
export const vectorBytes = (model: string, texts: number): number =>
  texts * (dimensionsOf(model) ?? MOST_DIMENSIONS) * Float64Array.BYTES_PER_ELEMENT;

const text = v.pipe(v.string(), v.minLength(1));
const texts = v.pipe(v.array(text), v.minLength(1), v.maxLength(MAX_TEXTS));

export const tokensRefused = (body: unknown): FieldError | null =>
  unknownTokens(Object(body), ["input", Object(body).input]);

const fields = {
  model: modelName,
  encoding_format: v.optional(v.picklist(["float", "base64"]), "float"),
  dimensions: v.optional(
    v.pipe(v.number(), v.description("The model's own: none here has shorter vectors.")),
  ),
  ...personFields,
};

export const EmbeddingsInput = object({
  ...fields,
  input: v.pipe(
    v.union([text, texts, oneTokenList, tokenLists(MAX_TEXTS)]),
    v.description(
      `A text, or up to ${MAX_TEXTS}; or the token ids of them, for OpenAI's names of models with the vocabulary cl100k_base.`,
    ),
  ),
});

/** As it is quoted: texts alone. */
export const QuotedEmbeddingsInput = object({ ...fields, input: v.union([text, texts]) });

/** Null: the vectors are as long as was asked for. */
export function dimensionsFailure(body: EmbeddingsBody, model: string): RequestFailure | null {
  const own = dimensionsOf(model);
  if (body.dimensions === undefined || body.dimensions === own) return null;
  const said = own === null ? "must be absent" : `must be ${own} or absent`;
  const detail = `${said}: no model here has shorter vectors`;
  return { kind: "invalid_request", errors: [{ path: ["dimensions"], detail }] };
}

export type EmbeddingsBody = v.InferOutput<typeof EmbeddingsInput>;

export type QuotedEmbeddings = v.InferOutput<typeof QuotedEmbeddingsInput>;

export const EmbeddingsOutput = v.object({
  object: v.literal("list"),
  data: v.array(
    v.object({
      object: v.literal("embedding"),
      index: v.number(),
      embedding: v.pipe(
        v.union([v.array(v.number()), v.string()]),
        v.description("Numbers, or with `base64` their little-endian 32-bit floats."),
      ),
    }),
  ),
  model: v.string(),
  usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
  neurogate: Neurogate,
});

type Embeddings = v.InferOutput<typeof EmbeddingsOutput>;

/** The list's items, each made when it is asked for. */
export function* embeddingItems(
  { vectors }: Outputs["embeddings"],
  format: EmbeddingsBody["encoding_format"],
): Generator<Embeddings["data"][number], void> {
  for (const [index, vector] of vectors.entries()) {
    const embedding = format === "base64" ? floatsAsBase64(vector) : [...vector];
    yield { object: "embedding", index, embedding };
  }
}

export function toEmbeddings(
  data: Embeddings["data"],
  made: {
    readonly model: EmbeddingsInference["model"];
    readonly item: Item;
    readonly requestId: string;
  },
): Embeddings {
  const { prompt_tokens, total_tokens } = usageOf(made.item.units);
  return {
    object: "list",
    data,
    model: made.model,
    usage: { prompt_tokens, total_tokens },
    neurogate: toNeurogate(made.item, made.requestId),
  };
}

function floatsAsBase64(vector: readonly number[]): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [at, value] of vector.entries()) bytes.setFloat32(at * 4, value, true);
  return new Uint8Array(bytes.buffer).toBase64();
}
