import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { asciiAt, nextByte } from "../io/byte-view.ts";
import { type ReadBudget, spend } from "./read-budget.ts";

// MPEG audio (MP3) and ADTS (AAC): frames one after the other, each with its own header, and anything
// between them. Headers with the number of frames (Xing, VBRI) or the size of the tag (ID3) may be
// wrong, and decoders that lost their place find the next frame in different ways. So we reserve the
// longest chain of frames that do not overlap, over every place where a header could be: no decoder
// finds more. Music looks like a header about once in 5,000 bytes, so this chain is a few per cent
// longer than the frames read in order.

interface Frame {
  readonly bytes: number;
  readonly ms: number;
}

/** Kilobits a second by index, of MPEG-1 layers I to III, then of MPEG-2 layer I, and II and III. */
const BIT_RATES: readonly (readonly number[])[] = [
  [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const SAMPLE_RATES = [44_100, 48_000, 32_000];

/** A frame of free bit rate states no length. It has at least a header and the least side information. */
const FREE_FRAME_BYTES = 13;

/** By the second and the third byte of a header, which decide all: a stream has few different ones. */
const MPEG_FRAMES = new Map<number, Frame | null>();

/** ISO 11172-3, 2.4.1.3, and ISO 13818-3; "MPEG-2.5" halves the rates once more. */
export function mpegFrameAt(bytes: Uint8Array, at: number): Frame | null {
  const second = bytes[at + 1] ?? 0;
  if (bytes[at] !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const third = bytes[at + 2] ?? 0;
  const header = second * 256 + third;
  const known = MPEG_FRAMES.get(header);
  if (known !== undefined) return known;
  const frame = mpegFrame(second, third);
  MPEG_FRAMES.set(header, frame);
  return frame;
}

function mpegFrame(second: number, third: number): Frame | null {
  const version = (second >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const layer = 4 - ((second >> 1) & 3);
  const rateIndex = third >> 4;
  const base = SAMPLE_RATES[(third >> 2) & 3];
  if (version === 1 || layer === 4 || rateIndex === 15 || base === undefined) return null;
  const sampleRate = version === 3 ? base : version === 2 ? base / 2 : base / 4;
  const table = version === 3 ? layer - 1 : layer === 1 ? 3 : 4;
  const bitRate = (BIT_RATES[table]?.[rateIndex] ?? 0) * 1000;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152;
  const padding = (third >> 1) & 1;
  const ms = (samples * 1000) / sampleRate;
  if (bitRate === 0) return { bytes: FREE_FRAME_BYTES, ms };
  const length =
    layer === 1
      ? (Math.floor((12 * bitRate) / sampleRate) + padding) * 4
      : Math.floor(((samples / 8) * bitRate) / sampleRate) + padding;
  return { bytes: length, ms };
}

const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];
const ADTS_HEADER_BYTES = 7;

/** ISO 14496-3, 1.A.3.2. SBR raises the rate and does not make a frame longer. */
export function adtsFrameAt(bytes: Uint8Array, at: number): Frame | null {
  if (bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xf6) !== 0xf0) return null;
  const rate = AAC_RATES[((bytes[at + 2] ?? 0) >> 2) & 15];
  const fourth = bytes[at + 3] ?? 0;
  const length = ((fourth & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5);
  if (rate === undefined || length < ADTS_HEADER_BYTES) return null;
  const blocks = ((bytes[at + 6] ?? 0) & 3) + 1;
  return { bytes: length, ms: (blocks * 1024 * 1000) / rate };
}

/** A chain of frames: where it ends, and how long it lasts. */
interface Chain {
  readonly end: number;
  readonly ms: number;
}

/** Sums up the frames of one kind, in order. */
class FrameCount {
  /** For a decoder that reads frame after frame and, where there is none, looks further. */
  inOrderMs = 0;
  inOrderBytes = 0;
  /** Where that decoder looks next. */
  #next: number;
  /**
   * Chains that have not ended yet. Each frame continues the longest chain that ended before it. Of the
   * open chains only those are kept that are longer than all that end earlier: that is a small number
   * for any input.
   */
  readonly #open: Chain[] = [];
  #best = 0;

  constructor(from: number) {
    this.#next = from;
  }

  add(at: number, frame: Frame, length: number): void {
    if (at >= this.#next) {
      this.inOrderMs += frame.ms;
      this.inOrderBytes += Math.min(frame.bytes, length - at);
      this.#next = at + frame.bytes;
    }
    const open = this.#open;
    while (open[0] !== undefined && open[0].end <= at) {
      this.#best = Math.max(this.#best, open.shift()?.ms ?? 0);
    }
    keep(open, { end: at + frame.bytes, ms: this.#best + frame.ms });
  }

  /** The longest chain of frames that do not overlap. */
  get longestMs(): number {
    // A chain may end beyond the file: a decoder may play the part that is there.
    return Math.max(this.#best, this.#open.at(-1)?.ms ?? 0);
  }
}

/** Sorted by end, and so by length. */
function keep(open: Chain[], chain: Chain): void {
  let place = open.length;
  while (place > 0 && (open[place - 1]?.end ?? 0) > chain.end) place -= 1;
  if ((open[place - 1]?.ms ?? 0) >= chain.ms) return;
  let useless = 0;
  while ((open[place + useless]?.ms ?? Infinity) <= chain.ms) useless += 1;
  open.splice(place, useless, chain);
}

/** Where an ID3v2 tag says that it ends: four times seven bits. https://id3.org/id3v2.4.0-structure */
export function tagEnd(bytes: Uint8Array): number {
  if (!asciiAt(bytes, 0, "ID3")) return 0;
  const size = [6, 7, 8, 9].reduce((sum, at) => sum * 128 + ((bytes[at] ?? 0) & 127), 0);
  return 10 + size;
}

/** The least share of frames in a file after its tag. With fewer it may be meant for another decoder. */
const LEAST_FRAMES = 0.75;

/**
 * Both kinds in one pass over every place where a header could be: no header is of both kinds.
 *
 * @returns null where less than three quarters of the file are frames, or the budget does not suffice
 */
export function frameStream(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  const from = tagEnd(bytes);
  const mpeg = new FrameCount(from);
  const adts = new FrameCount(from);
  for (let at = nextByte(bytes, 0xff, 0); at < bytes.length; at = nextByte(bytes, 0xff, at + 1)) {
    if (!spend(budget)) return null;
    const second = bytes[at + 1] ?? 0;
    if ((second & 0xe0) !== 0xe0) continue;
    const isAdts = (second & 0xf6) === 0xf0;
    const frame = isAdts ? adtsFrameAt(bytes, at) : mpegFrameAt(bytes, at);
    if (frame !== null) (isAdts ? adts : mpeg).add(at, frame, bytes.length);
  }
  const main = mpeg.inOrderBytes > adts.inOrderBytes ? mpeg : adts;
  if (main.inOrderBytes < (bytes.length - from) * LEAST_FRAMES) return null;
  return { atMostMs: Math.max(mpeg.longestMs, adts.longestMs), countedMs: main.inOrderMs };
}
