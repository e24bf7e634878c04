import { resultsKey, type StoredDocument, textKey } from "../domain/documents/document.ts";
import type { DocumentResults } from "../domain/documents/results.ts";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import type { CallId } from "../domain/ledger/ledger.ts";
import { twice } from "../io/bucket.ts";

// The two files of a document in the bucket.

/** @returns false: the bucket failed twice */
export const writeText = (
  bucket: R2Bucket,
  owner: PictureOwner,
  { file, text }: { readonly file: CallId; readonly text: string },
): Promise<boolean> =>
  twice(() =>
    bucket.put(textKey(owner, file), text, {
      httpMetadata: { contentType: "text/plain; charset=utf-8" },
    }),
  );

/**
 * The text of a document; null: it is not there (its call is in progress, or it was deleted).
 *
 * @throws when the bucket does not answer
 */
export async function readDocumentText(
  bucket: R2Bucket,
  owner: PictureOwner,
  { file, state }: Pick<StoredDocument, "file" | "state">,
): Promise<string | null> {
  if (state !== "ready") return null;
  const object = await bucket.get(textKey(owner, file));
  return object === null ? null : object.text();
}

/**
 * The results of its tasks; null: as above.
 *
 * @throws when the bucket does not answer
 */
export async function readResults(
  bucket: R2Bucket,
  owner: PictureOwner,
  { file, state, tasks }: Pick<StoredDocument, "file" | "state" | "tasks">,
): Promise<DocumentResults | null> {
  if (state !== "ready") return null;
  if (tasks.length === 0) return {};
  const object = await bucket.get(resultsKey(owner, file));
  return object === null ? null : object.json<DocumentResults>();
}

/** @returns false: the bucket failed twice */
export const writeResults = (
  bucket: R2Bucket,
  owner: PictureOwner,
  { file, results }: { readonly file: CallId; readonly results: DocumentResults },
): Promise<boolean> =>
  twice(() =>
    bucket.put(resultsKey(owner, file), JSON.stringify(results), {
      httpMetadata: { contentType: "application/json" },
    }),
  );
