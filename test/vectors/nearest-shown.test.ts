import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  byScore,
  type PlacedHit,
  VECTORIZE,
  type VectorSet,
} from "../../src/domain/search/vector-set.ts";
import { nearestShown } from "../../src/search/nearest-shown.ts";
import type { VectorIndex } from "../../src/vectors/vector-index.ts";
import { vectorizeIndex } from "../../src/vectors/vectorize-index.ts";
import { aSet, drawnVector, seeded, SPACE } from "./a-set.ts";
import { FakeVectorize } from "./fake-vectorize.ts";

// The nearest passages that may be shown, though deleted documents have nearer ones.

const QUERY = { space: SPACE, vector: drawnVector(seeded(1)), filter: {} };

const setOf = (key: string): VectorSet => ({
  key,
  documentId: `doc_${key}`,
  type: "other",
  userId: null,
  revision: "jnl_1",
  space: SPACE,
  place: VECTORIZE,
  chunks: 1,
  state: "ready",
  dueAtMs: null,
  tries: 0,
});

const unused = () => Promise.reject(new Error("not used"));

/** A place with these hits. */
const placeOf = (
  hits: readonly PlacedHit[],
  { mostHits = 1000 } = {},
): VectorIndex & { readonly asked: number[] } => {
  const asked: number[] = [];
  return {
    asked,
    mostHits,
    write: unused,
    read: unused,
    remove: unused,
    search: async ({ most, without = [] }) => {
      asked.push(most);
      const left = hits.filter(({ set }) => !without.includes(set));
      return left.toSorted(byScore).slice(0, most);
    },
  };
};

const keyOf = (at: number): string => `vec_${String(at).padStart(3, "0")}`;

const hitsOf = (set: string, ...scores: readonly number[]): PlacedHit[] =>
  scores.map((score, ordinal) => ({ set, ordinal, score, passage: null }));

const keysOf = (hits: readonly PlacedHit[]) =>
  hits.map(({ set, ordinal }) => [set, ordinal] as const);

async function search(
  places: readonly VectorIndex[],
  live: (key: string) => boolean,
  most: number,
) {
  const found = await nearestShown(places, { ...QUERY, most }, async (keys) => ({
    kind: "sets",
    sets: keys.filter(live).map(setOf),
  }));
  if (found.kind !== "nearest") throw new Error(found.kind);
  return found;
}

describe("nearestShown", () => {
  it("is what a comparison with all that may be shown finds, in any places", async () => {
    const set = fc.record({
      place: fc.nat({ max: 2 }),
      isLive: fc.boolean(),
      scores: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(set, { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        async (sets, most) => {
          const all = sets.map(({ scores }, at) => hitsOf(keyOf(at), ...scores));
          const live = new Set(sets.flatMap(({ isLive }, at) => (isLive ? [keyOf(at)] : [])));
          const places = [0, 1, 2].map((number) =>
            placeOf(all.filter((_, at) => sets[at]?.place === number).flat()),
          );
          const found = await search(places, (one) => live.has(one), most);
          const expected = all
            .flat()
            .filter((hit) => live.has(hit.set))
            .toSorted(byScore)
            .slice(0, most);
          expect(keysOf(found.hits)).toEqual(keysOf(expected));
          expect(found.isComplete).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("passes over 5,000 passages of as many deleted documents, in few rounds", async () => {
    const gone = Array.from({ length: 5000 }, (_, at) => hitsOf(`gone_${at}`, 0.9)).flat();
    const place = placeOf([...gone, ...hitsOf("live", 0.1)]);
    const found = await search([place], (key) => key === "live", 5);
    expect(keysOf(found.hits)).toEqual([["live", 0]]);
    expect(found.isComplete).toBe(true);
    expect(place.asked.length).toBeLessThanOrEqual(9);
    expect(Math.max(...place.asked)).toBe(1000);
  });

  it("says so where it ends before", async () => {
    const gone = Array.from({ length: 200 }, (_, at) => hitsOf(`gone_${at}`, 0.9)).flat();
    const place = placeOf([...gone, ...hitsOf("live", 0.1)], { mostHits: 20 });
    const found = await search([place], (key) => key === "live", 5);
    expect(found).toMatchObject({ hits: [], isComplete: false });
    expect(place.asked).toHaveLength(9);
  });

  it("asks once where nothing is hidden", async () => {
    const place = placeOf(hitsOf("live", ...Array.from({ length: 90 }, (_, at) => at / 100)));
    const found = await search([place], () => true, 5);
    expect(found.hits).toHaveLength(5);
    expect(found.isComplete).toBe(true);
    expect(place.asked).toEqual([15]);
  });

  it("says that the hits of Vectorize may end before those that may be shown", async () => {
    const fake = new FakeVectorize(SPACE.dimensions, ["owner", "document", "type", "user"]);
    const index = vectorizeIndex(
      { binding: fake, separation: "namespaces" },
      { tenant: "ada", generation: 1 },
    );
    const { vector } = QUERY;
    const gone = aSet(Array.from({ length: 99 }, () => vector));
    const live = aSet([drawnVector(seeded(2)), drawnVector(seeded(3))]);
    await index.write(gone);
    await index.write(live);
    fake.settle();
    const isLive = (key: string) => key === live.key;
    const shard = placeOf(hitsOf("shard", -0.9));
    const found = await search([index, shard], (key) => isLive(key) || key === "shard", 3);
    // The hundredth hit of Vectorize is one of the two, and what the shard has is not left out.
    expect(found.hits.map(({ set }) => set)).toEqual([live.key, "shard"]);
    expect(found.isComplete).toBe(false);
    // One fewer, and there is no hit beyond the hundred.
    await index.remove({ key: gone.key, space: SPACE, chunks: 2 });
    fake.settle();
    const whole = await search([index, shard], (key) => isLive(key) || key === "shard", 3);
    expect(whole.hits.map(({ set }) => set)).toEqual([live.key, live.key, "shard"]);
    expect(whole.isComplete).toBe(true);
  });

  it("fails where the tenant's object does not answer", async () => {
    const place = placeOf(hitsOf("live", 0.5));
    const failed = nearestShown([place], { ...QUERY, most: 3 }, async () => ({
      kind: "unavailable",
    }));
    expect(await failed).toEqual({ kind: "unavailable" });
  });
});
