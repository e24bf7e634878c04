import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { asciiAt, nextByte, viewOf } from "../io/byte-view.ts";
import { OPUS, type PacketCodec, vorbisCodec } from "./packet.ts";
import { MAX_STREAMS, PACKETS_A_STEP, type ReadBudget, spend } from "./read-budget.ts";

// Ogg (RFC 3533) with Opus or Vorbis. Streams may follow each other or run side by side; all of them
// add up. Some readers drop a page with a wrong checksum, and then look for pages inside of it. So every
// page counts, also one within another.

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

export function oggLength(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  const view = viewOf(bytes);
  const streams = new Map<number, Stream>();
  for (let at = 0; at < bytes.length; at = nextByte(bytes, 0x4f, at + 1)) {
    if (!spend(budget)) return null;
    if (!asciiAt(bytes, at, "OggS") || at + HEADER_BYTES > bytes.length) continue;
    const page = pageAt(bytes, view, at);
    // Pages that overlap repeat the same lacing.
    if (!spend(budget, page.segments / PACKETS_A_STEP)) return null;
    let stream = streams.get(page.serial);
    if ((page.flags & BEGINS) !== 0) {
      const codec = codecAt(bytes, page.bodyAt);
      // Neither Opus nor Vorbis, or both at once: we do not guess.
      if (codec === null || (stream !== undefined && !isSame(stream.codec, codec))) return null;
      stream ??= { codec, packetsMs: 0, first: null, last: 0 };
      streams.set(page.serial, stream);
      if (streams.size > MAX_STREAMS) return null;
    }
    if (stream === undefined) return null;
    addPage(stream, bytes, page);
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
  /** How many bytes of lacing there are, and where. */
  readonly segments: number;
  readonly lacingAt: number;
  readonly bodyAt: number;
}

function pageAt(bytes: Uint8Array, view: DataView, at: number): Page {
  const segments = bytes[at + 26] ?? 0;
  const lacingAt = at + HEADER_BYTES;
  return {
    flags: bytes[at + 5] ?? 0,
    granule: view.getInt32(at + 10, true) * 2 ** 32 + view.getUint32(at + 6, true),
    serial: view.getUint32(at + 14, true),
    segments,
    lacingAt,
    bodyAt: lacingAt + segments,
  };
}

/** The packets that begin in a page, each counted by its first bytes. */
function addPage(stream: Stream, bytes: Uint8Array, page: Page): void {
  let begins = (page.flags & CONTINUED) === 0;
  let packetAt = page.bodyAt;
  let next = page.bodyAt;
  let pageMs = 0;
  const end = Math.min(page.bodyAt, bytes.length);
  for (let at = page.lacingAt; at < end; at += 1) {
    const size = bytes[at] ?? 0;
    next += size;
    if (size === 255) continue;
    if (begins) pageMs += stream.codec.packetMs(bytes, packetAt, next - packetAt);
    begins = true;
    packetAt = next;
  }
  // A packet that ends in a later page.
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
