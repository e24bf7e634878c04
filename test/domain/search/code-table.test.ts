import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CodeTable, type VectorRef } from "../../../src/domain/search/code-table.ts";
import { cosine, encodeVector, unitVector } from "../../../src/domain/search/vector-code.ts";
import { plainProducts } from "./plain-products.ts";

const DIMENSIONS = 12;

/** Few steps, so that many vectors are equal or nearly so. */
const vectors = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS })
  .filter((numbers) => numbers.some((number) => number !== 0))
  .map((numbers) => unitVector(numbers) ?? new Float32Array(DIMENSIONS));

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ set: fc.nat({ max: 8 }), vector: vectors }) },
    { weight: 1, arbitrary: fc.record({ removed: fc.nat({ max: 8 }) }) },
  ),
  { maxLength: 120 },
);

describe("vector codes", () => {
  it("differ from their vector by no more than they say, for every query", () => {
    fc.assert(
      fc.property(vectors, vectors, (vector, query) => {
        const { code, scale, residual } = encodeVector(vector);
        const coded = query.reduce((sum, value, at) => sum + value * scale * (code[at] ?? 0), 0);
        expect(Math.abs(coded - cosine(vector, query))).toBeLessThanOrEqual(residual);
      }),
    );
  });

  it.each([[[]], [[0, 0, 0]], [[1, Number.NaN]], [[Infinity, 1]]])(
    "have none for a vector without a direction: %j",
    (numbers) => {
      expect(unitVector(numbers)).toBeNull();
    },
  );
});

describe("CodeTable", () => {
  it("names every vector that is among the nearest, whatever came and went", () => {
    fc.assert(
      fc.property(
        steps,
        vectors,
        fc.integer({ min: 1, max: 12 }),
        fc.nat({ max: 8 }),
        (history, query, most, hidden) => {
          const table = new CodeTable(DIMENSIONS, plainProducts, 5000);
          let model: { readonly ref: VectorRef; readonly vector: Float32Array }[] = [];
          for (const [ordinal, step] of history.entries()) {
            if ("removed" in step) {
              table.removeSet(`set ${step.removed}`);
              model = model.filter(({ ref }) => ref.set !== `set ${step.removed}`);
            } else {
              const ref = { set: `set ${step.set}`, ordinal };
              table.add(ref, encodeVector(step.vector));
              model.push({ ref, vector: step.vector });
            }
          }
          expect(table.size).toBe(model.length);
          const takes = (set: string): boolean => set !== `set ${hidden}`;
          const named = table.nearest(query, most, takes);
          expect(named.every(({ set }) => takes(set))).toBe(true);
          const names = new Set(named.map(({ ordinal }) => ordinal));
          expect(names.size).toBe(named.length);
          const scores = model
            .filter(({ ref }) => takes(ref.set))
            .map(({ ref, vector }) => ({ ref, score: cosine(vector, query) }))
            .toSorted((a, b) => b.score - a.score);
          const least = scores[most - 1]?.score ?? -Infinity;
          for (const { ref, score } of scores) {
            if (score >= least) expect(names.has(ref.ordinal)).toBe(true);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("names the nearest of vectors whose codes are all alike", () => {
    const table = new CodeTable(DIMENSIONS, plainProducts, 5000);
    let seed = 5;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5;
    const base = Array.from({ length: DIMENSIONS }, random);
    const near = (): Float32Array =>
      unitVector(base.map((value) => value + random() / 500)) ?? new Float32Array(DIMENSIONS);
    const all = Array.from({ length: 300 }, near);
    for (const [ordinal, vector] of all.entries()) {
      table.add({ set: "a", ordinal }, encodeVector(vector));
    }
    for (let search = 0; search < 20; search += 1) {
      const query = near();
      const scores = all.map((vector, ordinal) => ({ ordinal, score: cosine(vector, query) }));
      const best = scores.toSorted((x, y) => y.score - x.score).slice(0, 10);
      const named = new Set(table.nearest(query, 10, () => true).map(({ ordinal }) => ordinal));
      expect(best.filter(({ ordinal }) => !named.has(ordinal))).toEqual([]);
    }
  });

  it("names few of many", () => {
    const table = new CodeTable(DIMENSIONS, plainProducts, 5000);
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5;
    const drawn = (): Float32Array =>
      unitVector(Array.from({ length: DIMENSIONS }, random)) ?? new Float32Array(DIMENSIONS);
    for (let at = 0; at < 2000; at += 1)
      table.add({ set: "a", ordinal: at }, encodeVector(drawn()));
    expect(table.nearest(drawn(), 10, () => true).length).toBeLessThan(40);
  });

  it("refuses a vector of another length", () => {
    const code = encodeVector(Float32Array.of(1, 0));
    expect(() => new CodeTable(3, plainProducts, 10).add({ set: "a", ordinal: 0 }, code)).toThrow(
      RangeError,
    );
  });

  it("takes no more vectors than it may, and keeps no room for others", () => {
    const table = new CodeTable(16, plainProducts, 300);
    const code = encodeVector(
      unitVector(Array.from({ length: 16 }, (_, at) => at)) as Float32Array,
    );
    for (let ordinal = 0; ordinal < 300; ordinal += 1) table.add({ set: "a", ordinal }, code);
    expect(table.bytes).toBe(300 * (16 + 8 + 8));
    expect(() => table.add({ set: "a", ordinal: 300 }, code)).toThrow(RangeError);
  });
});
