import * as v from "valibot";
import { PICTURE_STYLES } from "../domain/generation/picture-prompt.ts";
import {
  PICTURE_ID,
  type PictureOwner,
  pictureKey,
  type PictureRecord,
  recordKey,
  type StoredPicture,
  VARIED_BY,
} from "../domain/generation/stored-picture.ts";

// Reads a picture's stored record. Null for a missing one, whoever asks.

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const Stored = v.object({
  version: v.literal(1),
  callId: v.string(),
  requestId: v.string(),
  createdAtMs: count,
  userId: v.nullable(v.string()),
  metadata: v.record(v.string(), v.string()),
  prompt: v.string(),
  style: v.nullable(v.picklist(PICTURE_STYLES)),
  negativePrompt: v.nullable(v.string()),
  model: v.string(),
  ran: v.nullable(v.string()),
  engine: v.nullable(v.string()),
  width: count,
  height: count,
  steps: count,
  variation: v.nullable(v.object({ of: v.string(), by: v.picklist(VARIED_BY) })),
  pictures: v.array(
    v.object({
      id: v.string(),
      contentType: v.string(),
      bytes: count,
      width: count,
      height: count,
      seed: v.nullable(count),
    }),
  ),
});

export interface FoundPicture {
  readonly record: PictureRecord;
  readonly picture: StoredPicture;
}

export async function readPictureRecord(
  bucket: R2Bucket,
  owner: PictureOwner,
  id: string,
): Promise<FoundPicture | null> {
  if (!PICTURE_ID.test(id)) return null;
  const object = await bucket.head(pictureKey(owner, id));
  const callId = object?.customMetadata?.["call"];
  const record = callId === undefined ? null : await readCallRecord(bucket, owner, callId);
  const picture = record?.pictures.find((each) => each.id === id);
  return record === null || picture === undefined ? null : { record, picture };
}

/** The stored record of a call's pictures. */
export async function readCallRecord(
  bucket: R2Bucket,
  owner: PictureOwner,
  callId: string,
): Promise<PictureRecord | null> {
  const stored = await bucket.get(recordKey(owner, callId));
  if (stored === null) return null;
  const parsed = v.safeParse(Stored, await stored.json());
  return parsed.success ? parsed.output : null;
}
