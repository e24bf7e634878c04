import PNG_WASM from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm?module";
import { isAnimatedPng } from "./animated-png.ts";
import type { Pixels } from "./pixels.ts";

// The PNG decoder of @jsquash/png, without the JavaScript around it.
//
// Its own glue keeps one instance for ever. WebAssembly memory never shrinks, and this decoder frees
// nothing when it refuses a picture (1.4 MB stayed behind for each half of a 512 x 512 picture), so
// broken pictures would fill the memory until no picture can be decoded. Here each picture has an
// instance of its own, which is dropped with all that it holds. The pixels are a view of it, not a
// copy: 64 MB saved on the largest picture.

const MALLOC = "__wbindgen_malloc";

interface PngExports {
  readonly memory: WebAssembly.Memory;
  readonly [MALLOC]: (length: number, align: number) => number;
  readonly decode: (at: number, length: number) => number;
}

const isPngExports = (exports: object): exports is PngExports =>
  "memory" in exports && MALLOC in exports && "decode" in exports;

type TakePicture = (at: number, length: number, width: number, height: number) => number;

/** Throws for anything but a whole PNG without animation. */
export function decodePng(bytes: Uint8Array): Pixels {
  if (isAnimatedPng(bytes)) throw new Error("the PNG is animated");
  let pixels: Pixels | undefined;
  const { exports: png } = instantiate((at, length, width, height) => {
    pixels = { data: new Uint8ClampedArray(png.memory.buffer, at >>> 0, length), width, height };
    return 0;
  });
  const at = png[MALLOC](bytes.byteLength, 1) >>> 0;
  new Uint8Array(png.memory.buffer, at).set(bytes);
  png.decode(at, bytes.byteLength);
  if (pixels === undefined) throw new Error("the decoder gave no picture");
  return pixels;
}

/** One of the module's imports takes the picture; any other (a panic) throws. */
function instantiate(take: TakePicture): { readonly exports: PngExports } {
  const imports = WebAssembly.Module.imports(PNG_WASM).map(({ name }) => [
    name,
    // The rest of the name is a hash that changes with the version of wasm-bindgen.
    name.startsWith("__wbg_newwithownedu8clampedarray") ? take : refuse,
  ]);
  const { exports } = new WebAssembly.Instance(PNG_WASM, { wbg: Object.fromEntries(imports) });
  if (!isPngExports(exports)) throw new Error("@jsquash/png has another interface");
  return { exports };
}

function refuse(): never {
  throw new Error("not a PNG that can be decoded");
}
