// Makes kernels.wasm from assembly/kernels.ts.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import { compileKernel } from "../scripts/compile-kernel.mjs";

export const KERNELS = new URL(
  "../src/engines/embedded/picture-model/kernels.wasm",
  import.meta.url,
);

/**
 * 20 MB: 10.4 for weights and biases, 8.6 for the values between layers. The memory is allocated at the
 * start and cannot grow, so a picture can take no more.
 */
const PAGES = 320;

export const compiledKernels = () =>
  compileKernel(main, {
    source: new URL("assembly/kernels.ts", import.meta.url),
    pages: PAGES,
  });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compiledKernels();
  writeFileSync(KERNELS, wasm);
  console.log(`kernels.wasm: ${wasm.length} bytes`);
}
