import { describe, expect, it } from "vitest";
import { HEADS } from "../../src/tier0/heads.ts";
import { readWeights, RELEASE } from "../../src/tier0/weights.ts";
import { Tier0 } from "../../src/tier0/tier0.ts";
import { theWeights } from "./the-weights.ts";

const changed = (at: number, value: number): ArrayBuffer => {
  const bytes = theWeights();
  new Uint32Array(bytes)[at] = value;
  return bytes;
};

describe("the file of weights", () => {
  it("is the one that the source names, and small", async () => {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", theWeights()));
    const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(hash).toBe(RELEASE.sha256);
    expect(theWeights().byteLength).toBeLessThanOrEqual(1_400_000);
  });

  it("has layers of the shapes that are read", () => {
    const weights = readWeights(theWeights());
    expect(weights?.dense.outputBias).toHaveLength(HEADS.length);
    expect(weights?.wordHashes).toHaveLength(16_000);
    for (const layer of Object.values(weights?.dense ?? {})) {
      expect(layer.every(Number.isFinite)).toBe(true);
    }
  });

  it.each([
    ["nothing", new ArrayBuffer(0)],
    ["a header alone", theWeights().slice(0, 24)],
    ["a cut file", theWeights().slice(0, -4)],
    ["a longer file", new ArrayBuffer(theWeights().byteLength + 4)],
    ["an odd number of bytes", theWeights().slice(0, -1)],
    ["another kind of file", changed(0, 7)],
    ["another format", changed(1, 2)],
    ["more rows than there are", changed(2, 16_001)],
    ["a number of rows that is no number", changed(2, 0xffffffff)],
    ["more rows of abuse than rows", changed(4, 16_001)],
  ])("is not read when it is %s", (_, bytes) => {
    expect(Tier0.read(bytes)).toBeNull();
  });
});
