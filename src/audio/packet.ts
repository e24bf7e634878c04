import { asciiAt, viewOf } from "../io/byte-view.ts";

// How long a packet of Opus or Vorbis lasts, in Ogg, WebM or MP4.

export interface PacketCodec {
  readonly name: "opus" | "vorbis";
  /** Milliseconds of the packet at that offset, of so many bytes; 0 for headers and undecodable packets. */
  readonly packetMs: (bytes: Uint8Array, at: number, size: number) => number;
  /** No packet lasts longer. */
  readonly longestMs: number;
  /** Units of granule positions a second. */
  readonly granuleRate: number;
}

/** RFC 6716, 3.2.5: longer packets are refused by every decoder. */
const LONGEST_OPUS_MS = 120;

export const OPUS: PacketCodec = {
  name: "opus",
  packetMs: opusPacketMs,
  longestMs: LONGEST_OPUS_MS,
  granuleRate: 48_000,
};

/** RFC 6716, 3.1: a byte says how long a frame is and how many there are. */
function opusPacketMs(bytes: Uint8Array, at: number, size: number): number {
  // Some decoders hide a loss where a packet is empty.
  if (size === 0) return LONGEST_OPUS_MS;
  const toc = bytes[at] ?? 0;
  const frames = (toc & 3) === 0 ? 1 : (toc & 3) === 3 ? (bytes[at + 1] ?? 0) & 63 : 2;
  const ms = opusFrameMs(toc >> 3) * frames;
  // "OpusHead" and "OpusTags" read as 48 frames of 20 ms: headers are no audio by this rule too.
  return ms > LONGEST_OPUS_MS ? 0 : ms;
}

function opusFrameMs(config: number): number {
  if (config < 12) return [10, 20, 40, 60][config & 3] ?? 0;
  if (config < 16) return [10, 20][config & 1] ?? 0;
  return [2.5, 5, 10, 20][config & 3] ?? 0;
}

const VORBIS_HEAD_BYTES = 30;

/**
 * Vorbis I, 4.2.2: the identification header has two lengths of blocks. The codebooks say which one a
 * packet has, so each counts as the longer one: half a block of new samples.
 */
export function vorbisCodec(bytes: Uint8Array, at: number): PacketCodec | null {
  if (!asciiAt(bytes, at, "\x01vorbis") || at + VORBIS_HEAD_BYTES > bytes.length) return null;
  const rate = viewOf(bytes).getUint32(at + 12, true);
  const exponent = (bytes[at + 28] ?? 0) >> 4;
  if (rate === 0 || exponent < 6 || exponent > 13) return null;
  const longestMs = (2 ** (exponent - 1) * 1000) / rate;
  return {
    name: "vorbis",
    longestMs,
    granuleRate: rate,
    // An odd first byte marks a header.
    packetMs: (packet, start, size) =>
      size > 0 && ((packet[start] ?? 0) & 1) === 1 ? 0 : longestMs,
  };
}
