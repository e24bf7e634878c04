import { aacFrameMs } from "./aac-config.ts";
import { alacFrameMs, soundEntryBoxes } from "./alac-config.ts";
import type { AudioLength } from "../domain/generation/sound-usage.ts";
import { viewOf } from "../io/byte-view.ts";
import {
  type FragmentRuns,
  fragmentsMs,
  noRuns,
  openFragment,
  openTrack,
  readDefaults,
  readHeader,
  readRun,
} from "./mp4-fragments.ts";
import { noTables, packetsMs, readTable, type SampleTables } from "./mp4-packets.ts";
import { OPUS, type PacketCodec } from "./packet.ts";
import { MAX_BOXES, MAX_DEPTH, MAX_TRACKS, type ReadBudget } from "./read-budget.ts";

// MP4 and M4A (ISO 14496-12) with AAC, ALAC or Opus. The movie, its tracks, their media, their edit
// lists and their sample tables each state a length, and so do the fragments of a recording that was
// streamed; tables may name the same bytes twice. We reserve the longest of these. We charge the length
// by the sample tables, or by the packets of Opus, in tables or in fragments. (A sample is one frame, as
// the standard wants it: a file that packs several into one sample cannot be recognised without decoding.)

/** Boxes that hold boxes which matter here. */
const CONTAINERS: ReadonlySet<string> = new Set([
  "moov", "trak", "edts", "mdia", "minf", "stbl", "mvex", "moof", "traf",
]); // prettier-ignore

interface Track {
  isSound: boolean;
  /** Units a second of its media. */
  timescale: number;
  mediaTicks: number;
  sampleTicks: number;
  samples: number;
  timedSamples: number;
  /** The longest of: track header and edit list, in the movie's units. */
  movieTicks: number;
  /** Milliseconds of a frame of AAC or ALAC; null: another codec. */
  frameMs: number | null;
  /** For packets that state their own length. */
  codec: PacketCodec | null;
  readonly tables: SampleTables;
}

interface Movie {
  readonly tracks: Track[];
  timescale: number;
  ticks: number;
  /** The default ticks of a sample: the movie's, then the fragment's. */
  movieSampleTicks: number;
  sampleTicks: number;
  fragmentSamples: number;
  fragmentTicks: number;
  readonly runs: FragmentRuns;
}

interface Box {
  readonly type: string;
  /** Of its header. */
  readonly from: number;
  readonly at: number;
  readonly end: number;
}

export function mp4Length(bytes: Uint8Array, budget: ReadBudget): AudioLength | null {
  const view = viewOf(bytes);
  const movie: Movie = {
    tracks: [], timescale: 0, ticks: 0, movieSampleTicks: 0, sampleTicks: 0, fragmentSamples: 0,
    fragmentTicks: 0, runs: noRuns(),
  }; // prettier-ignore
  const ends = [bytes.length];
  let at = 0;
  for (let boxes = 0; at < bytes.length; boxes += 1) {
    while (ends.length > 1 && at === ends.at(-1)) ends.pop();
    const limit = ends.at(-1) ?? 0;
    if (at + 8 > limit) return limit === bytes.length ? lengthOf(movie, view, budget) : null;
    const box = boxAt(view, at, { limit, isCut: ends.length === 1 });
    if (box === null || boxes === MAX_BOXES) return null;
    if (box.type === "trak") movie.tracks.push(newTrack());
    // A box that is cut, or whose counts reach beyond it: its content is not known.
    if (READERS[box.type]?.(movie, view, box) === false) return null;
    const isEntered = CONTAINERS.has(box.type);
    if (isEntered) ends.push(box.end);
    if (ends.length > MAX_DEPTH || movie.tracks.length > MAX_TRACKS) return null;
    at = isEntered ? box.at : box.end;
  }
  return lengthOf(movie, view, budget);
}

const newTrack = (): Track => ({
  isSound: false, timescale: 0, mediaTicks: 0, sampleTicks: 0, samples: 0, timedSamples: 0,
  movieTicks: 0, frameMs: null, codec: null, tables: noTables(),
}); // prettier-ignore

/** Null where the box does not fit into its container. With `isCut` the box is cut at the container's end. */
function boxAt(
  view: DataView,
  at: number,
  { limit, isCut }: { readonly limit: number; readonly isCut: boolean },
): Box | null {
  const short = view.getUint32(at);
  const headerBytes = short === 1 ? 16 : 8;
  if (at + headerBytes > limit) return null;
  const size = short === 0 ? limit - at : short === 1 ? uint64(view, at + 8) : short;
  const type = String.fromCharCode(
    view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7),
  ); // prettier-ignore
  const end = isCut ? Math.min(at + size, limit) : at + size;
  return size < headerBytes || end > limit ? null : { type, from: at, at: at + headerBytes, end };
}

