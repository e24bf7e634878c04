import { field } from "./engine-call.ts";

/** A hundred texts of 1,024 numbers, each written with up to twenty digits. */
export const MAX_VECTORS_BYTES = 4 * 1024 * 1024;

/** One vector of finite numbers for each text, all of one length; null for anything else. */
export function readVectors(value: unknown, texts: number): number[][] | null {
  if (!Array.isArray(value) || value.length !== texts) return null;
  const vectors: number[][] = [];
  for (const vector of value) {
    if (!Array.isArray(vector) || vector.length === 0) return null;
    if (vector.length !== (vectors[0] ?? vector).length) return null;
    if (!vector.every((number) => Number.isFinite(number))) return null;
    vectors.push(vector);
  }
  return vectors;
}

/** OpenAI's list, which may come in any order. */
export function readEmbeddingList(value: unknown, texts: number): number[][] | null {
  const data = field(value, "data");
  if (!Array.isArray(data) || data.length !== texts) return null;
  const ordered: unknown[] = Array.from({ length: texts }, () => undefined);
  for (const item of data) {
    const index = field(item, "index");
    if (typeof index === "number") ordered[index] = field(item, "embedding");
  }
  return readVectors(ordered, texts);
}
