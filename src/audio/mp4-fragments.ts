import type { PacketCodec } from "./packet.ts";
import { PACKETS_A_STEP, type ReadBudget, spend } from "./read-budget.ts";

// The packets of a track in the fragments of MP4 (ISO 14496-12, 8.8). A fragment is a `moof` with the
// sizes of its packets, and then the packets. Where decoders differ in the place of a packet, nothing is
// measured.

/** Packets one behind the other. */
interface Run {
  /** Of the first packet's fields, and how many bytes the fields of each have. */
  readonly entriesAt: number;
  readonly width: number;
  readonly count: number;
  /** Of the size within a packet's fields; null: all have the size `ofAll`. */
  readonly sizeAt: number | null;
  readonly ofAll: number;
  readonly dataAt: number;
}

export interface FragmentRuns {
  readonly runs: Run[];
  /** The movie's default size of a packet (`trex`); null: there is none. */
  movieSize: number | null;
  /** The size where a run gives none: the fragment's own, else the movie's. */
  size: number;
  moofAt: number | null;
  /** What offsets count from; null: not known yet. */
  base: number | null;
  /** Where the next run begins that does not say so. */
  nextAt: number;
  /** False where decoders may differ in the place or size of a packet. */
  isSure: boolean;
}

export const noRuns = (): FragmentRuns => ({
  runs: [],
  movieSize: null,
  size: 0,
  moofAt: null,
  base: null,
  nextAt: 0,
  isSure: true,
});

interface Box {
  readonly at: number;
  readonly end: number;
}

/** Reads a box whose length was checked: `trex` has 24 bytes. */
export function readDefaults(runs: FragmentRuns, view: DataView, box: Box): void {
  // One track has one.
  if (runs.movieSize !== null) runs.isSure = false;
  runs.movieSize = view.getUint32(box.at + 16);
}

export function openFragment(runs: FragmentRuns, moofAt: number): void {
  runs.moofAt = moofAt;
  runs.base = null;
}

/** A second `traf` of a fragment begins where the data of the first ends: those are not measured. */
export function openTrack(runs: FragmentRuns): void {
  if (runs.moofAt === null || runs.base !== null) runs.isSure = false;
  runs.size = runs.movieSize ?? 0;
}

/** Flags of `tfhd`. */
const BASE_OFFSET = 0x1;
const FIELDS_BEFORE_SIZE = [0x2, 0x8];
const DEFAULT_SIZE = 0x10;
const BASE_IS_MOOF = 0x20000;

/** @returns false where the box is shorter than its flags say */
export function readHeader(runs: FragmentRuns, view: DataView, box: Box): boolean {
  const flags = view.getUint32(box.at) & 0xffffff;
  const hasBase = (flags & BASE_OFFSET) !== 0;
  const before = FIELDS_BEFORE_SIZE.filter((flag) => (flags & flag) !== 0).length;
  const sizeAt = box.at + 8 + (hasBase ? 8 : 0) + before * 4;
  const hasSize = (flags & DEFAULT_SIZE) !== 0;
  if (sizeAt + (hasSize ? 4 : 0) > box.end) return false;
  if (hasSize) runs.size = view.getUint32(sizeAt);
  // Two bases, or a second header.
  if ((hasBase && (flags & BASE_IS_MOOF) !== 0) || runs.base !== null) runs.isSure = false;
  runs.base = hasBase ? uint64(view, box.at + 8) : runs.moofAt;
  runs.nextAt = runs.base ?? 0;
  return true;
}

const uint64 = (view: DataView, at: number): number =>
  view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);

/** Reads `trun`, whose length was checked; its packets' fields begin at `entriesAt`. */
export function readRun(
  runs: FragmentRuns,
  view: DataView,
  box: Box & { readonly entriesAt: number; readonly width: number },
): void {
  const flags = view.getUint32(box.at) & 0xffffff;
  const count = view.getUint32(box.at + 4);
  if (runs.base === null) runs.isSure = false;
  const hasOffset = (flags & 1) !== 0;
  const dataAt = hasOffset ? (runs.base ?? 0) + view.getInt32(box.at + 8) : runs.nextAt;
  if (dataAt < 0) runs.isSure = false;
  const sizeAt = (flags & 0x200) === 0 ? null : (flags & 0x100) === 0 ? 0 : 4;
  const { entriesAt, width } = box;
  const run = { entriesAt, width, count, sizeAt, ofAll: runs.size, dataAt };
  // Packets that all have one size cannot take more than all bytes.
  if (sizeAt === null && count * runs.size > view.byteLength) runs.isSure = false;
  runs.runs.push(run);
  runs.nextAt = dataAt + bytesOf(view, run);
}

function bytesOf(view: DataView, run: Run): number {
  if (run.sizeAt === null) return run.count * run.ofAll;
  let bytes = 0;
  for (let packet = 0; packet < run.count; packet += 1) bytes += sizeOf(view, run, packet);
  return bytes;
}

const sizeOf = (view: DataView, { sizeAt, ofAll, entriesAt, width }: Run, packet: number): number =>
  sizeAt === null ? ofAll : view.getUint32(entriesAt + packet * width + sizeAt);

/** Milliseconds of all packets; null where they cannot be found, or the budget does not suffice. */
export function fragmentsMs(
  view: DataView,
  { runs, isSure }: FragmentRuns,
  codec: PacketCodec,
  budget: ReadBudget,
): number | null {
  if (!isSure) return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let ms = 0;
  for (const run of runs) {
    if (!spend(budget)) return null;
    let at = run.dataAt;
    for (let packet = 0; packet < run.count; packet += 1) {
      if (!spend(budget, 1 / PACKETS_A_STEP)) return null;
      const size = sizeOf(view, run, packet);
      // A packet beyond the file counts as the longest.
      ms += at + size > bytes.length ? codec.longestMs : codec.packetMs(bytes, at, size);
      at += size;
    }
  }
  return ms;
}
