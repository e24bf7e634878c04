import { resultsKey, type StoredDocument, textKey } from "../domain/documents/document.ts";
import { type DocumentResults, withResults } from "../domain/documents/results.ts";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import type { CallId } from "../domain/ledger/ledger.ts";
import { twice, within } from "../io/bucket.ts";

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

/** More than the runs that a tenant may have open. A put is refused only if another run's put succeeded. */
const MOST_PUTS = 32;

/**
 * Adds results to those of a document that is ready. Others may add at the same time: a put that would
 * overwrite what it has not read is refused by the bucket, and is made again from what is there now.
 *
 * @returns false: the bucket failed, or others were faster each time. A repeat changes nothing else
 */
export async function addResults(
  bucket: R2Bucket,
  owner: PictureOwner,
  { file, results }: { readonly file: CallId; readonly results: DocumentResults },
): Promise<boolean> {
  const key = resultsKey(owner, file);
  const put = async (): Promise<boolean> => {
    const there = await bucket.get(key);
    const before = there === null ? {} : await there.json<DocumentResults>();
    const written = await bucket.put(key, JSON.stringify(withResults(before, results)), {
      httpMetadata: { contentType: "application/json" },
      onlyIf: there === null ? { etagDoesNotMatch: "*" } : { etagMatches: there.etag },
    });
    return written !== null;
  };
  for (let puts = 0; puts < MOST_PUTS; puts += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const written = await within(put()).catch(() => null);
    if (written !== false) return written ?? false;
  }
  return false;
}
