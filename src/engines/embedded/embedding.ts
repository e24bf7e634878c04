import { normalForm } from "../../domain/text/normal-form.ts";
import { fnv1a } from "./fnv1a.ts";

// Vectors without a model: the hashing trick (Weinberger et al., 2009) over words and their letters.
// Texts that share words get vectors near each other; their meaning plays no part.

export const HASHING_MODEL = "neurogate/hashing@1";

/** The vector lengths of the models that it stands in for. Source: their model cards. */
const DIMENSIONS: Readonly<Record<string, number>> = {
  "@cf/baai/bge-small-en-v1.5": 384,
  "@cf/baai/bge-base-en-v1.5": 768,
  "@cf/google/embeddinggemma-300m": 768,
  "@cf/baai/bge-large-en-v1.5": 1024,
  "@cf/baai/bge-m3": 1024,
  "@cf/qwen/qwen3-embedding-0.6b": 1024,
  "@cf/pfnet/plamo-embedding-1b": 2048,
};

/** Null for a model whose length is not known. */
export const dimensionsOf = (model: string): number | null =>
  Object.hasOwn(DIMENSIONS, model) ? (DIMENSIONS[model] ?? null) : null;

/** The most of any model. */
export const MOST_DIMENSIONS = Math.max(...Object.values(DIMENSIONS));

/** A word counts for itself and, by a third, for each of its trigrams, so that forms are near. */
const TRIGRAM_WEIGHT = 1 / 3;

/**
 * Characters of a text that are read: none of the models reads more than 8,192 tokens. One letter can
 * become eighteen in its normal form, so the text is cut before and after normalisation.
 */
const READ_CHARS = 32_768;

/** @returns a vector of unit length; the same text and length always give the same one */
export function hashedVector(text: string, dimensions: number): number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  const add = (hash: number, weight: number): void => {
    const at = hash % dimensions;
    // Another bit of the hash is the sign, so that collisions cancel rather than add up.
    vector[at] = (vector[at] ?? 0) + (hash >= 0x80000000 ? -weight : weight);
  };
  const read = normalForm(text.slice(0, READ_CHARS), "NFKC").slice(0, READ_CHARS).toLowerCase();
  for (const [word] of read.matchAll(/[\p{L}\p{N}]+/gu)) {
    add(fnv1a(word), 1);
    const padded = `<${word}>`;
    for (let at = 0; at + 3 <= padded.length; at += 1) {
      add(fnv1a(padded, at, at + 3), TRIGRAM_WEIGHT);
    }
  }
  const norm = Math.hypot(...vector);
  // A text without words points nowhere; a vector of length 0 would break every cosine.
  if (norm === 0) return vector.with(0, 1);
  return vector.map((value) => value / norm);
}
