import type { Products } from "../../src/domain/search/code-table.ts";
import kernel from "./products.wasm";

// The products of a query and many codes, in WebAssembly (vector-kernel/assembly/products.ts). All shards of
// an isolate share its memory of half a megabyte: codes are copied into it block by block, which takes less
// than a tenth of the time that the products would take in JavaScript.

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly products: (
    query: number,
    codes: number,
    length: number,
    rows: number,
    out: number,
  ) => void;
}

// The type of an instance does not know what its module exports: hence the cast.
const { memory, products } = new WebAssembly.Instance(kernel).exports as unknown as Kernel;

/** 512 KB (`PAGES` in vector-kernel/build.mjs). */
const BLOCK_BYTES = memory.buffer.byteLength;

/** @throws RangeError for rows of more than 174,761 numbers */
export const vectorProducts: Products = (query, codes, out) => {
  const { length } = query;
  const codesAt = query.byteLength;
  const most = Math.floor((BLOCK_BYTES - codesAt) / (length + Int32Array.BYTES_PER_ELEMENT));
  if (most < 1) throw new RangeError("a vector too long to be compared");
  new Int16Array(memory.buffer, 0, length).set(query);
  for (let from = 0; from < out.length; from += most) {
    const rows = Math.min(most, out.length - from);
    const some = codes.subarray(from * length, (from + rows) * length);
    const outAt = codesAt + rows * length;
    new Int8Array(memory.buffer, codesAt, some.length).set(some);
    products(0, codesAt, length, rows, outAt);
    out.set(new Int32Array(memory.buffer, outAt, rows), from);
  }
};
