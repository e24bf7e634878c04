import {
  type PictureOwner,
  pictureKey,
  type PictureRecord,
  recordKey,
} from "../../src/domain/stored-picture.ts";
import type { PersonalFile } from "./erasure-store.ts";

/** In one alarm: three requests to the bucket each, of the fifty that the free plan gives it. */
export const MOST_FILES = 15;

export interface ErasedFiles {
  readonly files: readonly PersonalFile[];
  readonly images: number;
  /** The bucket did not answer for some: they are asked for again. */
  readonly failed: boolean;
}

/**
 * Erases what of a person lies in the bucket. A record goes after its pictures: as long as it is
 * there, they are found by it. Can be repeated at any point.
 */
export async function erasePersonalFiles(
  bucket: R2Bucket,
  owner: PictureOwner,
  files: readonly PersonalFile[],
): Promise<ErasedFiles> {
  const ended = await Promise.all(
    files.map(async (file) => ({ file, images: await erasePictures(bucket, owner, file) })),
  );
  const gone = ended.filter(({ images }) => images !== null);
  return {
    files: gone.map(({ file }) => file),
    images: gone.reduce((total, { images }) => total + (images ?? 0), 0),
    failed: gone.length < ended.length,
  };
}

/** How many pictures; null when the bucket failed. */
async function erasePictures(
  bucket: R2Bucket,
  owner: PictureOwner,
  { subject: callId }: PersonalFile,
): Promise<number | null> {
  try {
    const stored = await bucket.get(recordKey(owner, callId));
    // Given in the reply alone, or erased by an earlier try.
    if (stored === null) return 0;
    const { pictures } = await stored.json<Pick<PictureRecord, "pictures">>();
    await bucket.delete(pictures.map(({ id }) => pictureKey(owner, id)));
    await bucket.delete(recordKey(owner, callId));
    return pictures.length;
  } catch {
    return null;
  }
}
