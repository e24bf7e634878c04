import { tokensAtMost } from "../domain/generation/token-bound.ts";
import { RERANKING_MODEL } from "../domain/search/search-models.ts";
import { vectorId } from "../domain/search/vector-set.ts";
import {
  type Generation,
  generationCall,
  type GenerationCaller,
  type GenerationCallFailure,
  renderedJson,
  renderedValue,
} from "../generation/generation-call.ts";
import type { FoundPassage } from "./find-passages.ts";
import type { SearchDeps } from "./search-deps.ts";

/** A passage with what the reranker says of it; null: it said nothing. */
export interface RankedPassage extends FoundPassage {
  readonly rank: number | null;
}

/** Passages that a reranker reads for one answer, at most. */
export const MOST_RERANKED = 50;

/**
 * Puts passages in order by a model that reads each with the question, in a governed call of its own. A
 * repeat with the same idempotency key gets the same order, and is not charged.
 *
 * @param passages the best first; at least one
 */
export async function rerankPassages(
  { generation: deps }: SearchDeps,
  { query, passages }: { readonly query: string; readonly passages: readonly FoundPassage[] },
  who: GenerationCaller,
): Promise<
  | {
      readonly kind: "ranked";
      readonly passages: readonly RankedPassage[];
      readonly generation: Generation;
    }
  | GenerationCallFailure
> {
  const contexts = passages.map(({ text }) => text);
  const generation = await generationCall(deps, {
    ...who,
    fit: false,
    kind: "reranking",
    model: RERANKING_MODEL,
    measured: {
      kind: "reranking",
      query: tokensAtMost(query),
      contexts: contexts.map(tokensAtMost),
    },
    inference: (model) => ({ model, query, contexts, topK: null }),
    render: ({ answers: [answer] }) =>
      renderedJson(
        (answer?.output.ranks ?? []).flatMap(({ context, score }) => {
          const passage = passages[context];
          return passage === undefined ? [] : [[vectorId(passage.ref), score]];
        }),
      ),
  });
  if (generation.kind !== "generated") return generation;
  const ranks = new Map(renderedValue(generation.rendered) as [string, number][]);
  const ranked = passages
    .map((passage) => ({ ...passage, rank: ranks.get(vectorId(passage.ref)) ?? null }))
    // A sort keeps the order of equals: what has no rank comes last, as it was.
    .toSorted((a, b) => (b.rank ?? -Infinity) - (a.rank ?? -Infinity) || 0);
  return { kind: "ranked", passages: ranked, generation };
}
