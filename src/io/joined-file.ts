// Many values in one file of a bucket, each as JSON. One range of the file is read at a time.

/** The file, and where each value ends in it, in bytes. */
export function joinedFile(values: readonly unknown[]): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: number[];
} {
  const encoder = new TextEncoder();
  const pieces = values.map((value) => encoder.encode(JSON.stringify(value)));
  const ends: number[] = [];
  let end = 0;
  for (const piece of pieces) ends.push((end += piece.byteLength));
  const bytes = new Uint8Array(end);
  for (const [at, piece] of pieces.entries()) bytes.set(piece, ends[at - 1] ?? 0);
  return { bytes, ends };
}

/**
 * Some values by their indexes, which ascend. Null: the file is missing.
 *
 * @throws when the bucket does not answer
 */
export async function readJoined(
  bucket: R2Bucket,
  key: string,
  { ends, indexes }: { readonly ends: readonly number[]; readonly indexes: readonly number[] },
): Promise<ReadonlyMap<number, unknown> | null> {
  const [first] = indexes;
  const last = indexes.at(-1);
  if (first === undefined || last === undefined) return new Map();
  const offset = ends[first - 1] ?? 0;
  const length = (ends[last] ?? 0) - offset;
  const object = await bucket.get(key, { range: { offset, length } });
  if (object === null) return null;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const decoder = new TextDecoder();
  return new Map(
    indexes.map((index) => {
      const from = (ends[index - 1] ?? 0) - offset;
      const text = decoder.decode(bytes.subarray(from, (ends[index] ?? 0) - offset));
      return [index, JSON.parse(text) as unknown];
    }),
  );
}

/** A request may have died before its file was there: its repeat brings it. */
export const isFileThere = (bucket: R2Bucket, key: string): Promise<boolean> =>
  bucket.head(key).then(
    (object) => object !== null,
    () => true,
  );

/** @returns false: the bucket failed */
export const keepFile = (
  bucket: R2Bucket,
  key: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<boolean> =>
  bucket.put(key, bytes).then(
    () => true,
    () => false,
  );
