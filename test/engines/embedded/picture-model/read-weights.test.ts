import { describe, expect, it } from "vitest";
import { readWeights } from "../../../../src/engines/embedded/picture-model/read-weights.ts";

const MODEL = { model: "test", version: 3 };
const TENSORS = [
  ["a/kernel", [2, 2], -1, 0.5],
  ["b", [3], 0, 1],
];

/** A file with this header and these bytes behind it. */
function fileOf(header: unknown, bytes: readonly number[], claimed?: number): ArrayBuffer {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const file = new Uint8Array(4 + json.length + bytes.length);
  new DataView(file.buffer).setUint32(0, claimed ?? json.length, true);
  file.set(json, 4);
  file.set(bytes, 4 + json.length);
  return file.buffer;
}

const BYTES = [0, 1, 2, 255, 7, 8, 9];
const good = { ...MODEL, tensors: TENSORS };

describe("a file of weights", () => {
  it("gives each tensor once, by its name and shape", () => {
    const weights = readWeights(fileOf(good, BYTES), MODEL);
    expect(weights?.left).toBe(2);
    expect(weights?.take("a/kernel", [2, 2])).toEqual(new Float32Array([-1, -0.5, 0, 126.5]));
    expect(weights?.take("b", [3])).toEqual(new Float32Array([7, 8, 9]));
    expect(weights?.left).toBe(0);
    expect(weights?.take("b", [3])).toBeNull();
  });

  it("has no tensor of another name or shape", () => {
    const weights = readWeights(fileOf(good, BYTES), MODEL);
    expect(weights?.take("c", [3])).toBeNull();
    expect(weights?.take("a/kernel", [4])).toBeNull();
    expect(weights?.take("a/kernel", [2, 3])).toBeNull();
    expect(weights?.left).toBe(2);
  });

  it.each([
    ["nothing", new ArrayBuffer(0)],
    ["three bytes", new ArrayBuffer(3)],
    ["a header that is longer than the file", fileOf(good, BYTES, 1_000)],
    ["a header of 4 GB", fileOf(good, BYTES, 0xffff_ffff)],
    ["a header that is no JSON", fileOf("{", BYTES)],
    ["a header that is no object", fileOf("7", BYTES)],
    ["a header without tensors", fileOf(MODEL, BYTES)],
    ["another model", fileOf({ ...good, model: "other" }, BYTES)],
    ["another version", fileOf({ ...good, version: 4 }, BYTES)],
    ["a byte too few", fileOf(good, BYTES.slice(1))],
    ["a byte too many", fileOf(good, [...BYTES, 0])],
    ["a name twice", fileOf({ ...good, tensors: [TENSORS[1], TENSORS[1]] }, BYTES)],
    ["a tensor without a name", fileOf({ ...good, tensors: [[1, [7], 0, 1]] }, BYTES)],
    ["a tensor without a scale", fileOf({ ...good, tensors: [["a", [7], 0]] }, BYTES)],
    ["a shape of no numbers", fileOf({ ...good, tensors: [["a", "7", 0, 1]] }, BYTES)],
    ["a shape of a half", fileOf({ ...good, tensors: [["a", [3.5, 2], 0, 1]] }, BYTES)],
    ["a negative shape", fileOf({ ...good, tensors: [["a", [-7, -1], 0, 1]] }, BYTES)],
    ["a shape beyond all memory", fileOf({ ...good, tensors: [["a", [2 ** 40], 0, 1]] }, BYTES)],
  ])("is refused where it is %s", (_, file) => {
    expect(readWeights(file, MODEL)).toBeNull();
  });
});
