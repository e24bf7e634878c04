import moduleFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import JPEG_WASM from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import { initEmscriptenModule } from "@jsquash/jpeg/utils.js";
import { isWholeJpeg } from "./jpeg-scans.ts";
import type { Pixels } from "./pixels.ts";

/**
 * Rejects for anything but a whole JPEG. Each picture has an instance of its own: WebAssembly memory
 * never shrinks, and a decoder that failed cannot be used again.
 */
export async function decodeJpeg(bytes: Uint8Array): Promise<Pixels> {
  if (!isWholeJpeg(bytes)) throw new Error("the JPEG breaks off");
  const warnings: string[] = [];
  const decoder = await initEmscriptenModule(moduleFactory, JPEG_WASM, {
    // Without this libjpeg's warnings, which a hostile picture can cause, go to the log.
    printErr: (warning: string) => warnings.push(warning),
  });
  const pixels: Pixels | null = decoder.decode(bytes, false);
  // An end marker may follow half of the data: the rest would be measured as grey.
  const cut = warnings.some((warning) => warning.includes("premature end of data"));
  if (pixels === null || cut) throw new Error("not a JPEG that can be decoded");
  return pixels;
}
