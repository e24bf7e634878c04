import { describe, expect, it } from "vitest";
import {
  isTransparent,
  shrinkInto,
} from "../../../../src/engines/embedded/picture-model/shrink.ts";
import type { Pixels } from "../../../../src/engines/embedded/pixels.ts";

/** A picture of grey pixels, row by row; each may have an alpha of its own. */
function grey(width: number, ...values: readonly (number | readonly [number, number])[]): Pixels {
  const data = new Uint8ClampedArray(
    values.flatMap((value) => {
      const [level, alpha] = typeof value === "number" ? [value, 255] : value;
      return [level, level, level, alpha];
    }),
  );
  return { data, width, height: values.length / width };
}

/** The red of each pixel that comes out, as it would be from 0 to 255. */
function shrunk(pixels: Pixels, side: number, background: "white" | "black" = "white"): number[] {
  const out = new Float32Array(side * side * 3);
  shrinkInto(out, pixels, { side, background });
  return Array.from({ length: side * side }, (_, at) => Math.round((out[3 * at] ?? 0) * 2550) / 10);
}

describe("a picture made small", () => {
  it("keeps its corners and takes the middle between them", () => {
    expect(shrunk(grey(2, 0, 100, 200, 40), 3)).toEqual([0, 50, 100, 100, 85, 70, 200, 120, 40]);
  });

  it("of the right size is as it was", () => {
    expect(shrunk(grey(3, 1, 2, 3, 4, 5, 6, 7, 8, 9), 3)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("of one pixel is that pixel everywhere", () => {
    expect(shrunk(grey(1, 77), 2)).toEqual([77, 77, 77, 77]);
  });

  it("may be one row or one column", () => {
    expect(shrunk(grey(5, 0, 9, 20, 9, 40), 3)).toEqual([0, 20, 40, 0, 20, 40, 0, 20, 40]);
    expect(shrunk(grey(1, 0, 9, 20, 9, 40), 3)).toEqual([0, 0, 0, 20, 20, 20, 40, 40, 40]);
  });

  it("keeps colours apart", () => {
    const pixels = { data: new Uint8ClampedArray([255, 102, 51, 255]), width: 1, height: 1 };
    const out = new Float32Array(3 * 4);
    shrinkInto(out, pixels, { side: 2, background: "white" });
    expect(Array.from(out.slice(0, 3), (value) => Math.round(value * 255))).toEqual([255, 102, 51]);
  });

  it("lets the page be seen through what is transparent", () => {
    expect(shrunk(grey(1, [100, 0]), 2, "white")[0]).toBe(255);
    expect(shrunk(grey(1, [100, 0]), 2, "black")[0]).toBe(0);
    expect(shrunk(grey(1, [100, 51]), 2, "white")[0]).toBe(224);
    expect(shrunk(grey(1, [100, 51]), 2, "black")[0]).toBe(20);
  });

  it("stays within its pixels for every size", () => {
    for (const [width, height] of [
      [8_000, 1],
      [1, 8_000],
      [223, 2],
      [2, 225],
    ] as const) {
      const pixels = { data: new Uint8ClampedArray(width * height * 4).fill(255), width, height };
      // A place beyond the picture would read as nothing, which is transparent and black here.
      expect(shrunk(pixels, 224, "black").every((value) => value === 255)).toBe(true);
    }
  });

  it("is transparent where a single pixel is", () => {
    expect(isTransparent(grey(2, 1, 2, 3, 4))).toBe(false);
    expect(isTransparent(grey(2, 1, 2, 3, [4, 254]))).toBe(true);
  });
});
