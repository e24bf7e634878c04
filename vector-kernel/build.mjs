// Makes products.wasm from assembly/products.ts. The file is committed, since a Worker compiles no
// WebAssembly while it runs and a deployment should need no compiler. The test of this folder compares it
// with the source.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

export const KERNEL = new URL("../durable-objects/vectors/products.wasm", import.meta.url);

/** 512 KB (`BLOCK_BYTES` in vector-products.ts). The memory is there from the start and cannot grow. */
const PAGES = 8;

/** @returns {Promise<Uint8Array>} */
export async function compiledKernel() {
  const options = {
    outFile: "products.wasm",
    enable: "simd",
    runtime: "stub",
    noAssert: true,
    initialMemory: PAGES,
    maximumMemory: PAGES,
    baseDir: fileURLToPath(new URL("assembly/", import.meta.url)),
  };
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  let compiled;
  const { error } = await main(["products.ts", "-O3", ...args], {
    stderr: process.stderr,
    writeFile: (_, contents) => (compiled = contents),
  });
  if (error || compiled === undefined) throw new Error("The kernel does not compile.");
  return compiled;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compiledKernel();
  writeFileSync(KERNEL, wasm);
  console.log(`products.wasm: ${wasm.length} bytes`);
}
