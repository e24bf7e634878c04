import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { nextByte, viewOf } from "../io/byte-view.ts";
import { type ReadBudget, spend } from "./read-budget.ts";

// FLAC (RFC 9639). The number of samples in STREAMINFO is only a claim; decoders decode frames. The
// header of a frame says how many samples it has. Its 15 fixed bits and its checksum of 8 bits tell a
// header from music. So every place with a valid header is counted: no decoder takes a frame without one.

const STREAM_INFO_AT = 8;
const STREAM_INFO_BYTES = 34;
const RATES = [
  0, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];

export function flacLength(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  // STREAMINFO comes first (section 8.1).
  if (((bytes[4] ?? 0) & 127) !== 0 || bytes.length < STREAM_INFO_AT + STREAM_INFO_BYTES)
    return null;
  const streamRate = viewOf(bytes).getUint32(STREAM_INFO_AT + 10) >>> 12;
  let atMostMs = 0;
  let countedMs = 0;
  const from = STREAM_INFO_AT + STREAM_INFO_BYTES;
  for (
    let at = nextByte(bytes, 0xff, from);
    at < bytes.length;
    at = nextByte(bytes, 0xff, at + 1)
  ) {
    if (!spend(budget)) return null;
    const frame = frameAt(bytes, at);
    if (frame === null) continue;
    const own = frame.sampleRate ?? streamRate;
    const first = own > 0 ? own : streamRate;
    if (first === 0) return null;
    atMostMs += (frame.samples * 1000) / (streamRate > 0 ? Math.min(first, streamRate) : first);
    countedMs += (frame.samples * 1000) / first;
  }
  return { atMostMs, countedMs };
}

interface FlacFrame {
  readonly samples: number;
  /** Null: as STREAMINFO says. */
  readonly sampleRate: number | null;
}

/** Section 9.1. */
function frameAt(bytes: Uint8Array, at: number): FlacFrame | null {
  if (((bytes[at + 1] ?? 0) & 0xfe) !== 0xf8) return null;
  const third = bytes[at + 2] ?? 0;
  const fourth = bytes[at + 3] ?? 0;
  const sizeCode = third >> 4;
  const rateCode = third & 15;
  if (sizeCode === 0 || rateCode === 15 || fourth >> 4 > 10 || (fourth & 1) === 1) return null;
  const numberBytes = codedBytes(bytes[at + 4] ?? 0);
  if (numberBytes === null) return null;
  let next = at + 4 + numberBytes;
  const extra = (width: number): number => {
    let value = 0;
    for (const end = next + width; next < end; next += 1) value = value * 256 + (bytes[next] ?? 0);
    return value;
  };
  const samples =
    sizeCode === 1
      ? 192
      : sizeCode <= 5
        ? 576 << (sizeCode - 2)
        : sizeCode <= 7
          ? extra(sizeCode - 5) + 1
          : 256 << (sizeCode - 8);
  const sampleRate =
    rateCode === 0
      ? null
      : rateCode === 12
        ? extra(1) * 1000
        : rateCode >= 13
          ? extra(2) * (rateCode === 14 ? 10 : 1)
          : (RATES[rateCode] ?? null);
  return next < bytes.length && crc8(bytes, at, next) === bytes[next]
    ? { samples, sampleRate }
    : null;
}

/** The frame's number is written as UTF-8 would write it, in up to seven bytes. */
function codedBytes(first: number): number | null {
  const ones = Math.clz32(~(first << 24));
  if (ones === 0) return 1;
  return ones === 1 || ones > 7 ? null : ones;
}

/** The checksum of each byte, by the polynomial x^8 + x^2 + x + 1 from 0. */
const CRC8: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 7) & 255 : crc << 1;
  return crc;
});

function crc8(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at += 1) crc = CRC8[crc ^ (bytes[at] ?? 0)] ?? 0;
  return crc;
}
