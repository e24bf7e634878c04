/** Numbers in bytes, at their offsets. */
export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function asciiAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let offset = 0; offset < text.length; offset += 1) {
    if (bytes[at + offset] !== text.charCodeAt(offset)) return false;
  }
  return true;
}

/** For a byte this near, a loop is faster than a call. */
const NEAR = 8;

/** The next place of a byte, at `from` or after it; the length where there is none. */
export function nextByte(bytes: Uint8Array, byte: number, from: number): number {
  const near = Math.min(from + NEAR, bytes.length);
  for (let at = from; at < near; at += 1) if (bytes[at] === byte) return at;
  const found = bytes.indexOf(byte, near);
  return found < 0 ? bytes.length : found;
}
