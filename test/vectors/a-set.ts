import { unitVector } from "../../src/domain/search/vector-code.ts";
import type { Space } from "../../src/domain/search/vector-set.ts";
import { newId } from "../../src/http/ids.ts";
import type { WrittenSet } from "../../src/vectors/vector-index.ts";

// Sets of vectors for tests. The vectors are drawn, so that which is near which is known only by comparing.

export const SPACE: Space = { model: "test/model@1", dimensions: 64 };

/** A vector of unit length. */
export function drawnVector(random: () => number, { dimensions }: Space = SPACE): Float32Array {
  const numbers = Array.from({ length: dimensions }, () => random() + random() + random() - 1.5);
  return (
    unitVector(numbers) ?? Float32Array.from({ length: dimensions }, (_, at) => Number(at === 0))
  );
}

/** A random number generator that a seed repeats: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function aSet(
  vectors: readonly Float32Array[],
  change: Partial<Omit<WrittenSet, "passages" | "vectors">> = {},
): WrittenSet {
  const all = new Float32Array(vectors.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const vector of vectors) {
    all.set(vector, at);
    at += vector.length;
  }
  return {
    key: newId("vec"),
    documentId: "doc_1",
    type: "report",
    userId: null,
    space: SPACE,
    passages: vectors.map((_, place) => ({
      start: place * 10,
      end: place * 10 + 9,
      text: `passage ${place}`,
    })),
    vectors: all,
    ...change,
  };
}
