import * as v from "valibot";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import {
  type KeptReply,
  type KeptResponse,
  MOST_HISTORY_BYTES,
  responseKey,
} from "../domain/responses/kept-response.ts";
import { twice, within } from "../io/bucket.ts";

// Files of kept responses. The tenant's object knows of a response before its file is written, so that no
// file is ever without a row by which it is found, expires and is erased.

/**
 * Keeps a response, unless its file is larger than a history may be.
 *
 * @param note makes the row in the tenant's object, with the bytes of the file; false: it is not to be kept
 * @returns whether it will be found; false also where the object or the bucket failed
 */
export async function keepResponse(
  bucket: R2Bucket,
  owner: PictureOwner,
  kept: KeptResponse,
  note: (bytes: number) => Promise<boolean>,
): Promise<boolean> {
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  if (bytes.byteLength > MOST_HISTORY_BYTES) return false;
  const isNoted = await note(bytes.byteLength).catch(() => false);
  if (!isNoted) return false;
  const httpMetadata = { contentType: "application/json" };
  return twice(() => bucket.put(responseKey(owner, kept.response.id), bytes, { httpMetadata }));
}

const Item = v.looseObject({
  type: v.picklist(["message", "function_call", "function_call_output", "reasoning"]),
  id: v.string(),
});

const Stored = v.object({
  version: v.literal(1),
  userId: v.nullable(v.string()),
  input: v.array(Item),
  response: v.looseObject({ id: v.string(), output: v.array(Item) }),
});

/**
 * A kept response; null: there is none.
 *
 * @throws when the bucket does not answer
 */
export async function readResponse<Reply extends KeptReply = KeptReply>(
  bucket: R2Bucket,
  owner: PictureOwner,
  id: string,
): Promise<KeptResponse<Reply> | null> {
  const stored = await within(bucket.get(responseKey(owner, id)));
  if (stored === null) return null;
  const parsed = v.safeParse(Stored, await stored.json());
  // Written by `keepResponse`, of items that were parsed then.
  return parsed.success ? (parsed.output as unknown as KeptResponse<Reply>) : null;
}
