// Runs the same model as nsfwjs does: with TensorFlow.js, from the same package.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as cpu from "@tensorflow/tfjs-backend-cpu";
import { readSource } from "./build-weights.mjs";

const SIDE = 224;

// An import that only registers a backend would look unused.
void cpu;

/**
 * @param {"wasm" | "cpu"} backend of the network. `cpu` is plain JavaScript: slow, without optimisation.
 *   It always resizes the pictures, since `wasm` computes places in 32 bits. In a row of 8,000 pixels of
 *   noise that moves the scores by 4e-4.
 */
export async function reference(backend) {
  const require = createRequire(import.meta.url);
  setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  await tf.setBackend(backend);
  const { modelTopology, weightSpecs, bytes } = readSource();
  const weightData = new Uint8Array(bytes).buffer;
  const model = await loadLayersModel({
    load: () => Promise.resolve({ modelTopology, weightSpecs, weightData }),
  });
  /** @returns {Promise<number[]>} the five probabilities of a picture without transparency */
  return async (/** @type {import("./made-pictures.mjs").Pixels} */ pixels) => {
    await tf.setBackend("cpu");
    const sized = tf.tidy(() => resized(pixels).dataSync());
    await tf.setBackend(backend);
    return tf.tidy(() => [...model.predict(tf.tensor4d(sized, [1, SIDE, SIDE, 3])).dataSync()]);
  };
}

/** Prepares a picture as nsfwjs does. */
function resized({ data, width, height }) {
  const rgb = new Float32Array(width * height * 3);
  for (let at = 0; at < rgb.length; at += 1) rgb[at] = data[4 * Math.floor(at / 3) + (at % 3)];
  const picture = tf.div(tf.tensor3d(rgb, [height, width, 3]), 255);
  return tf.image.resizeBilinear(picture, [SIDE, SIDE], true);
}