/** Inexact beyond 2^53, which no real file reaches. (A BigInt for each entry of a table is slow.) */
const uint64 = (view: DataView, at: number): number =>
  view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);

type Reader = (movie: Movie, view: DataView, box: Box) => boolean;

const has = ({ at, end }: Box, bytes: number): boolean => at + bytes <= end;

/** A duration of all ones means "unknown". */
const known = (ticks: number, unknown: number): number => (ticks >= unknown ? 0 : ticks);

/** `mvhd`, `mdhd`, `tkhd`: the duration, and the timescale before it, by version. */
function timesAt(
  view: DataView,
  { at }: Box,
  header: { readonly short: number; readonly long: number },
): { readonly timescale: number; readonly ticks: number } {
  if (view.getUint8(at) === 1) {
    const timescale = view.getUint32(at + header.long - 4);
    return { timescale, ticks: known(uint64(view, at + header.long), 2 ** 64 - 1) };
  }
  const timescale = view.getUint32(at + header.short - 4);
  return { timescale, ticks: known(view.getUint32(at + header.short), 2 ** 32 - 1) };
}

/** `Opus`: https://opus-codec.org/docs/opus_in_isobmff.html */
const OPUS_ENTRY = 0x4f707573;

/** The track whose boxes are being read; for a box outside of any track, one that is thrown away. */
const trackOf = (movie: Movie): Track => movie.tracks.at(-1) ?? newTrack();

const READERS: Readonly<Record<string, Reader>> = {
  mvhd(movie, view, box) {
    if (!has(box, 32)) return false;
    const { timescale, ticks } = timesAt(view, box, { short: 16, long: 24 });
    // Two movie headers: the slower clock and the longer time.
    movie.timescale = movie.timescale === 0 ? timescale : Math.min(movie.timescale, timescale);
    movie.ticks = Math.max(movie.ticks, ticks);
    return true;
  },
  tkhd(movie, view, box) {
    if (!has(box, 36)) return false;
    const { ticks } = timesAt(view, box, { short: 20, long: 28 });
    const track = trackOf(movie);
    track.movieTicks = Math.max(track.movieTicks, ticks);
    return true;
  },
  /** An edit list may repeat parts, or pause. */
  elst(movie, view, box) {
    if (!has(box, 8)) return false;
    const wide = view.getUint8(box.at) === 1;
    const count = view.getUint32(box.at + 4);
    const width = wide ? 20 : 12;
    if (!has(box, 8 + count * width)) return false;
    let ticks = 0;
    for (let entry = 0; entry < count; entry += 1) {
      const at = box.at + 8 + entry * width;
      ticks += wide ? uint64(view, at) : view.getUint32(at);
    }
    const track = trackOf(movie);
    track.movieTicks = Math.max(track.movieTicks, ticks);
    return true;
  },
  mdhd(movie, view, box) {
    if (!has(box, 32) && !(has(box, 20) && view.getUint8(box.at) === 0)) return false;
    const track = trackOf(movie);
    const { timescale, ticks } = timesAt(view, box, { short: 16, long: 24 });
    track.timescale = timescale;
    track.mediaTicks = ticks;
    return true;
  },
  hdlr(movie, view, box) {
    if (!has(box, 12)) return false;
    if (view.getUint32(box.at + 8) === 0x736f756e) trackOf(movie).isSound = true;
    return true;
  },
  stsd(movie, view, box) {
    const track = trackOf(movie);
    // With several descriptions, the tables of chunks say which one applies: those are not read.
    if (!has(box, 8) || view.getUint32(box.at + 4) !== 1) return !track.isSound;
    const at = box.at + 8;
    track.frameMs = aacFrameMs(view, at, box.end) ?? alacFrameMs(view, at, box.end);
    track.codec = soundEntryBoxes(view, at, box.end, OPUS_ENTRY) === null ? null : OPUS;
    return true;
  },
  stts(movie, view, box) {
    if (!has(box, 8)) return false;
    const count = view.getUint32(box.at + 4);
    if (!has(box, 8 + count * 8)) return false;
    const track = trackOf(movie);
    for (let at = box.at + 8; at < box.at + 8 + count * 8; at += 8) {
      track.timedSamples += view.getUint32(at);
      track.sampleTicks += view.getUint32(at) * view.getUint32(at + 4);
    }
    return true;
  },
  stsz(movie, view, box) {
    if (!has(box, 12)) return false;
    const track = trackOf(movie);
    track.samples += view.getUint32(box.at + 8);
    return readTable(track.tables, "stsz", view, box);
  },
  stsc: (movie, view, box) => readTable(trackOf(movie).tables, "stsc", view, box),
  stco: (movie, view, box) => readTable(trackOf(movie).tables, "stco", view, box),
  co64: (movie, view, box) => readTable(trackOf(movie).tables, "co64", view, box),
  /** 24 empty bits, the width of a size, then the count: at the same place as in `stsz`. */
  stz2(movie, view, box) {
    if (!has(box, 12)) return false;
    const track = trackOf(movie);
    track.samples += view.getUint32(box.at + 8);
    track.tables.isSure = false;
    return true;
  },
  trex(movie, view, box) {
    if (!has(box, 24)) return false;
    movie.movieSampleTicks = view.getUint32(box.at + 12);
    readDefaults(movie.runs, view, box);
    return true;
  },
  moof(movie, _view, box) {
    openFragment(movie.runs, box.from);
    return true;
  },
  traf(movie) {
    movie.sampleTicks = movie.movieSampleTicks;
    openTrack(movie.runs);
    return true;
  },
  /** A fragment's own default; its flags say which fields come before it. */
  tfhd(movie, view, box) {
    const flags = view.getUint32(box.at) & 0xffffff;
    const at = 8 + ((flags & 1) !== 0 ? 8 : 0) + ((flags & 2) !== 0 ? 4 : 0);
    if (!has(box, 8) || !readHeader(movie.runs, view, box)) return false;
    if ((flags & 8) === 0) return true;
    if (!has(box, at + 4)) return false;
    movie.sampleTicks = view.getUint32(box.at + at);
    return true;
  },
  trun(movie, view, box) {
    if (!has(box, 8)) return false;
    const flags = view.getUint32(box.at) & 0xffffff;
    const count = view.getUint32(box.at + 4);
    const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
    const from = 8 + ((flags & 1) !== 0 ? 4 : 0) + ((flags & 4) !== 0 ? 4 : 0);
    if (!has(box, from + count * fields * 4)) return false;
    readRun(movie.runs, view, { ...box, entriesAt: box.at + from, width: fields * 4 });
    movie.fragmentSamples += count;
    if ((flags & 0x100) === 0) {
      movie.fragmentTicks += count * movie.sampleTicks;
      return true;
    }
    for (let sample = 0; sample < count; sample += 1) {
      movie.fragmentTicks += view.getUint32(box.at + from + sample * fields * 4);
    }
    return true;
  },
};

