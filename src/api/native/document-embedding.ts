import * as v from "valibot";
import { toNeurons } from "../../domain/ledger/micro-neurons.ts";
import type { Indexed } from "../../search/index-document.ts";
import { count, microNeuronsOut } from "../field.ts";

// Whether a document can be found by search, on the wire.

export const EmbeddingOutput = v.object({
  object: v.literal("document_embedding"),
  document_id: v.string(),
  passages: count("Passages that can be found."),
  covered_to: count("Characters of the text, from its beginning, that can be found."),
  journal_line_id: v.pipe(
    v.nullable(v.string()),
    v.description("Null: it was embedded before, or it has no words."),
  ),
  micro_neurons: microNeuronsOut("What it cost."),
  neurons: v.number(),
});

export const toEmbedding = (
  documentId: string,
  { passages, coveredTo, callId, microNeurons }: Indexed,
): v.InferOutput<typeof EmbeddingOutput> => ({
  object: "document_embedding",
  document_id: documentId,
  passages,
  covered_to: coveredTo,
  journal_line_id: callId,
  micro_neurons: microNeurons,
  neurons: toNeurons(microNeurons),
});
