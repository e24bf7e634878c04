import type { AudioLength } from "./audio-length.ts";
import { asciiAt, nextByte, viewOf } from "./byte-view.ts";
import { OPUS, type PacketCodec, vorbisCodec } from "./packet.ts";

// Ogg (RFC 3533) with Opus or Vorbis. Streams may follow each other or run side by side; all of them
// add up. A page with a wrong checksum is dropped by some readers, who then look for pages inside of
// it: so every page that stands anywhere counts, also one within another.

const HEADER_BYTES = 27;
const CONTINUED = 1;
const BEGINS = 2;

interface Stream {
  readonly codec: PacketCodec;
  packetsMs: number;
  /** Granule positions of its pages: the time that the stream claims. */
  first: number | null;
  last: number;
}

export function oggLength(bytes: Uint8Array): AudioLength | null {
  const view = viewOf(bytes);
  const streams = new Map<number, Stream>();
  let segments = 0;
  for (let at = 0; at < bytes.length; at = nextByte(bytes, 0x4f, at + 1)) {
    if (!asciiAt(bytes, at, "OggS") || at + HEADER_BYTES > bytes.length) continue;
    const page = pageAt(bytes, view, at);
    let stream = streams.get(page.serial);
    if ((page.flags & BEGINS) !== 0) {
      const codec = codecAt(bytes, page.bodyAt);
      // What is neither Opus nor Vorbis, or both at once, is not counted by guess.
      if (codec === null || (stream !== undefined && !isSame(stream.codec, codec))) return null;
      stream ??= { codec, packetsMs: 0, first: null, last: 0 };
      streams.set(page.serial, stream);
    }
    if (stream === undefined) return null;
    addPage(stream, bytes, page);
    // Pages that do not overlap have fewer packets than the file has bytes.
    segments += page.lacing.length;
    if (segments > bytes.length) return null;
  }
  return totalOf([...streams.values()]);
}

const isSame = (one: PacketCodec, two: PacketCodec): boolean =>
  one.name === two.name && one.longestMs === two.longestMs && one.granuleRate === two.granuleRate;

const codecAt = (bytes: Uint8Array, at: number): PacketCodec | null =>
  asciiAt(bytes, at, "OpusHead") ? OPUS : vorbisCodec(bytes, at);

interface Page {
  readonly flags: number;
  readonly serial: number;
  /** -1: no packet ends in this page. */
  readonly granule: number;
  readonly lacing: Uint8Array;
  readonly bodyAt: number;
}

function pageAt(bytes: Uint8Array, view: DataView, at: number): Page {
  const segments = bytes[at + 26] ?? 0;
  const bodyAt = at + HEADER_BYTES + segments;
  return {
    flags: bytes[at + 5] ?? 0,
    granule: Number(view.getBigInt64(at + 6, true)),
    serial: view.getUint32(at + 14, true),
    lacing: bytes.subarray(at + HEADER_BYTES, bodyAt),
    bodyAt,
  };
}

/** The packets that begin in a page, each counted by its first bytes. */
function addPage(stream: Stream, bytes: Uint8Array, page: Page): void {
  let begins = (page.flags & CONTINUED) === 0;
  let packetAt = page.bodyAt;
  let next = page.bodyAt;
  let pageMs = 0;
  for (const size of page.lacing) {
    next += size;
    if (size === 255) continue;
    if (begins) pageMs += stream.codec.packetMs(bytes, packetAt, next - packetAt);
    begins = true;
    packetAt = next;
  }
  // One that ends in a later page.
  if (begins && next > packetAt) pageMs += stream.codec.packetMs(bytes, packetAt, next - packetAt);
  stream.packetsMs += pageMs;
  if (page.granule <= 0) return;
  // A stream that was cut out of a longer one begins late.
  const before = page.granule - (pageMs * stream.codec.granuleRate) / 1000;
  stream.first = Math.min(stream.first ?? Infinity, Math.max(0, before));
  stream.last = Math.max(stream.last, page.granule);
}

function totalOf(streams: readonly Stream[]): AudioLength {
  let atMostMs = 0;
  let countedMs = 0;
  for (const { codec, packetsMs, first, last } of streams) {
    const claimedMs = ((last - (first ?? 0)) * 1000) / codec.granuleRate;
    atMostMs += Math.max(packetsMs, claimedMs);
    countedMs += codec.name === "opus" ? packetsMs : claimedMs;
  }
  return { atMostMs, countedMs };
}
