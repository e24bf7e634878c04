// The file of weights: a JSON header that names each tensor with its shape, then one byte for each
// value. `picture-model/build-weights.mjs` writes it and says how it is laid out.
//
// The file's hash was checked before, so a file that does not fit is our mistake: another version. It is
// refused all the same and never half read.

export interface Weights {
  /** The values of a tensor, or null when there is none of that name and shape. */
  take(name: string, shape: readonly number[]): Float32Array | null;
  /** Tensors that were not taken. */
  readonly left: number;
}

/** It takes 20 kB; one that claims more is no header. */
const MAX_HEADER_BYTES = 65_536;

interface Header {
  readonly model: unknown;
  readonly version: unknown;
  readonly tensors: readonly unknown[];
}

interface Tensor {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly min: number;
  readonly scale: number;
}

/** Null: not a file of this model and version, or its length is not what its header says. */
export function readWeights(
  file: ArrayBuffer,
  expected: { readonly model: string; readonly version: number },
): Weights | null {
  const header = readHeader(file);
  if (header?.value.model !== expected.model || header.value.version !== expected.version) {
    return null;
  }
  const tensors = new Map<string, Tensor>();
  let at = header.end;
  for (const entry of header.value.tensors) {
    const tensor = readEntry(entry);
    if (tensor === null || tensors.has(tensor.name)) return null;
    const length = tensor.shape.reduce((product, size) => product * size, 1);
    if (at + length > file.byteLength) return null;
    tensors.set(tensor.name, { ...tensor, bytes: new Uint8Array(file, at, length) });
    at += length;
  }
  if (at !== file.byteLength) return null;
  return {
    take(name, shape) {
      const tensor = tensors.get(name);
      if (tensor === undefined || !isSameShape(tensor.shape, shape)) return null;
      tensors.delete(name);
      return valuesOf(tensor);
    },
    get left() {
      return tensors.size;
    },
  };
}

function readHeader(file: ArrayBuffer): { readonly value: Header; readonly end: number } | null {
  if (file.byteLength < 4) return null;
  const length = new DataView(file).getUint32(0, true);
  const end = 4 + length;
  if (length > MAX_HEADER_BYTES || end > file.byteLength) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
    return isHeader(value) ? { value, end } : null;
  } catch {
    return null;
  }
}

const isHeader = (value: unknown): value is Header =>
  typeof value === "object" &&
  value !== null &&
  "model" in value &&
  "version" in value &&
  "tensors" in value &&
  Array.isArray(value.tensors);

function readEntry(entry: unknown): (Omit<Tensor, "bytes"> & { readonly name: string }) | null {
  if (!Array.isArray(entry) || entry.length !== 4) return null;
  const [name, shape, min, scale]: unknown[] = entry;
  if (typeof name !== "string" || !isShape(shape)) return null;
  if (typeof min !== "number" || typeof scale !== "number") return null;
  return { name, shape, min, scale };
}

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isInteger(size) && Number(size) > 0);

const isSameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, at) => size === b[at]);

function valuesOf({ bytes, min, scale }: Tensor): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let at = 0; at < values.length; at += 1) values[at] = (bytes[at] ?? 0) * scale + min;
  return values;
}
