/** The signature's length; then chunks: length, type, data, check sum (https://www.w3.org/TR/png-3/). */
const SIGNATURE = 8;
const AROUND_DATA = 12;

/** The letters of `acTL` and `IDAT` as big-endian numbers. */
const ANIMATION_CONTROL = 0x6163544c;
const IMAGE_DATA = 0x49444154;

/**
 * Whether a PNG has more than one picture: a chunk of animation control comes before the data. A
 * decoder shows the first picture alone, a browser all of them, so the first could hide the others.
 */
export function isAnimatedPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE;
  while (at + AROUND_DATA <= bytes.byteLength) {
    const type = view.getUint32(at + 4);
    if (type === IMAGE_DATA) return false;
    if (type === ANIMATION_CONTROL) return true;
    at += AROUND_DATA + view.getUint32(at);
  }
  return false;
}
