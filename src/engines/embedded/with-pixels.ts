import type { Picture, PictureFormat } from "../picture.ts";
import { decodeJpeg } from "./decode-jpeg.ts";
import { decodePng } from "./decode-png.ts";
import { decodeWebp } from "./decode-webp.ts";
import type { Pixels } from "./pixels.ts";

const DECODERS: Record<PictureFormat, (bytes: Uint8Array) => Pixels | Promise<Pixels>> = {
  png: decodePng,
  jpeg: decodeJpeg,
  webp: decodeWebp,
};

// One picture at a time: 16 megapixels are 64 MB as pixels, and an isolate has 128. A request that is
// cut off cannot block the chain, since no job in it awaits I/O: a job that has begun ends before
// anything else runs.
let last: Promise<unknown> = Promise.resolve();

/**
 * The result of `look` on a picture's pixels, or null if they cannot be decoded to the size in its
 * header. The pixels are released when `look` returns.
 */
export function withPixels<Found>(
  picture: Picture,
  look: (pixels: Pixels) => Found,
): Promise<Found | null> {
  const result = last.then(async () => {
    const pixels = await decoded(picture);
    return pixels === null ? null : look(pixels);
  });
  last = result.catch(() => undefined);
  return result;
}

async function decoded({ bytes, format, width, height }: Picture): Promise<Pixels | null> {
  try {
    const pixels = await DECODERS[format](bytes);
    return pixels.width === width && pixels.height === height ? pixels : null;
  } catch {
    // A decoder's exception only means that the bytes are not what they claim to be.
    return null;
  }
}
