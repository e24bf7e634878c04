import type { Picture } from "../engines/picture.ts";
import {
  type PictureOwner,
  pictureKey,
  type PictureRecord,
  recordKey,
  type StoredPicture,
} from "../domain/generation/stored-picture.ts";
import type { EngineFailure } from "../domain/ledger/failure.ts";
import { twice, within } from "../io/bucket.ts";

// Pictures into the bucket, before the call is settled: what is answered can be read. They are paid
// for by then, so a bucket that fails is told as what it is, and never as a reason to ask again.

/** A picture that was made, under the id that it will have. */
export interface MadePicture {
  readonly id: string;
  readonly seed: number | null;
  readonly picture: Picture;
}

const NOT_STORED = {
  kind: "engine_failed",
  charged: true,
  detail: "The pictures were made and could not be stored.",
} as const satisfies EngineFailure;

export async function keepPictures(
  bucket: R2Bucket,
  owner: PictureOwner,
  call: {
    readonly record: Omit<PictureRecord, "pictures">;
    readonly made: readonly MadePicture[];
  },
): Promise<{ readonly kind: "kept"; readonly record: PictureRecord } | typeof NOT_STORED> {
  const { record: facts, made } = call;
  const stored = await Promise.all(made.map((one) => storePicture(bucket, owner, facts, one)));
  const pictures = stored.filter((picture) => picture !== null);
  const record: PictureRecord = { ...facts, pictures };
  const json = JSON.stringify(record);
  const httpMetadata = { contentType: "application/json" };
  const written =
    pictures.length > 0 &&
    (await twice(() => bucket.put(recordKey(owner, facts.callId), json, { httpMetadata })));
  if (written) return { kind: "kept", record };
  // Without its record nobody is told of a picture: what lies there goes as far as the bucket lets it.
  await within(bucket.delete(pictures.map(({ id }) => pictureKey(owner, id)))).catch(() => {});
  return NOT_STORED;
}

async function storePicture(
  bucket: R2Bucket,
  owner: PictureOwner,
  { callId }: Pick<PictureRecord, "callId">,
  { id, seed, picture }: MadePicture,
): Promise<StoredPicture | null> {
  const contentType = `image/${picture.format}`;
  const options = { httpMetadata: { contentType }, customMetadata: { call: callId } };
  const written = await twice(() => bucket.put(pictureKey(owner, id), picture.bytes, options));
  const { width, height } = picture;
  return written ? { id, contentType, bytes: picture.bytes.byteLength, width, height, seed } : null;
}
