import { generationPrefix } from "../../../src/domain/generation/stored-picture.ts";
import type { FileSweep } from "./file-sweep-store.ts";

/** Objects listed, and deleted, in one request: as many as R2 takes. */
const BATCH = 1000;

/** Batches in one go; what is left is taken up by the alarm. */
const MOST_BATCHES = 5;

/** Whether nothing of that life is left in the bucket. Can be repeated at any point. */
export async function eraseFiles(
  bucket: R2Bucket,
  { tenant, generation }: Pick<FileSweep, "tenant" | "generation">,
): Promise<boolean> {
  const prefix = generationPrefix({ tenant, generation });
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each batch is listed after the last was deleted
    const { objects, truncated } = await bucket.list({ prefix, limit: BATCH });
    // oxlint-disable-next-line no-await-in-loop
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return true;
  }
  return false;
}
