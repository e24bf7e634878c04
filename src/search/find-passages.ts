import { tokensAtMost } from "../domain/generation/token-bound.ts";
import type { VectorRef } from "../domain/search/code-table.ts";
import { EMBEDDING_MODEL } from "../domain/search/search-models.ts";
import { unitVector } from "../domain/search/vector-code.ts";
import {
  byScore,
  type Passage,
  type PlacedHit,
  type SearchFilter,
  type Space,
  type VectorHit,
  type VectorOwner,
  type VectorSet,
} from "../domain/search/vector-set.ts";
import {
  type Generation,
  generationCall,
  type GenerationCaller,
  type GenerationCallFailure,
  renderedJson,
  renderedValue,
} from "../generation/generation-call.ts";
import { vectorIndex } from "../vectors/vector-stores.ts";
import { nearestShown } from "./nearest-shown.ts";
import type { RegisterFailure, SearchDeps } from "./search-deps.ts";

// The passages nearest to a question: its vector by a governed call, then the search in each place that has
// vectors of that space. Which of them exist, the tenant's object says last.

/** A question's vector. */
export interface EmbeddedQuery {
  readonly kind: "embedded";
  readonly space: Space;
  /** Of unit length. */
  readonly vector: Float32Array;
  readonly generation: Generation;
}

/** A passage that was found. */
export interface FoundPassage extends Passage {
  readonly ref: VectorRef;
  readonly documentId: string;
  readonly type: string;
  readonly userId: string | null;
  /** The cosine of its vector and the question's, -1 to 1. */
  readonly score: number;
}

/**
 * A repeat with the same idempotency key gets the same vector, and is not charged.
 *
 * @param made called with the vector while its call is settled; not for such a repeat
 */
export async function embedQuery(
  { generation: deps }: SearchDeps,
  query: string,
  who: GenerationCaller,
  made: (embedded: Pick<EmbeddedQuery, "space" | "vector">) => void,
): Promise<EmbeddedQuery | GenerationCallFailure> {
  const generation = await generationCall(deps, {
    ...who,
    fit: false,
    kind: "embeddings",
    model: EMBEDDING_MODEL,
    measured: { kind: "embeddings", texts: [tokensAtMost(query)] },
    inference: (model) => ({ model, texts: [query] }),
    render: ({ answers: [answer] }) => {
      const vector = unitVector(answer?.output.vectors[0] ?? []);
      if (answer === undefined || vector === null) return { kind: "engine_failed", charged: true };
      made({ space: { model: answer.model, dimensions: vector.length }, vector });
      return renderedJson({ model: answer.model, vector: [...vector] });
    },
  });
  if (generation.kind !== "generated") return generation;
  const kept = renderedValue(generation.rendered) as {
    readonly model: string;
    readonly vector: readonly number[];
  };
  const vector = Float32Array.from(kept.vector);
  const space = { model: kept.model, dimensions: vector.length };
  return { kind: "embedded", space, vector, generation };
}

/**
 * The best first. A place that does not answer fails the search: it never leaves out silently.
 *
 * @returns `isComplete` false: there may be more that fit, behind those of documents that are being removed
 */
export async function findPassages(
  deps: SearchDeps,
  { space, vector }: Pick<EmbeddedQuery, "space" | "vector">,
  { most, filter }: { readonly most: number; readonly filter: SearchFilter },
): Promise<
  | {
      readonly kind: "found";
      readonly passages: readonly FoundPassage[];
      readonly isComplete: boolean;
    }
  | RegisterFailure
> {
  const where = await deps.register.places(space);
  if (where.kind !== "places") return where;
  const { owner, places } = where;
  const found = await orNull(
    nearestShown(
      places.map((place) => vectorIndex(deps.vectors, owner, place)),
      { space, vector, most, filter },
      (keys) => deps.register.sets(keys),
    ),
  );
  if (found === null) return { kind: "unavailable" };
  if (found.kind !== "nearest") return found;
  const { hits, sets, isComplete } = found;
  const read = await orNull(readPassages(deps, { owner, space }, hits, sets));
  if (read === null) return { kind: "unavailable" };
  return { kind: "found", passages: read, isComplete };
}

/** Without those that are gone by now. A place that gave passages with its hits is not asked again. */
async function readPassages(
  { vectors }: SearchDeps,
  { owner, space }: { readonly owner: VectorOwner; readonly space: Space },
  hits: readonly PlacedHit[],
  sets: ReadonlyMap<string, VectorSet>,
): Promise<FoundPassage[]> {
  const placeOf = ({ set }: VectorHit) => sets.get(set)?.place;
  const byPlace = Map.groupBy(hits, (hit) => JSON.stringify(placeOf(hit)));
  const read = await Promise.all(
    [...byPlace.values()].map(async (some) => {
      const place = some[0] === undefined ? undefined : placeOf(some[0]);
      if (place === undefined) return [];
      const isGiven = some.every(({ passage }) => passage !== null);
      const refs = some.map(({ set, ordinal }) => ({ set, ordinal }));
      const passages = isGiven
        ? some.map(({ passage }) => passage)
        : await vectorIndex(vectors, owner, place).read(space, refs);
      return some.flatMap((hit, at): FoundPassage[] => {
        const passage = passages[at];
        const set = sets.get(hit.set);
        if (passage === undefined || passage === null || set === undefined) return [];
        const { documentId, type, userId } = set;
        const ref = { set: hit.set, ordinal: hit.ordinal };
        return [{ ...passage, ref, documentId, type, userId, score: hit.score }];
      });
    }),
  );
  return read.flat().toSorted((a, b) => byScore(hitOf(a), hitOf(b)));
}

const hitOf = ({ ref, score }: FoundPassage): VectorHit => ({ ...ref, score });

const orNull = <Result>(work: Promise<Result>): Promise<Result | null> => work.catch(() => null);
