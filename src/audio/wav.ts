import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { asciiAt, viewOf } from "../io/byte-view.ts";
import { MAX_CHUNKS } from "./read-budget.ts";

// WAV: uncompressed samples, so bytes are time. The size of `data` is often wrong (a stream's is 0
// or 4 GB) and decoders look for more chunks after it, so all bytes that follow may be played. Rate,
// channels, width, block and bytes a second state the same thing in three ways, and decoders differ in
// which one they use: the slowest counts.

/** PCM, float, A-law, mu-law. Compressed sound has no length without its decoder. */
const UNCOMPRESSED: ReadonlySet<number> = new Set([1, 3, 6, 7]);
const EXTENSIBLE = 0xfffe;
const FMT_BYTES = 16;

interface Format {
  readonly slowest: number;
  /** Bytes a second. */
  readonly byteRate: number;
  readonly consistent: boolean;
}

function formatAt(view: DataView, at: number, size: number): Format | null {
  if (size < FMT_BYTES || at + FMT_BYTES > view.byteLength) return null;
  let tag = view.getUint16(at, true);
  if (tag === EXTENSIBLE) {
    if (size < 40 || at + 40 > view.byteLength) return null;
    tag = view.getUint16(at + 24, true);
  }
  if (!UNCOMPRESSED.has(tag)) return null;
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const byteRate = view.getUint32(at + 8, true);
  const block = view.getUint16(at + 12, true);
  const width = Math.ceil(view.getUint16(at + 14, true) / 8);
  const readings = [byteRate, sampleRate * block, sampleRate * channels * width];
  const slowest = Math.min(...readings);
  if (slowest === 0) return null;
  return { slowest, byteRate: sampleRate * block, consistent: Math.max(...readings) === slowest };
}

export function wavLength(bytes: Uint8Array): AudioLength | null {
  const view = viewOf(bytes);
  let at = 12;
  let format: Format | null = null;
  for (let chunks = 0; at + 8 <= bytes.length && chunks < MAX_CHUNKS; chunks += 1) {
    const size = view.getUint32(at + 4, true);
    const content = at + 8;
    if (asciiAt(bytes, at, "fmt ")) {
      // Two formats: decoders differ in which one they use.
      if (format !== null) return null;
      format = formatAt(view, content, size);
      if (format === null) return null;
    } else if (asciiAt(bytes, at, "data")) {
      if (format === null) return null;
      const rest = bytes.length - content;
      return lengthOf(format, rest, dataBytes(size, rest));
    }
    at = content + size + (size % 2);
  }
  return null;
}

/** A size that is impossible is a stream's: the data goes on to the end. */
const dataBytes = (size: number, rest: number): number => (size === 0 || size > rest ? rest : size);

const lengthOf = (format: Format, most: number, data: number): AudioLength => ({
  atMostMs: (most * 1000) / format.slowest,
  countedMs: format.consistent ? (data * 1000) / format.byteRate : null,
});
