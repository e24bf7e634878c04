import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vectorProducts } from "../../durable-objects/vectors/vector-products.ts";
import { encodeQuery, encodeVector } from "../../src/domain/search/vector-code.ts";
import { plainProducts } from "../domain/search/plain-products.ts";
import { seeded } from "./a-set.ts";

const LANE = 16;

function both(query: Int16Array, codes: Int8Array) {
  const rows = codes.length / query.length;
  const [found, expected] = [new Int32Array(rows), new Int32Array(rows)];
  vectorProducts(query, codes, found);
  plainProducts(query, codes, expected);
  return { found, expected };
}

describe("vectorProducts", () => {
  it("gives the sums as they are defined, for any number of rows and lanes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 0, max: 40 }),
        fc.nat(),
        (lanes, rows, seed) => {
          const random = seeded(seed + 1);
          const length = lanes * LANE;
          const query = Int16Array.from({ length }, () => (random() - 0.5) * 32_000);
          const codes = Int8Array.from({ length: length * rows }, () => (random() - 0.5) * 254);
          const { found, expected } = both(query, codes);
          expect(found).toEqual(expected);
        },
      ),
    );
  });

  it("goes on from block to block of its memory", () => {
    const random = seeded(3);
    const length = 1024;
    const query = Int16Array.from({ length }, () => (random() - 0.5) * 32_000);
    const codes = Int8Array.from({ length: length * 1300 }, () => (random() - 0.5) * 254);
    const { found, expected } = both(query, codes);
    expect(found).toEqual(expected);
  });

  it.each([384, 1024, 4096])("keeps the largest sums of %i numbers in 32 bits", (length) => {
    const vector = new Float32Array(length).fill(1 / Math.sqrt(length));
    const query = encodeQuery(vector, length).code;
    const { code } = encodeVector(vector);
    const codes = Int8Array.from([...code, ...code.map((value) => -value)]);
    const { found, expected } = both(query, codes);
    expect(found).toEqual(expected);
    expect(found[0]).toBeGreaterThan(2 ** 30);
    expect(found[1]).toBe(-(found[0] ?? 0));
  });

  it("refuses a vector that its memory cannot take", () => {
    const query = new Int16Array(320_000);
    expect(() => vectorProducts(query, new Int8Array(320_000), new Int32Array(1))).toThrow(
      RangeError,
    );
  });
});
