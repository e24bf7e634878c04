// The shipped files equal what this folder makes, and the network's scores equal those of TensorFlow.js.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createMobilenet, SIDE } from "../src/engines/embedded/picture-model/mobilenet.ts";
import { readWeights } from "../src/engines/embedded/picture-model/read-weights.ts";
import { shrinkInto } from "../src/engines/embedded/picture-model/shrink.ts";
import { compiledKernels, KERNELS } from "./build-kernels.mjs";
import { packedWeights } from "./build-weights.mjs";
import { madePictures } from "./made-pictures.mjs";
import { reference } from "./reference.mjs";

const WEIGHTS = new URL("../models/nsfw-1.bin", import.meta.url);
const CLASSES = 5;
const TOLERANCE = 1e-4;

function shippedNetwork() {
  const file = new Uint8Array(readFileSync(WEIGHTS)).buffer;
  const weights = readWeights(file, { model: "nsfw-mobilenet-v2", version: 1 });
  assert.ok(weights);
  const network = createMobilenet(new WebAssembly.Module(readFileSync(KERNELS)), weights, CLASSES);
  assert.ok(network);
  return (/** @type {import("./made-pictures.mjs").Pixels} */ pixels) => {
    shrinkInto(network.input, pixels, { side: SIDE, background: "white" });
    return [...network.run()];
  };
}

/** The largest difference of a probability over all pictures. */
async function largestDifference(
  /** @type {"wasm" | "cpu"} */ backend,
  /** @type {number} */ count,
) {
  const expected = await reference(backend);
  const shipped = shippedNetwork();
  const winners = new Set();
  let largest = 0;
  for (const { name, pixels } of madePictures(count)) {
    // oxlint-disable-next-line no-await-in-loop -- one after another: TensorFlow.js keeps one backend
    const theirs = await expected(pixels);
    const ours = shipped(pixels);
    const difference = Math.max(...theirs.map((value, at) => Math.abs(value - ours[at])));
    assert.ok(
      difference <= TOLERANCE,
      `${name}: ${difference}\n${theirs.join(" ")}\n${ours.join(" ")}`,
    );
    largest = Math.max(largest, difference);
    winners.add(ours.indexOf(Math.max(...ours)));
  }
  return { largest, winners: winners.size };
}

test("the weights are what the package's are packed to", () => {
  assert.ok(packedWeights().equals(readFileSync(WEIGHTS)));
});

test("the kernels are what their source compiles to", async () => {
  assert.ok(Buffer.from(await compiledKernels()).equals(readFileSync(KERNELS)));
});

test("the network says what TensorFlow.js says of 100 made pictures", async (t) => {
  const { largest, winners } = await largestDifference("wasm", 100);
  t.diagnostic(`largest difference ${largest.toExponential(1)}, ${winners} classes came first`);
  // Pictures that all give the same class would prove nothing.
  assert.ok(winners >= 3, `${winners} classes came first`);
});

test("and what its plain JavaScript says of five", async (t) => {
  const { largest } = await largestDifference("cpu", 5);
  t.diagnostic(`largest difference ${largest.toExponential(1)}`);
});
