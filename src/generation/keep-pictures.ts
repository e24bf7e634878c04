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

// Stores pictures in the bucket before the call is settled, so that the reply names readable pictures. They
// were paid for by then, so a failure of the bucket is reported as such, and never as a reason to call again.

/** A picture that was made, with its future id. */
export interface MadePicture {
  readonly id: string;
  readonly seed: number | null;
  readonly picture: Picture;
}

const NOT_STORED = {
  kind: "engine_failed",
  charged: true,
  detail: "The pictures were made but could not be stored.",
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
  // Pictures without a record are never named to anyone: delete them if the bucket allows it.
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
