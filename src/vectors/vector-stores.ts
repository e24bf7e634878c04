import type { Place, VectorOwner } from "../domain/search/vector-set.ts";
import { shardIndex, shardName, type ShardStub } from "./shard-index.ts";
import type { VectorIndex } from "./vector-index.ts";
import { vectorizeIndex, type VectorizeStore } from "./vectorize-index.ts";

/** Where a deployment keeps vectors. */
export interface VectorStores {
  readonly shard: (name: string) => ShardStub;
  /** Null: this deployment has no Vectorize index. */
  readonly vectorize: VectorizeStore | null;
}

/** @throws Error for a place in Vectorize where the deployment has none any more */
export function vectorIndex(stores: VectorStores, owner: VectorOwner, place: Place): VectorIndex {
  if (place.kind === "shard") {
    return shardIndex(() => stores.shard(shardName(owner, place.number)));
  }
  if (stores.vectorize === null) throw new Error("the Vectorize index is not bound");
  return vectorizeIndex(stores.vectorize, owner);
}

/** The shards and the optional index of an environment. */
export function vectorStoresOf(env: Env): VectorStores {
  const { VECTORIZE, VECTORIZE_TENANTS } = env as Partial<Env> & OptionalBindings;
  return {
    shard: (name) => env.VECTORS.getByName(name),
    vectorize:
      VECTORIZE === undefined
        ? null
        : {
            binding: VECTORIZE,
            separation: VECTORIZE_TENANTS === "metadata" ? "metadata" : "namespaces",
          },
  };
}

/** Not every deployment has them, so the generated type of the environment does not. */
interface OptionalBindings {
  readonly VECTORIZE?: Vectorize;
  readonly VECTORIZE_TENANTS?: string;
}
