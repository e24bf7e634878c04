// Makes kernels.wasm from assembly/kernels.ts. The file is committed, since a Worker compiles no
// WebAssembly while it runs and a deployment should need no compiler. The test of this folder compares
// it with the source.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

export const KERNELS = new URL(
  "../src/engines/embedded/picture-model/kernels.wasm",
  import.meta.url,
);

/**
 * 20 MB: 10.4 for weights and biases, 8.6 for the values between layers. The memory is allocated at the
 * start and cannot grow, so a picture can take no more.
 */
const PAGES = 320;

/** @returns {Promise<Uint8Array>} */
export async function compiledKernels() {
  const options = {
    outFile: "kernels.wasm",
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
  const { error } = await main(["kernels.ts", "-O3", ...args], {
    stderr: process.stderr,
    writeFile: (_, contents) => (compiled = contents),
  });
  if (error || compiled === undefined) throw new Error("The kernels do not compile.");
  return compiled;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compiledKernels();
  writeFileSync(KERNELS, wasm);
  console.log(`kernels.wasm: ${wasm.length} bytes`);
}
