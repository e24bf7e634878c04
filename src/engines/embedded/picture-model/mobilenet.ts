import { type Convolution, type Dense, LayerReader, Layout, WrongWeights } from "./layers.ts";
import type { Weights } from "./read-weights.ts";

// MobileNetV2 (https://arxiv.org/abs/1801.04381; width 1, 224 x 224 pixels) with three dense layers
// behind it, named as Keras names its layers. The convolutions run in WebAssembly
// (picture-model/assembly/kernels.ts, compiled to kernels.wasm). Their inputs and outputs are in its
// memory, laid out once and never grown. No call leaves state for the next one.

/** Pixels a side of what the network sees. */
export const SIDE = 224;

export interface Mobilenet {
  /** Where the picture goes: SIDE x SIDE pixels of red, green and blue, each from 0 to 1. */
  readonly input: Float32Array;
  /** The network's result for `input`: one probability a class. */
  run(): Float32Array;
  /** Bytes of WebAssembly memory, all of which is there from the beginning. */
  readonly memoryBytes: number;
}

interface Kernels {
  readonly memory: WebAssembly.Memory;
  multiply(
    a: number,
    b: number,
    bias: number,
    out: number,
    m: number,
    k: number,
    n: number,
    clamp: number,
    residual: number,
  ): void;
  depthwise(
    input: number,
    weights: number,
    bias: number,
    out: number,
    side: number,
    channels: number,
    stride: number,
  ): void;
  patches(input: number, out: number, side: number): void;
}

interface Block {
  readonly stride: 1 | 2;
  readonly expand: Convolution | null;
  readonly depthwise: Convolution;
  readonly project: Convolution;
  /** Whether the input is added to the output. */
  readonly isResidual: boolean;
}

/** Table 2 of the paper: how much wider inside, channels out, repeated, stride of the first. */
const BLOCKS = [
  { expansion: 1, channels: 16, repeats: 1, stride: 1 },
  { expansion: 6, channels: 24, repeats: 2, stride: 2 },
  { expansion: 6, channels: 32, repeats: 3, stride: 2 },
  { expansion: 6, channels: 64, repeats: 4, stride: 2 },
  { expansion: 6, channels: 96, repeats: 3, stride: 1 },
  { expansion: 6, channels: 160, repeats: 3, stride: 2 },
  { expansion: 6, channels: 320, repeats: 1, stride: 1 },
] as const;

/** What the first convolution reads of a picture for one output: 3 x 3 pixels of three colours. */
const PATCH = 27;
const FIRST_CHANNELS = 32;
const FEATURES = 1_280;
const DENSE = [FEATURES, 256, 128] as const;

/** Null: the weights are not exactly those of such a network. */
export function createMobilenet(
  module: WebAssembly.Module,
  weights: Weights,
  classes: number,
): Mobilenet | null {
  try {
    return build(module, weights, classes);
  } catch (error) {
    if (error instanceof WrongWeights) return null;
    throw error;
  }
}

