import type { ErasedCounts } from "../../../src/domain/tenant/erasure.ts";
import {
  contentKey,
  type PictureOwner,
  pictureKey,
  type PictureRecord,
  recordKey,
} from "../../../src/domain/generation/stored-picture.ts";
import { variantsPrefix } from "../../../src/domain/generation/picture-variant.ts";
import { responseKey } from "../../../src/domain/responses/kept-response.ts";
import { documentKeys } from "../../../src/domain/documents/document.ts";
import { MOST_PICTURES } from "../verdicts/contents.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { PersonalFile } from "./erasure-store.ts";

/** In one alarm: four requests to the bucket each, of the fifty that the free plan gives it. */
export const MOST_FILES = 12;

/** Those that lie in the bucket. */
export type BucketFile = PersonalFile & {
  readonly kind: "image_call" | "content" | "response" | "document" | "archive";
};

export const isInBucket = (file: PersonalFile): file is BucketFile =>
  Object.hasOwn(ERASE, file.kind);

export interface ErasedFiles {
  readonly files: readonly PersonalFile[];
  readonly counts: readonly ErasedCounts[];
  /** The bucket failed for some: they are tried again. */
  readonly failed: boolean;
}

/** Whose files: a person's, of one generation of a tenant. */
export interface FilesOf extends PictureOwner {
  readonly userId: string;
  /** Takes the person out of an archived day of the journal. */
  readonly archived?: (day: Day) => Promise<ErasedCounts>;
}

/** Archived days looked through in one alarm: each is read whole, and may be written anew. */
const MOST_DAYS = 3;

/** One after the other, since each takes memory; those beyond some wait for the next time. */
export function oneByOne(
  erase: (day: Day) => Promise<ErasedCounts>,
): (day: Day) => Promise<ErasedCounts> {
  let begun = 0;
  let before: Promise<unknown> = Promise.resolve();
  return (day) => {
    begun += 1;
    if (begun > MOST_DAYS) return Promise.reject(new Error("later"));
    const turn = before.then(() => erase(day));
    before = turn.catch(() => undefined);
    return turn;
  };
}

/** By what was found: how it is erased. Each can be repeated at any point, and throws when it must be. */
const ERASE: Readonly<
  Record<
    BucketFile["kind"],
    (bucket: R2Bucket, of: FilesOf, subject: string) => Promise<ErasedCounts>
  >
> = {
  image_call: erasePictures,
  content: eraseContent,
  response: eraseResponse,
  document: eraseDocument,
  archive: eraseFromArchive,
};

/** Erases what of a person lies in the bucket. */
export async function erasePersonalFiles(
  bucket: R2Bucket,
  of: FilesOf,
  files: readonly BucketFile[],
): Promise<ErasedFiles> {
  const ended = await Promise.all(
    files.map(async (file) => {
      const counts = await ERASE[file.kind](bucket, of, file.subject).catch(() => null);
      return { file, counts };
    }),
  );
  const gone = ended.flatMap(({ file, counts }) => (counts === null ? [] : [{ file, counts }]));
  return {
    files: gone.map(({ file }) => file),
    counts: gone.map(({ counts }) => counts),
    failed: gone.length < ended.length,
  };
}

async function eraseFromArchive(
  _: R2Bucket,
  { archived }: FilesOf,
  day: string,
): Promise<ErasedCounts> {
  return (await archived?.(Number(day))) ?? {};
}

/** Those of them that were kept. */
async function eraseContent(
  bucket: R2Bucket,
  owner: PictureOwner,
  verdictId: string,
): Promise<ErasedCounts> {
  const all = Array.from({ length: MOST_PICTURES }, (_, at) => contentKey(owner, verdictId, at));
  await bucket.delete(all);
  return {};
}

async function eraseResponse(
  bucket: R2Bucket,
  owner: PictureOwner,
  id: string,
): Promise<ErasedCounts> {
  await bucket.delete(responseKey(owner, id));
  return {};
}

async function eraseDocument(
  bucket: R2Bucket,
  owner: PictureOwner,
  callId: string,
): Promise<ErasedCounts> {
  await bucket.delete([...documentKeys(owner, callId)]);
  return {};
}

/**
 * The record goes after its pictures: as long as it is there, they are found by it. Variants are found by
 * the call alone: at most 8 pictures have at most 16 each, which one request lists.
 */
async function erasePictures(
  bucket: R2Bucket,
  owner: PictureOwner,
  callId: string,
): Promise<ErasedCounts> {
  const stored = await bucket.get(recordKey(owner, callId));
  // Without a record: given in the reply alone, or erased by an earlier try.
  const { pictures } = (await stored?.json<Pick<PictureRecord, "pictures">>()) ?? { pictures: [] };
  const variants = await bucket.list({ prefix: variantsPrefix(owner, callId) });
  const keys = [
    ...pictures.map(({ id }) => pictureKey(owner, id)),
    ...variants.objects.map(({ key }) => key),
  ];
  if (keys.length > 0) await bucket.delete(keys);
  if (stored === null) return {};
  await bucket.delete(recordKey(owner, callId));
  return { images: pictures.length };
}
