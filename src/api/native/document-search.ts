import * as v from "valibot";
import { toNeurons } from "../../domain/ledger/micro-neurons.ts";
import { DOCUMENT_TYPES } from "../../domain/documents/document.ts";
import { MOST_CLAIM_CHARS } from "../../domain/search/cited-answer.ts";
import { ANSWERING_MODEL } from "../../domain/search/search-models.ts";
import type { SearchFilter } from "../../domain/search/vector-set.ts";
import type { QuestionAnswer } from "../../search/answer-question.ts";
import type { RankedPassage } from "../../search/rerank-passages.ts";
import { type SearchMade, totalOf } from "../../search/retrieve.ts";
import { count, microNeuronsOut, name, wholeNumber } from "../field.ts";
import { documentId } from "./document.ts";
import { modelName } from "../openai/drop-in.ts";
import { strictObject } from "../object-input.ts";

// Semantic search over a tenant's documents, on the wire.

const MOST_RESULTS = 50;
const DEFAULT_RESULTS = 10;
/** A model reads all passages for each answer. */
const MOST_READ = 20;
const DEFAULT_READ = 8;

/** UTF-8 bytes: a reranker reads 512 tokens of a question and a passage. */
const MOST_QUERY_BYTES = 2000;

const query = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxBytes(MOST_QUERY_BYTES),
  v.description("What is looked for, in words: at most 2,000 bytes."),
);

const Filter = strictObject({
  document_ids: v.optional(
    v.pipe(
      v.array(documentId),
      v.minLength(1),
      v.maxLength(20),
      v.description("Only these documents: at most 20."),
    ),
  ),
  types: v.optional(
    v.pipe(
      v.array(v.picklist(DOCUMENT_TYPES)),
      v.minLength(1),
      v.maxLength(DOCUMENT_TYPES.length),
      v.description("Only documents of these types."),
    ),
  ),
  user_id: v.optional(name("Only documents of this person.")),
});

const shared = {
  query,
  filter: v.optional(Filter, {}),
  rerank: v.optional(
    v.pipe(v.boolean(), v.description("A model puts the passages in order: a call more.")),
    false,
  ),
  user_id: v.optional(name("Who asks; kept with the journal lines.")),
};

export const SearchInput = strictObject({
  ...shared,
  top_k: v.optional(wholeNumber(1, MOST_RESULTS, "Passages at most."), DEFAULT_RESULTS),
});

export const AnswerInput = strictObject({
  ...shared,
  top_k: v.optional(wholeNumber(1, MOST_READ, "Passages that the model reads."), DEFAULT_READ),
  model: v.optional(modelName, ANSWERING_MODEL),
  max_tokens: v.optional(wholeNumber(16, 4096, "The most tokens that the model writes."), 512),
});

export type SearchBody = v.InferOutput<typeof SearchInput>;

export const toFilter = ({ document_ids, types, user_id }: SearchBody["filter"]): SearchFilter => ({
  ...(document_ids !== undefined && { documentIds: document_ids }),
  ...(types !== undefined && { types }),
  ...(user_id !== undefined && { userId: user_id }),
});

const Step = v.object({
  step: v.picklist(["embed", "rerank", "answer"]),
  journal_line_id: v.string(),
  micro_neurons: microNeuronsOut("What this step cost."),
});

const cost = {
  steps: v.pipe(v.array(Step), v.description("The governed calls that were made, in order.")),
  micro_neurons: microNeuronsOut("What all steps cost."),
  neurons: v.number(),
};

const span = {
  start: count("Where it begins in the document's text, in UTF-16 units."),
  end: count("The place after its last unit."),
};

const Result = v.object({
  document_id: v.string(),
  type: v.string(),
  user_id: v.nullable(v.string()),
  ...span,
  text: v.string(),
  score: count("The cosine of the passage's vector and the query's, -1 to 1."),
  rank: v.pipe(v.nullable(v.number()), v.description("The reranker's score; null: it gave none.")),
});

const embeddingModel = v.pipe(
  v.string(),
  v.description("What made the vectors. `neurogate/hashing@1`: by words, not by meaning."),
);

const reranked = v.pipe(
  v.picklist(["yes", "no", "failed"]),
  v.description("`failed`: the results are in the order of their vectors."),
);

const complete = v.pipe(
  v.boolean(),
  v.description(
    "False: deleted documents whose vectors are not removed yet took the places of passages that fit. Search again in some seconds.",
  ),
);

export const SearchOutput = v.object({
  object: v.literal("document_search"),
  data: v.array(Result),
  embedding_model: embeddingModel,
  reranked,
  complete,
  ...cost,
});

export const AnswerOutput = v.object({
  object: v.literal("document_answer"),
  answer: v.pipe(
    v.nullable(v.string()),
    v.description("The statements in one text; null: the passages do not say it."),
  ),
  statements: v.array(
    v.object({
      text: v.pipe(v.string(), v.maxLength(MOST_CLAIM_CHARS)),
      citations: v.array(v.object({ document_id: v.string(), ...span, quote: v.string() })),
    }),
  ),
  end: v.pipe(
    v.picklist(["answered", "not_in_passages", "withheld", "malformed"]),
    v.description(
      "`withheld`: by the tenant's policy. `malformed`: the model did not keep to the form.",
    ),
  ),
  dropped: count("Statements left out: their quote, a name or a number is in no passage."),
  passages: count("Passages that the model read."),
  model: v.nullable(v.pipe(v.string(), v.description("What really answered."))),
  embedding_model: embeddingModel,
  reranked,
  complete,
  ...cost,
});

const toShared = ({ embeddingModel: model, reranked: order, isComplete, steps }: SearchMade) => ({
  embedding_model: model,
  reranked: order,
  complete: isComplete,
  steps: steps.map(({ step, callId, microNeurons }) => ({
    step,
    journal_line_id: callId,
    micro_neurons: microNeurons,
  })),
  micro_neurons: totalOf(steps),
  neurons: toNeurons(totalOf(steps)),
});

export const toSearch = (
  passages: readonly RankedPassage[],
  made: SearchMade,
): v.InferOutput<typeof SearchOutput> => ({
  object: "document_search",
  data: passages.map((passage) => ({
    document_id: passage.documentId,
    type: passage.type,
    user_id: passage.userId,
    start: passage.start,
    end: passage.end,
    text: passage.text,
    score: passage.score,
    rank: passage.rank,
  })),
  ...toShared(made),
});

/** @param answer null: there was no passage to read */
export const toAnswer = (
  answer: QuestionAnswer | null,
  passages: number,
  made: SearchMade,
): v.InferOutput<typeof AnswerOutput> => {
  const statements = answer?.statements ?? [];
  const isSaid = statements.length > 0;
  return {
    object: "document_answer",
    answer: isSaid ? statements.map(({ text }) => text).join(" ") : null,
    statements: statements.map(({ text, citation }) => ({
      text,
      citations: [
        {
          document_id: citation.documentId,
          start: citation.start,
          end: citation.end,
          quote: citation.quote,
        },
      ],
    })),
    end: endOf(answer),
    dropped: answer?.dropped ?? 0,
    passages,
    model: answer?.model ?? null,
    ...toShared(made),
  };
};

function endOf(answer: QuestionAnswer | null) {
  if (answer === null) return "not_in_passages";
  return answer.end === "answered" && answer.statements.length === 0
    ? "not_in_passages"
    : answer.end;
}
