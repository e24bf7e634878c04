// Makes models/nsfw-<version>.bin from the weights in npm's `nsfwjs`: one file that a Worker can read
// without a special parser, and that is the same on every machine.
//
//   u32 (little endian): the length of the header
//   the header: JSON { model, version, source, tensors: [[name, shape, min, scale], …] }, padded with
//     spaces to a multiple of four
//   each tensor's bytes, in the order of the header: value = byte * scale + min
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const VERSION = 1;

const require = createRequire(import.meta.url);
const FOLDER = new URL("node_modules/nsfwjs/", import.meta.url);
const MODEL = new URL("dist/models/mobilenet_v2/", FOLDER);

const loaded = (/** @type {string} */ name) => require(fileURLToPath(new URL(name, MODEL)));

/** @returns the model in the form that TensorFlow.js reads, and the bytes of its only shard */
export function readSource() {
  const { modelTopology, weightsManifest } = loaded("model.min.js");
  const bytes = Buffer.from(loaded("group1-shard1of1.min.js"), "base64");
  return { modelTopology, weightSpecs: weightsManifest[0].weights, bytes };
}

export function packedWeights() {
  const { weightSpecs, bytes } = readSource();
  const { version, license } = JSON.parse(readFileSync(new URL("package.json", FOLDER), "utf8"));
  const tensors = weightSpecs.map(({ name, shape, quantization: { dtype, min, scale } }) => {
    if (dtype !== "uint8") throw new Error(`${name} is not quantised to a byte`);
    return [name, shape, min, scale];
  });
  const expected = tensors.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  if (expected !== bytes.length)
    throw new Error(`${bytes.length} bytes of weights, not ${expected}`);
  const source = `nsfwjs ${version}, MobileNetV2 (${license})`;
  const header = Buffer.from(
    JSON.stringify({ model: "nsfw-mobilenet-v2", version: VERSION, source, tensors }),
  );
  const padding = Buffer.alloc((4 - (header.length % 4)) % 4, " ");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length + padding.length);
  return Buffer.concat([length, header, padding, bytes]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = packedWeights();
  const models = new URL("../models/", import.meta.url);
  mkdirSync(models, { recursive: true });
  writeFileSync(new URL(`nsfw-${VERSION}.bin`, models), file);
  const sha256 = createHash("sha256").update(file).digest("hex");
  console.log(`models/nsfw-${VERSION}.bin: ${file.length} bytes, SHA-256 ${sha256}`);
}
