import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { viewOf } from "../io/byte-view.ts";
import { OPUS, type PacketCodec, vorbisCodec } from "./packet.ts";
import { MAX_DEPTH, MAX_TRACKS, type ReadBudget, spend } from "./read-budget.ts";

// WebM (RFC 8794, RFC 9559) with Opus or Vorbis, as browsers record it: often without a duration, in
// segments and clusters of unknown size. Blocks state their time, packets their duration, and the header
// a length: we reserve the longest of the three. Readers differ in how they go on after an element that
// does not fit into its parent: such a file has no length.

const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const INFO = 0x1549a966;
const TRACK_ENTRY = 0xae;
const ENTERED: ReadonlySet<number> = new Set([
  SEGMENT, CLUSTER, INFO, /* Tracks */ 0x1654ae6b, TRACK_ENTRY, /* BlockGroup */ 0xa0,
]); // prettier-ignore
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const CONTENT_ENCODINGS = 0x6d80;
const CLUSTER_TIME = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;

const SOUND = 2;

interface Track {
  number: number;
  isSound: boolean;
  codecName: string;
  /** From Vorbis's own header. */
  vorbis: PacketCodec | null;
  isEncoded: boolean;
}

interface Recording {
  readonly tracks: Track[];
  /** Nanoseconds; null: not stated, so a million. */
  scale: number | null;
  /** The next four are in units of the scale. */
  duration: number;
  clusterTime: number;
  blockTime: number;
  last: number;
  packetsMs: number;
  countedMs: number | null;
}

export function webmLength(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  const view = viewOf(bytes);
  const recording: Recording = {
    tracks: [], scale: null, duration: 0, clusterTime: 0, blockTime: 0, last: 0, packetsMs: 0,
    countedMs: 0,
  }; // prettier-ignore
  const parents: Parent[] = [{ id: 0, end: bytes.length, unknown: false }];
  let at = 0;
  while (at < bytes.length) {
    if (!spend(budget)) return null;
    while (parents.length > 1 && at >= (parents.at(-1)?.end ?? 0)) parents.pop();
    const element = elementAt(bytes, at);
    // The last element of a recording that was cut.
    if (element === null) break;
    const { id, contentAt } = element;
    const { id: parent, end: limit } = parents.at(-1) ?? NO_PARENT;
    if (contentAt > limit) return null;
    const unknown = element.size === null;
    if (unknown && id !== SEGMENT && id !== CLUSTER) return null;
    const end = element.size === null ? limit : contentAt + element.size;
    if (end > limit && limit !== bytes.length) return null;
    if (ENTERED.has(id)) {
      if (id === TRACK_ENTRY) recording.tracks.push(newTrack());
      // An element without a size ends where the next of its kind begins: both end with their parent.
      while (parents.at(-1)?.unknown === true && endsBefore(parents.at(-1)?.id, id)) parents.pop();
      parents.push({ id, end: Math.min(end, limit), unknown });
      if (parents.length > MAX_DEPTH || recording.tracks.length > MAX_TRACKS) return null;
      at = contentAt;
      continue;
    }
    if (end > bytes.length) break;
    if (!readElement(recording, bytes, view, { id, parent, at: contentAt, end })) {
      return null;
    }
    at = end;
  }
  return lengthOf(recording);
}

const newTrack = (): Track => ({
  number: 0, isSound: false, codecName: "", vorbis: null, isEncoded: false,
}); // prettier-ignore

interface Parent {
  readonly id: number;
  readonly end: number;
  /** Without a size: it reaches to the end of its parent, or to the next of its kind. */
  readonly unknown: boolean;
}

const NO_PARENT: Parent = { id: 0, end: 0, unknown: false };

/** A cluster ends where another or a new segment begins; a segment where a new one does. */
const endsBefore = (open: number | undefined, next: number): boolean =>
  next === SEGMENT || (next === CLUSTER && open === CLUSTER);

interface Element {
  readonly id: number;
  readonly parent: number;
  readonly at: number;
  readonly end: number;
}

/** An id with its marker, and a size without; a size of all ones is unknown. */
function elementAt(
  bytes: Uint8Array,
  at: number,
): { readonly id: number; readonly size: number | null; readonly contentAt: number } | null {
  const idBytes = Math.clz32((bytes[at] ?? 0) << 24) + 1;
  const sizeAt = at + idBytes;
  const sizeBytes = Math.clz32((bytes[sizeAt] ?? 0) << 24) + 1;
  if (idBytes > 4 || sizeBytes > 8 || sizeAt + sizeBytes > bytes.length) return null;
  const id = unsigned(bytes, at, sizeAt);
  const size = unmarked(bytes, sizeAt, sizeBytes);
  const contentAt = sizeAt + sizeBytes;
  return { id, size: size >= 2 ** (7 * sizeBytes) - 1 ? null : size, contentAt };
}

