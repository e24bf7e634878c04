import type { PacketCodec } from "./packet.ts";
import { PACKETS_A_STEP, type ReadBudget, spend } from "./read-budget.ts";

// The packets of a track in MP4. The track's tables give their sizes, the chunks that they are in, and how
// many each chunk has. A packet of Opus states its own duration; the table of times is not used for it.

/** Offsets of a track's tables; null: there is none. */
export interface SampleTables {
  sizes: { readonly at: number; readonly count: number; readonly ofAll: number } | null;
  chunks: { readonly at: number; readonly count: number; readonly width: number } | null;
  runs: { readonly at: number; readonly count: number } | null;
  /** False where a table comes twice, or in another form: decoders differ in which one they use. */
  isSure: boolean;
}

export const noTables = (): SampleTables => ({
  sizes: null,
  chunks: null,
  runs: null,
  isSure: true,
});

/** Bytes of an entry. */
const WIDTHS = { stsz: 4, stsc: 12, stco: 4, co64: 8 } as const;

/** @returns false where the box is too short for the table's head; a table that is cut is not sure */
export function readTable(
  tables: SampleTables,
  type: keyof typeof WIDTHS,
  view: DataView,
  box: { readonly at: number; readonly end: number },
): boolean {
  const width = WIDTHS[type];
  const headBytes = type === "stsz" ? 12 : 8;
  const at = box.at + headBytes;
  if (at > box.end) return false;
  const count = view.getUint32(at - 4);
  const ofAll = type === "stsz" ? view.getUint32(at - 8) : 0;
  // Packets that all have one size cannot take more than all bytes.
  const isThere = ofAll === 0 ? at + count * width <= box.end : count * ofAll <= view.byteLength;
  const name = type === "stsz" ? "sizes" : type === "stsc" ? "runs" : "chunks";
  if (!isThere || tables[name] !== null) tables.isSure = false;
  tables[name] = { at, count, width, ofAll };
  return true;
}

/** Milliseconds of all packets; null where they cannot be found, or the budget does not suffice. */
export function packetsMs(
  view: DataView,
  { sizes, chunks, runs, isSure }: SampleTables,
  codec: PacketCodec,
  budget: ReadBudget,
): number | null {
  if (!isSure || sizes === null || chunks === null || runs === null || runs.count === 0)
    return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let ms = 0;
  let sample = 0;
  let run = 0;
  for (let chunk = 0; chunk < chunks.count && sample < sizes.count; chunk += 1) {
    if (!spend(budget)) return null;
    // A run is valid from its first chunk, which is counted from 1, to the first chunk of the next run.
    while (run + 1 < runs.count && view.getUint32(runs.at + (run + 1) * 12) <= chunk + 1) run += 1;
    const inChunk = view.getUint32(runs.at + run * 12 + 4);
    let at = offsetOf(view, chunks, chunk);
    const end = Math.min(sizes.count, sample + inChunk);
    for (; sample < end; sample += 1) {
      if (!spend(budget, 1 / PACKETS_A_STEP)) return null;
      const size = sizes.ofAll === 0 ? view.getUint32(sizes.at + sample * 4) : sizes.ofAll;
      // A packet beyond the file counts as the longest.
      ms += at + size > bytes.length ? codec.longestMs : codec.packetMs(bytes, at, size);
      at += size;
    }
  }
  return sample === sizes.count ? ms : null;
}

function offsetOf(
  view: DataView,
  { at, width }: NonNullable<SampleTables["chunks"]>,
  chunk: number,
): number {
  const entry = at + chunk * width;
  return width === 4
    ? view.getUint32(entry)
    : view.getUint32(entry) * 2 ** 32 + view.getUint32(entry + 4);
}
