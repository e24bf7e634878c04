/** Null: this deployment has no bucket, so that pictures are in replies only. */
export const bucketOf = (env: Env): R2Bucket | null => (env as Partial<Env>).IMAGES ?? null;
