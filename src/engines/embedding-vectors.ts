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

/**
 * OpenAI's list, which may come in any order. If no item has an `index`, the list is in the order of
 * the texts. Some servers send base64 even if they were asked for numbers.
 */
export function readEmbeddingList(value: unknown, texts: number): number[][] | null {
  const data = field(value, "data");
  if (!Array.isArray(data) || data.length !== texts) return null;
  const isOrdered = data.every((item) => (field(item, "index") ?? null) === null);
  const ordered: unknown[] = Array.from({ length: texts }, () => undefined);
  for (const [place, item] of data.entries()) {
    const index = isOrdered ? place : field(item, "index");
    if (typeof index === "number") ordered[index] = numbersOf(field(item, "embedding"));
  }
  return readVectors(ordered, texts);
}

const FLOAT_BYTES = 4;

/** The numbers of a base64 string of little-endian float32; anything else as it is. */
function numbersOf(embedding: unknown): unknown {
  if (typeof embedding !== "string") return embedding;
  let binary: string;
  try {
    binary = atob(embedding);
  } catch {
    return null;
  }
  if (binary.length % FLOAT_BYTES !== 0) return null;
  const view = new DataView(Uint8Array.from(binary, (byte) => byte.charCodeAt(0)).buffer);
  return Array.from({ length: binary.length / FLOAT_BYTES }, (_, place) =>
    view.getFloat32(place * FLOAT_BYTES, true),
  );
}
