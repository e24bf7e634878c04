import type {
  KeptContent,
  KeptPicture,
} from "../../durable-objects/tenant/verdicts/content-store.ts";
import { contentKey, type PictureOwner } from "../domain/generation/stored-picture.ts";
import type { Picture } from "../engines/picture.ts";
import { twice } from "../io/bucket.ts";
import type { Content } from "./content.ts";

// Stores moderated content for reviewers: texts with the settlement, pictures in the bucket before it. A
// picture that could not be stored is marked, and does not fail the verdict.

/** @param pictures the pictures that were judged; others are stored if the caller sent their bytes */
export async function keptContent(
  bucket: R2Bucket | null,
  owner: PictureOwner,
  { content, pictures }: { content: Content; pictures: readonly (Picture | null)[] },
): Promise<KeptContent> {
  const { verdictId, text } = content;
  const kept = await Promise.all(
    content.pictures.map(async (source, at) => {
      const picture = pictures[at] ?? (source.kind === "picture" ? source.picture : null);
      return picture === null
        ? null
        : keptPicture(bucket, contentKey(owner, verdictId, at), picture);
    }),
  );
  return { verdictId, text, pictures: kept };
}

async function keptPicture(
  bucket: R2Bucket | null,
  key: string,
  { bytes, format }: Picture,
): Promise<KeptPicture> {
  const contentType = `image/${format}`;
  const options = { httpMetadata: { contentType } };
  const kept = bucket !== null && (await twice(() => bucket.put(key, bytes, options)));
  return { contentType, bytes: bytes.byteLength, kept };
}
