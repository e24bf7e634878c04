// Compiles a kernel of the Worker from AssemblyScript, with SIMD. The result is committed, since a Worker
// compiles no WebAssembly while it runs and a deployment should need no compiler. A test of each folder
// compares it with the source.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {typeof import("assemblyscript/asc").main} main the compiler, which only the folder of a kernel has
 * @param {{ readonly source: URL, readonly pages: number }} kernel pages of 64 KB, there from the start: the
 *   memory cannot grow
 * @returns {Promise<Uint8Array>}
 */
export async function compileKernel(main, { source, pages }) {
  const options = {
    outFile: "kernel.wasm",
    enable: "simd",
    runtime: "stub",
    noAssert: true,
    initialMemory: pages,
    maximumMemory: pages,
    baseDir: fileURLToPath(new URL(".", source)),
  };
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  const file = basename(source.pathname);
  let compiled;
  const { error } = await main([file, "-O3", ...args], {
    stderr: process.stderr,
    writeFile: (_, contents) => (compiled = contents),
  });
  if (error || compiled === undefined) throw new Error(`${file} does not compile.`);
  return compiled;
}