function lengthOf(movie: Movie, view: DataView, budget: ReadBudget): AudioLength | null {
  const [sound, ...others] = movie.tracks.filter(({ isSound }) => isSound);
  // A decoder plays one of two sound tracks, and decoders differ in which.
  if (sound === undefined || others.length > 0) return null;
  const { frameMs, codec, timescale } = sound;
  if ((frameMs === null && codec === null) || timescale === 0) return null;
  // Fragments of other tracks, such as video, would be added to the sound's.
  if (movie.fragmentSamples > 0 && movie.tracks.length > 1) return null;
  const samples = Math.max(sound.samples, sound.timedSamples) + movie.fragmentSamples;
  const countedMs = ((sound.sampleTicks + movie.fragmentTicks) * 1000) / timescale;
  const claims = Math.max(movie.ticks, ...movie.tracks.map(({ movieTicks }) => movieTicks));
  if (claims > 0 && movie.timescale === 0) return null;
  const claimedMs = claims === 0 ? 0 : (claims * 1000) / movie.timescale;
  const mediaMs = (sound.mediaTicks * 1000) / timescale;
  const statedMs = Math.max(countedMs, claimedMs, mediaMs);
  if (frameMs !== null) return { atMostMs: Math.max(samples * frameMs, statedMs), countedMs };
  if (codec === null) return null;
  // A recording in fragments has empty tables.
  const isEmpty = samples === movie.fragmentSamples && movie.fragmentSamples > 0;
  const tableMs = isEmpty ? 0 : packetsMs(view, sound.tables, codec, budget);
  const fragmentMs = fragmentsMs(view, movie.runs, codec, budget);
  if (tableMs === null || fragmentMs === null) return null;
  const allMs = tableMs + fragmentMs;
  return { atMostMs: Math.max(allMs, statedMs), countedMs: allMs };
}
