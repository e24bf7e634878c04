import type { AccessFailure, LookupFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import type {
  NewSet,
  Place,
  Reserved,
  Space,
  VectorOwner,
  VectorSet,
} from "../domain/search/vector-set.ts";
import type { GenerationDeps } from "../generation/generation-call.ts";
import type { VectorStores } from "../vectors/vector-stores.ts";

/** How any question to the tenant's object may fail. */
export type RegisterFailure =
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>
  | Extract<LookupFailure, { kind: "not_found" }>
  | Extract<ServiceFailure, { kind: "unavailable" }>;

/** The tenant's object, as far as it knows which vectors there are. Each call can be repeated. */
export interface VectorRegister {
  reserve(set: NewSet): Promise<Reserved | RegisterFailure>;
  /** `not_found`: its document was deleted meanwhile. */
  written(key: string): Promise<{ readonly kind: "written" } | RegisterFailure>;
  places(
    space: Space,
  ): Promise<
    | { readonly kind: "places"; readonly owner: VectorOwner; readonly places: readonly Place[] }
    | RegisterFailure
  >;
  /** Those of them that may be shown. */
  sets(
    keys: readonly string[],
  ): Promise<{ readonly kind: "sets"; readonly sets: readonly VectorSet[] } | RegisterFailure>;
  /** The vectors with which a document is found; null: it is not. `storage_full`: no room for new ones. */
  ofDocument(
    documentId: string,
    toWrite: Pick<NewSet, "revision" | "chunks"> & Pick<Space, "model">,
  ): Promise<
    | { readonly kind: "vectors"; readonly set: VectorSet | null }
    | Extract<ServiceFailure, { kind: "storage_full" }>
    | RegisterFailure
  >;
  release(documentId: string): Promise<{ readonly kind: "released" } | RegisterFailure>;
}

/** What search needs of this deployment, for one tenant. */
export interface SearchDeps {
  readonly generation: GenerationDeps;
  readonly register: VectorRegister;
  readonly vectors: VectorStores;
  /** `vec_` and a ULID. */
  readonly newKey: () => string;
}
