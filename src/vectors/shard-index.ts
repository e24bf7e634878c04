import type { VectorRef } from "../domain/search/code-table.ts";
import type { Passage, PlacedHit, Space, VectorOwner } from "../domain/search/vector-set.ts";
import type { RemovedSet, VectorIndex, VectorQuery, WrittenSet } from "./vector-index.ts";

/** A shard's object, as far as this is concerned. */
export interface ShardStub {
  write(set: WrittenSet): Promise<boolean>;
  search(query: VectorQuery): Promise<PlacedHit[]>;
  read(refs: readonly VectorRef[]): Promise<(Passage | null)[]>;
  remove(key: string): Promise<void>;
  close(): Promise<void>;
}

/** Each is compared as it is stored, and comes with its passage of at most 1,200 bytes. */
const MOST_HITS = 1000;

/** The name of a shard's object. A tenant that is made again has other shards. */
export const shardName = ({ tenant, generation }: VectorOwner, number: number): string =>
  `${tenant}/${generation}/${number}`;

/** @param shard makes a new stub for each call: a stub that threw is broken */
export const shardIndex = (shard: () => ShardStub): VectorIndex => ({
  mostHits: MOST_HITS,
  write: (set) => shard().write(set),
  search: (query) => shard().search(query),
  read: (_: Space, refs) => shard().read(refs),
  remove: ({ key }: RemovedSet) => shard().remove(key),
});
