import { describe, expect, it } from "vitest";
import { readEmbeddingList } from "../../src/engines/embedding-vectors.ts";

const base64 = (...numbers: number[]): string => {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  for (const [place, number] of numbers.entries()) view.setFloat32(4 * place, number, true);
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
};

describe("a list of embeddings", () => {
  it("is in the order of the indices", () => {
    const data = [
      { index: 1, embedding: [3, 4] },
      { index: 0, embedding: [1, 2] },
    ];
    expect(readEmbeddingList({ data }, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("is in the order of the list if no item has an index", () => {
    const data = [{ embedding: [1, 2] }, { index: null, embedding: [3, 4] }];
    expect(readEmbeddingList({ data }, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("is refused if only some items have an index, or two the same", () => {
    const some = [{ embedding: [1] }, { index: 1, embedding: [2] }];
    const same = [
      { index: 0, embedding: [1] },
      { index: 0, embedding: [2] },
    ];
    expect(readEmbeddingList({ data: some }, 2)).toBeNull();
    expect(readEmbeddingList({ data: same }, 2)).toBeNull();
  });

  it("reads base64 of little-endian float32", () => {
    const data = [{ index: 0, embedding: base64(0.5, -2, 1024) }];
    expect(readEmbeddingList({ data }, 1)).toEqual([[0.5, -2, 1024]]);
  });

  it.each([
    ["no base64", "%%%"],
    ["a cut number", btoa("abcde")],
    ["an empty string", ""],
    ["no finite number", base64(Number.NaN)],
  ])("refuses %s", (_what, embedding) => {
    expect(readEmbeddingList({ data: [{ index: 0, embedding }] }, 1)).toBeNull();
  });
});
