import type { Weights } from "./read-weights.ts";

// The layers of a network as the kernels read them: in their memory, each convolution with the batch
// normalisation behind it folded into its weights and bias.

/** A convolution with the normalisation behind it folded in, in the memory of the kernels. */
export interface Convolution {
  readonly weights: number;
  readonly bias: number;
  /** How many values are summed for one output. */
  readonly inputs: number;
  readonly channels: number;
}

export interface Dense {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** The constant of the batch normalisations, as the model was trained. */
const EPSILON = 0.001;

/** A tensor that is not there, or not of the shape that the network needs. */
export class WrongWeights extends Error {}

/** Hands out the memory of the kernels from its beginning; nothing is ever given back. */
export class Layout {
  readonly #memory: WebAssembly.Memory;
  /** Not 0, which the kernels take for "none". */
  #end = 16;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** Reserves memory for so many values. Its address is a multiple of 16. */
  take(values: number): number {
    const at = this.#end;
    this.#end += Math.ceil(values / 4) * 16;
    if (this.#end > this.#memory.buffer.byteLength) throw new Error("the kernels' memory is full");
    return at;
  }

  view(at: number, values: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, values);
  }
}

/** Reads layers in the order of the calls. Throws `WrongWeights` where one does not fit. */
export class LayerReader {
  readonly #layout: Layout;
  readonly #weights: Weights;

  constructor(layout: Layout, weights: Weights) {
    this.#layout = layout;
    this.#weights = weights;
  }

  #take(name: string, shape: readonly number[]): Float32Array {
    const values = this.#weights.take(name, shape);
    if (values === null) throw new WrongWeights();
    return values;
  }

  /** Packed as `multiply` reads it: eight channels beside each other, input after input. */
  convolution(
    name: string,
    normalisation: string,
    shape: readonly [number, number, number, number],
  ): Convolution {
    const [rows, columns, before, channels] = shape;
    const inputs = rows * columns * before;
    const kernel = this.#take(`${name}/kernel`, shape);
    const { scales, bias } = this.#normalisation(normalisation, channels);
    const at = this.#layout.take(inputs * channels);
    const packed = this.#layout.view(at, inputs * channels);
    for (let channel = 0; channel < channels; channel += 1) {
      const scale = scales[channel] ?? 0;
      const first = (channel >> 3) * inputs * 8 + (channel & 7);
      for (let input = 0; input < inputs; input += 1) {
        packed[first + 8 * input] = (kernel[input * channels + channel] ?? 0) * scale;
      }
    }
    return { weights: at, bias, inputs, channels };
  }

  depthwise(name: string, normalisation: string, channels: number): Convolution {
    const kernel = this.#take(`${name}/depthwise_kernel`, [3, 3, channels, 1]);
    const { scales, bias } = this.#normalisation(normalisation, channels);
    const at = this.#layout.take(kernel.length);
    this.#layout
      .view(at, kernel.length)
      .set(kernel.map((value, index) => value * (scales[index % channels] ?? 0)));
    return { weights: at, bias, inputs: 9, channels };
  }

  dense(name: string, inputs: number, outputs: number): Dense {
    return {
      weights: this.#take(`${name}/kernel`, [inputs, outputs]),
      bias: this.#take(`${name}/bias`, [outputs]),
    };
  }

  #normalisation(
    name: string,
    channels: number,
  ): { readonly scales: Float32Array; readonly bias: number } {
    const take = (what: string) => this.#take(`${name}/${what}`, [channels]);
    const gamma = take("gamma");
    const beta = take("beta");
    const mean = take("moving_mean");
    const variance = take("moving_variance");
    const scales = gamma.map((value, at) => value / Math.sqrt((variance[at] ?? 0) + EPSILON));
    const bias = this.#layout.take(channels);
    this.#layout
      .view(bias, channels)
      .set(beta.map((value, at) => value - (mean[at] ?? 0) * (scales[at] ?? 0)));
    return { scales, bias };
  }
}
