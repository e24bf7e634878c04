// Makes products.wasm from assembly/products.ts.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import { compileKernel } from "../scripts/compile-kernel.mjs";

export const KERNEL = new URL("../durable-objects/vectors/products.wasm", import.meta.url);

/** 512 KB (`BLOCK_BYTES` in vector-products.ts). */
const PAGES = 8;

export const compiledKernel = () =>
  compileKernel(main, {
    source: new URL("assembly/products.ts", import.meta.url),
    pages: PAGES,
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compiledKernel();
  writeFileSync(KERNEL, wasm);
  console.log(`products.wasm: ${wasm.length} bytes`);
}