/** A number whose first byte begins with a bit that says how long it is. */
const unmarked = (bytes: Uint8Array, at: number, width: number): number =>
  ((bytes[at] ?? 0) & (0xff >> width)) * 256 ** (width - 1) + unsigned(bytes, at + 1, at + width);

/** A number of up to 8 bytes; inexact beyond 2^53, which no real file reaches. */
function unsigned(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

/** False: because of this element the whole recording has no length. */
function readElement(
  recording: Recording,
  bytes: Uint8Array,
  view: DataView,
  element: Element,
): boolean {
  const { id, parent, at, end } = element;
  if (parent === TRACK_ENTRY) {
    const track = recording.tracks.at(-1);
    if (track !== undefined) describe(track, bytes, element);
    return true;
  }
  const number = () => unsigned(bytes, at, Math.min(end, at + 8));
  switch (id) {
    case TIMESTAMP_SCALE:
      // Two scales: readers differ in which one they use.
      if (recording.scale !== null) return false;
      recording.scale = number();
      return recording.scale > 0;
    case DURATION:
      if (end - at !== 4 && end - at !== 8) return false;
      recording.duration = Math.max(
        recording.duration,
        end - at === 4 ? view.getFloat32(at) : view.getFloat64(at),
      );
      // False for a NaN.
      return recording.duration >= 0;
    case CLUSTER_TIME:
      recording.clusterTime = number();
      return true;
    case SIMPLE_BLOCK:
    case BLOCK:
      return addBlock(recording, bytes, view, element);
    case BLOCK_DURATION:
      recording.last = Math.max(recording.last, recording.blockTime + number());
      return true;
    default:
      return true;
  }
}

function describe(track: Track, bytes: Uint8Array, { id, at, end }: Element): void {
  const number = unsigned(bytes, at, Math.min(end, at + 8));
  if (id === TRACK_NUMBER) track.number = number;
  if (id === TRACK_TYPE) track.isSound = number === SOUND;
  if (id === CONTENT_ENCODINGS) track.isEncoded = true;
  if (id === CODEC_ID) {
    track.codecName = String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 32)));
  }
  // Three headers: a count, the sizes of two of them, then the identification header.
  if (id === CODEC_PRIVATE) {
    const head = bytes.subarray(at, Math.min(end, at + 600)).indexOf(1, 3);
    if (head > 0) track.vorbis ??= vorbisCodec(bytes, at + head);
  }
}

function codecOf({ codecName, vorbis }: Track): PacketCodec | null {
  if (codecName === "A_OPUS") return OPUS;
  return codecName === "A_VORBIS" ? vorbis : null;
}

function addBlock(
  recording: Recording,
  bytes: Uint8Array,
  view: DataView,
  { at, end }: Element,
): boolean {
  const numberBytes = Math.clz32((bytes[at] ?? 0) << 24) + 1;
  const packetAt = at + numberBytes + 3;
  if (numberBytes > 8 || packetAt > end) return false;
  const trackNumber = unmarked(bytes, at, numberBytes);
  const track = recording.tracks.find(({ number }) => number === trackNumber);
  if (track === undefined) return false;
  const time = recording.clusterTime + view.getInt16(at + numberBytes);
  recording.blockTime = time;
  recording.last = Math.max(recording.last, time);
  if (!track.isSound) return true;
  const codec = codecOf(track);
  // With stripped headers or encryption, the first byte here is not the packet's own.
  if (codec === null || track.isEncoded) return false;
  const isLaced = ((bytes[packetAt - 1] ?? 0) & 6) !== 0;
  if (isLaced) {
    // The lacing says where each of several packets begins. It is not read: each counts as the longest.
    recording.packetsMs += codec.longestMs * ((bytes[packetAt] ?? 0) + 1);
    recording.countedMs = null;
    return true;
  }
  const packetMs = codec.packetMs(bytes, packetAt, end - packetAt);
  recording.packetsMs += packetMs;
  if (recording.countedMs !== null) recording.countedMs += packetMs;
  return true;
}

function lengthOf(recording: Recording): AudioLength | null {
  const { tracks, duration, last, packetsMs, countedMs } = recording;
  const sounds = tracks.filter(({ isSound }) => isSound);
  const longest = Math.max(0, ...sounds.map((track) => codecOf(track)?.longestMs ?? 0));
  if (sounds.length !== 1 || packetsMs === 0) return null;
  const unitMs = (recording.scale ?? 1_000_000) / 1_000_000;
  const claimedMs = duration * unitMs;
  const blocksMs = last * unitMs + longest;
  return { atMostMs: Math.max(packetsMs, claimedMs, blocksMs), countedMs };
}
