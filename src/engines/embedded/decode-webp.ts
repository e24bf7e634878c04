import moduleFactory from "@jsquash/webp/codec/dec/webp_dec.js";
import WEBP_WASM from "@jsquash/webp/codec/dec/webp_dec.wasm";
import { initEmscriptenModule } from "@jsquash/webp/utils.js";
import type { Pixels } from "./pixels.ts";

/** Rejects for anything but a whole WebP without animation. An instance for each picture, as for JPEG. */
export async function decodeWebp(bytes: Uint8Array): Promise<Pixels> {
  const decoder = await initEmscriptenModule(moduleFactory, WEBP_WASM);
  const pixels: Pixels | null = decoder.decode(bytes);
  if (pixels === null) throw new Error("not a WebP that can be decoded");
  return pixels;
}
