import type { VectorRef } from "../domain/search/code-table.ts";
import type {
  Passage,
  PlacedHit,
  SearchFilter,
  SetLabels,
  Space,
} from "../domain/search/vector-set.ts";

/** A set as it is written: a vector of unit length for each passage, by its place in the document. */
export interface WrittenSet extends SetLabels {
  readonly key: string;
  readonly space: Space;
  readonly passages: readonly Passage[];
  /** All vectors one after the other, as 32-bit floats. */
  readonly vectors: Float32Array;
}

export interface VectorQuery {
  readonly space: Space;
  /** Of unit length. */
  readonly vector: Float32Array;
  /** Hits at most; a place gives no more than its `mostHits`. */
  readonly most: number;
  readonly filter: SearchFilter;
  /** Keys of sets that must not be shown. A place that cannot leave them out gives their hits too. */
  readonly without?: readonly string[];
}

/** A set that is to be removed. */
export interface RemovedSet {
  readonly key: string;
  readonly space: Space;
  readonly chunks: number;
}

/**
 * Vectors of one tenant, in one place. Hits come from that tenant's sets alone. Each method throws where the
 * place cannot be reached; each can be repeated.
 */
export interface VectorIndex {
  /** Hits of one search at most. */
  readonly mostHits: number;
  /** False: the place has no room, or takes no writes any more. */
  write(set: WrittenSet): Promise<boolean>;
  /** The best first. */
  search(query: VectorQuery): Promise<readonly PlacedHit[]>;
  /** In the order of `refs`; null: it is gone. */
  read(space: Space, refs: readonly VectorRef[]): Promise<readonly (Passage | null)[]>;
  remove(set: RemovedSet): Promise<void>;
}
