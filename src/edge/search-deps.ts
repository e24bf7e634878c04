import { newId } from "../http/ids.ts";
import type { SearchDeps, VectorRegister } from "../search/search-deps.ts";
import { vectorStoresOf } from "../vectors/vector-stores.ts";
import { generationDeps, type GenerationRouteCall } from "./generation-deps.ts";
import { readTenant } from "./bindings.ts";

/** What search needs of this deployment, for the caller's tenant. */
export const searchDeps = (call: GenerationRouteCall): SearchDeps => ({
  generation: generationDeps(call),
  register: vectorRegister(call),
  vectors: vectorStoresOf(call.env),
  newKey: () => newId("vec"),
});

/** Every question can be repeated, so each is once, where it was cut off. */
export const vectorRegister = (
  call: Pick<GenerationRouteCall, "env" | "caller">,
): VectorRegister => ({
  reserve: (set) => readTenant(call, (tenant, caller) => tenant.reserveVectors(caller, set)),
  written: (key) => readTenant(call, (tenant, caller) => tenant.vectorsWritten(caller, key)),
  places: (space) => readTenant(call, (tenant, caller) => tenant.vectorPlaces(caller, space)),
  sets: (keys) => readTenant(call, (tenant, caller) => tenant.readVectorSets(caller, keys)),
  ofDocument: (id, toWrite) =>
    readTenant(call, (tenant, caller) => tenant.readDocumentVectors(caller, id, toWrite)),
  release: (id) => readTenant(call, (tenant, caller) => tenant.releaseVectors(caller, id)),
});
