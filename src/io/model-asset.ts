import { readAtMost } from "./read-at-most.ts";

// The weights of the models that run inside the Worker. They are static assets, not part of the
// bundle, whose size is limited: each isolate that needs a model fetches its file once.
//
// A file that is missing, cut or not the one that the source names makes the model unavailable. That is
// a result and not an exception: the caller reports that nothing was evaluated, and approves nothing.

/** A file of `models/`, as the source names it. */
export interface ModelAsset {
  /** Below `models/`. */
  readonly file: string;
  readonly bytes: number;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/** The `ASSETS` binding, which serves the assets. Undefined where the Worker runs without assets. */
export type Assets = Pick<Fetcher, "fetch"> | undefined;

export interface ModelLoader<Model> {
  /** The model; null while it cannot be loaded. Never rejects. */
  load(assets: Assets): Promise<Model | null>;
}

/** The binding is on the same machine: a fetch that takes longer will not succeed. */
const FETCH_TIMEOUT_MS = 5_000;

/**
 * After a failure the model is unavailable for so long without another fetch: a wrong file stays wrong,
 * and each try costs a fetch and a hash of megabytes.
 */
export const RETRY_AFTER_MS = 10_000;

/**
 * A loader that keeps its model for the life of the isolate.
 *
 * Calls that come before the first has ended fetch the file too, and the first result is kept. They do
 * not wait for a fetch of another request, since it would never settle if that request is cut off.
 *
 * @param read makes the model from the bytes of its file, whose hash was checked; null: they are not a
 *   model of this version
 */
export function modelLoader<Model>(
  asset: ModelAsset,
  read: (bytes: ArrayBuffer) => Model | null,
  nowMs: () => number = () => Date.now(),
): ModelLoader<Model> {
  let model: Model | null = null;
  let failedAtMs: number | null = null;
  return {
    async load(assets) {
      if (model !== null) return model;
      if (failedAtMs !== null && nowMs() - failedAtMs < RETRY_AFTER_MS) return null;
      const bytes = await fetchModelAsset(assets, asset);
      model ??= bytes === null ? null : read(bytes);
      failedAtMs = model === null ? nowMs() : null;
      return model;
    },
  };
}

/** The bytes of the file; null: they could not be fetched, or are not those that the source names. */
export async function fetchModelAsset(
  assets: Assets,
  { file, bytes: length, sha256 }: ModelAsset,
): Promise<ArrayBuffer | null> {
  if (assets === undefined) return null;
  try {
    // The binding uses only the path.
    const response = await assets.fetch(`https://assets.invalid/models/${file}`, {
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return null;
    }
    const bytes = await readAtMost(response.body, length, { expectedBytes: length });
    if (bytes?.byteLength !== length) return null;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    return digest === sha256 ? bytes.buffer : null;
  } catch {
    // A binding may fail in any way, and each means only that there is no model.
    return null;
  }
}
