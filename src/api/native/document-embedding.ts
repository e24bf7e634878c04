import * as v from "valibot";
import { toNeurons } from "../../domain/ledger/micro-neurons.ts";
import type { Indexed, IndexFailure, NotStored } from "../../search/index-document.ts";
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

/** In the reply to a document that is stored: the document is stored even where this failed. */
export const SearchableOutput = v.object({
  state: v.pipe(
    v.picklist(["ready", "failed"]),
    v.description("failed: the document is stored and not found; POST …/embed tries again."),
  ),
  passages: EmbeddingOutput.entries.passages,
  covered_to: EmbeddingOutput.entries.covered_to,
  journal_line_id: EmbeddingOutput.entries.journal_line_id,
  micro_neurons: EmbeddingOutput.entries.micro_neurons,
  failure: v.pipe(v.nullable(v.string()), v.description("Why it failed, as errors are named.")),
});

export const toSearchable = (
  indexed: Indexed | NotStored | IndexFailure,
): v.InferOutput<typeof SearchableOutput> =>
  indexed.kind === "indexed"
    ? {
        state: "ready",
        passages: indexed.passages,
        covered_to: indexed.coveredTo,
        journal_line_id: indexed.callId,
        micro_neurons: indexed.microNeurons,
        failure: null,
      }
    : {
        state: "failed",
        passages: 0,
        covered_to: 0,
        ...(indexed.kind === "not_stored"
          ? {
              journal_line_id: indexed.callId,
              micro_neurons: indexed.microNeurons,
              failure: indexed.failure.kind,
            }
          : { journal_line_id: null, micro_neurons: 0, failure: indexed.kind }),
      };

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