function build(module: WebAssembly.Module, weights: Weights, classes: number): Mobilenet {
  // The module is ours: what it exports is what kernels.ts says.
  const kernels = new WebAssembly.Instance(module, {}).exports as unknown as Kernels;
  const layout = new Layout(kernels.memory);
  const layers = new LayerReader(layout, weights);

  const first = layers.convolution("Conv1", "bn_Conv1", [3, 3, 3, FIRST_CHANNELS]);
  const blocks = readBlocks(layers);
  const channels = BLOCKS.at(-1)?.channels ?? 0;
  const last = layers.convolution("Conv_1", "Conv_1_bn", [1, 1, channels, FEATURES]);
  const dense = DENSE.map((inputs, at) =>
    layers.dense(`dense_${at + 1}`, inputs, DENSE[at + 1] ?? classes),
  );
  if (weights.left > 0) throw new WrongWeights();

  const input = layout.take(SIDE * SIDE * 3);
  const most = mostValues(blocks);
  const wide = layout.take(most.wide);
  const narrow = layout.take(most.narrow);
  const ends = [layout.take(most.block), layout.take(most.block)] as const;

  const multiply = (
    { weights: b, bias, inputs, channels: n }: Convolution,
    { from, to, pixels }: { readonly from: number; readonly to: number; readonly pixels: number },
    { clamp, residual = 0 }: { readonly clamp: boolean; readonly residual?: number },
  ): void => {
    kernels.multiply(from, b, bias, to, pixels, inputs, n, clamp ? 1 : 0, residual);
  };

  function convolve(): Float32Array {
    kernels.patches(input, narrow, SIDE);
    let side = SIDE / 2;
    let [x, y]: readonly [number, number] = ends;
    multiply(first, { from: narrow, to: wide, pixels: side * side }, { clamp: true });
    for (const { expand, depthwise, project, stride, isResidual } of blocks) {
      if (expand !== null) {
        multiply(expand, { from: x, to: wide, pixels: side * side }, { clamp: true });
      }
      const { weights: w, bias, channels: inside } = depthwise;
      kernels.depthwise(wide, w, bias, narrow, side, inside, stride);
      side /= stride;
      const residual = isResidual ? x : 0;
      multiply(project, { from: narrow, to: y, pixels: side * side }, { clamp: false, residual });
      [x, y] = [y, x];
    }
    multiply(last, { from: x, to: wide, pixels: side * side }, { clamp: true });
    return meanOverPixels(layout.view(wide, side * side * FEATURES));
  }

  return {
    input: layout.view(input, SIDE * SIDE * 3),
    memoryBytes: kernels.memory.buffer.byteLength,
    run() {
      let values = convolve();
      dense.forEach((layer, at) => {
        const sums = product(values, layer);
        values = at + 1 < dense.length ? sums.map((sum) => Math.max(sum, 0)) : softmax(sums);
      });
      return values;
    },
  };
}

function readBlocks(layers: LayerReader): Block[] {
  const blocks: Block[] = [];
  let before: number = FIRST_CHANNELS;
  for (const { expansion, channels, repeats, stride } of BLOCKS) {
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const name = blocks.length === 0 ? "expanded_conv" : `block_${blocks.length}`;
      const inside = before * expansion;
      const step = repeat === 0 ? stride : 1;
      blocks.push({
        stride: step,
        expand:
          expansion === 1
            ? null
            : layers.convolution(`${name}_expand`, `${name}_expand_BN`, [1, 1, before, inside]),
        depthwise: layers.depthwise(`${name}_depthwise`, `${name}_depthwise_BN`, inside),
        project: layers.convolution(`${name}_project`, `${name}_project_BN`, [
          1,
          1,
          inside,
          channels,
        ]),
        isResidual: step === 1 && before === channels,
      });
      before = channels;
    }
  }
  return blocks;
}

/** The most values in each of the buffers between two layers. */
function mostValues(blocks: readonly Block[]): Record<"wide" | "narrow" | "block", number> {
  let side = SIDE / 2;
  const most = { wide: side ** 2 * FIRST_CHANNELS, narrow: side ** 2 * PATCH, block: 0 };
  for (const { depthwise, project, stride } of blocks) {
    most.wide = Math.max(most.wide, side ** 2 * depthwise.channels);
    side /= stride;
    most.narrow = Math.max(most.narrow, side ** 2 * depthwise.channels);
    most.block = Math.max(most.block, side ** 2 * project.channels);
  }
  most.wide = Math.max(most.wide, side ** 2 * FEATURES);
  return most;
}

function meanOverPixels(values: Float32Array): Float32Array {
  const pixels = values.length / FEATURES;
  const means = new Float32Array(FEATURES);
  for (let at = 0; at < values.length; at += 1) {
    const feature = at % FEATURES;
    means[feature] = (means[feature] ?? 0) + (values[at] ?? 0) / pixels;
  }
  return means;
}

function product(values: Float32Array, { weights, bias }: Dense): Float32Array {
  const sums = bias.slice();
  let at = 0;
  for (const value of values) {
    for (let output = 0; output < sums.length; output += 1) {
      sums[output] = (sums[output] ?? 0) + value * (weights[at] ?? 0);
      at += 1;
    }
  }
  return sums;
}

function softmax(values: Float32Array): Float32Array {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
