import { TokenTable } from "../domain/text/token-table.ts";
import type { RequestFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import { decodeTokens, tokenListsOf } from "../api/openai/token-ids.ts";
import { type Assets, type ModelAsset, type ModelLoader, modelLoader } from "../io/model-asset.ts";
import { MAX_BODY_BYTES } from "./generation-deps.ts";

// The texts of a request that names them or their token ids.

/** `scripts/build-token-table.mjs` prints these figures. */
export const CL100K: ModelAsset = {
  file: "cl100k-1.bin",
  bytes: 744_090,
  sha256: "79045c4dbf49c4e3b90893afbcbfd80cf94cf2b99256bd84b19ffcace49d9bd2",
};

/** Only a request with token ids loads it. */
const LOADER = modelLoader(CL100K, (bytes) => TokenTable.read(bytes));

export type ReadTexts =
  | { readonly kind: "texts"; readonly texts: readonly string[] }
  | Extract<RequestFailure, { kind: "invalid_request" }>
  | Extract<ServiceFailure, { kind: "unavailable" }>;

/** @param field the field of the request, for errors */
export async function textsIn(
  field: string,
  input: string | readonly (string | number | readonly number[])[],
  assets: Assets,
  loader: ModelLoader<TokenTable> = LOADER,
): Promise<ReadTexts> {
  if (typeof input === "string") return { kind: "texts", texts: [input] };
  if (tokenListsOf(input) === null) {
    return { kind: "texts", texts: input.filter((item) => typeof item === "string") };
  }
  const table = await loader.load(assets);
  if (table === null) return { kind: "unavailable" };
  return decodeTokens(table, input, { field, mostBytes: MAX_BODY_BYTES });
}
