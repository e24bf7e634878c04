import { type MicroNeurons, sum } from "../domain/ledger/micro-neurons.ts";
import type { SearchFilter } from "../domain/search/vector-set.ts";
import type {
  Generation,
  GenerationCaller,
  GenerationCallFailure,
} from "../generation/generation-call.ts";
import { embedQuery, findPassages } from "./find-passages.ts";
import { MOST_RERANKED, type RankedPassage, rerankPassages } from "./rerank-passages.ts";
import type { RegisterFailure, SearchDeps } from "./search-deps.ts";

/** A governed call of a search. */
export interface SearchStep {
  readonly step: "embed" | "rerank" | "answer";
  readonly callId: string;
  readonly microNeurons: MicroNeurons;
}

/** How passages were found, for the reply. */
export interface SearchMade {
  readonly embeddingModel: string;
  /** `failed`: the passages are in the order of their vectors. */
  readonly reranked: "yes" | "no" | "failed";
  /** False: more passages may fit, behind those of documents that are being removed. */
  readonly isComplete: boolean;
  readonly steps: readonly SearchStep[];
}

export interface Retrieved {
  readonly kind: "retrieved";
  readonly passages: readonly RankedPassage[];
  readonly made: SearchMade;
  /** The last call, for the headers. */
  readonly generation: Generation;
}

export interface Retrieval {
  readonly query: string;
  readonly most: number;
  readonly filter: SearchFilter;
  readonly rerank: boolean;
}

/** Passages that a reranker reads for each one that is wanted. */
const RERANKED_EACH = 4;

export const totalOf = (steps: readonly SearchStep[]): MicroNeurons =>
  sum(steps.map(({ microNeurons }) => microNeurons));

export const stepOf = (
  step: SearchStep["step"],
  { callId, microNeurons }: Generation,
): SearchStep => ({ step, callId, microNeurons });

/**
 * The passages for a query, the best first. A reranker that fails, or is not admitted, costs the search its
 * order and not its results; a key of idempotency that is in use otherwise is refused as everywhere.
 *
 * @param newCallId for the call of the reranker
 */
export async function retrieve(
  deps: SearchDeps,
  { query, most, filter, rerank }: Retrieval,
  who: GenerationCaller,
  newCallId: () => string,
): Promise<Retrieved | GenerationCallFailure | RegisterFailure> {
  const read = rerank ? Math.max(most, Math.min(MOST_RERANKED, most * RERANKED_EACH)) : most;
  const find = (made: Parameters<typeof findPassages>[1]) =>
    findPassages(deps, made, { most: read, filter });
  // The search does not wait for the call to be settled; its passages do.
  let early: ReturnType<typeof find> | null = null;
  const embedded = await embedQuery(deps, query, who, (made) => {
    early = find(made);
    early.catch(() => undefined);
  });
  if (embedded.kind !== "embedded") return embedded;
  const { generation, space } = embedded;
  const found = await (early ?? find(embedded));
  if (found.kind !== "found") return found;
  const embedding = stepOf("embed", generation);
  const plain = found.passages.map((passage): RankedPassage => ({ ...passage, rank: null }));
  const made = (reranked: SearchMade["reranked"], ...more: readonly SearchStep[]): SearchMade => ({
    embeddingModel: space.model,
    reranked,
    isComplete: found.isComplete,
    steps: [embedding, ...more],
  });
  if (!rerank || plain.length === 0) {
    return { kind: "retrieved", passages: plain, made: made("no"), generation };
  }
  const ranker = { ...who, route: `${who.route}#rerank`, callId: newCallId() };
  const ranked = await rerankPassages(deps, { query, passages: plain }, ranker);
  if (ranked.kind !== "ranked") {
    if (ranked.kind.startsWith("idempotency_")) return ranked;
    const passages = plain.slice(0, most);
    return { kind: "retrieved", passages, made: made("failed"), generation };
  }
  return {
    kind: "retrieved",
    passages: ranked.passages.slice(0, most),
    made: made("yes", stepOf("rerank", ranked.generation)),
    generation: ranked.generation,
  };
}
