// How long one AAC frame in MP4 lasts, by the decoder configuration in the sample entry. A frame is 1,024
// samples at the rate of the core, with or without SBR.

const CORE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

/** AAC main, LC, SSR, LTP, with SBR or parametric stereo on top: ISO 14496-3, table 1.17. */
const OBJECT_TYPES: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 29]);

/** MPEG-4 audio, and MPEG-2 AAC by profile. https://mp4ra.org/registered-types/object-types */
const AAC: ReadonlySet<number> = new Set([0x40, 0x66, 0x67, 0x68]);

const SOUND_ENTRY_BYTES = 36;
const FRAME_SAMPLES = 1024;

/**
 * @param at offset of an entry of `stsd`
 * @returns milliseconds; null where it is no AAC, or cannot be read
 */
export function aacFrameMs(view: DataView, at: number, end: number): number | null {
  if (at + SOUND_ENTRY_BYTES > end || view.getUint32(at + 4) !== 0x6d703461 /* mp4a */) return null;
  // QuickTime's own versions 1 and 2 put more before the boxes.
  const version = view.getUint16(at + 16);
  const entryEnd = Math.min(end, at + view.getUint32(at));
  const esds = findEsds(view, at + SOUND_ENTRY_BYTES + (version === 1 ? 16 : 0), entryEnd);
  return version > 1 || esds === null ? null : configuredMs(view, esds + 12, entryEnd);
}

/** `esds` is 4 bytes of version, then descriptors. */
function findEsds(view: DataView, from: number, end: number): number | null {
  for (let at = from; at + 12 <= end;) {
    if (view.getUint32(at + 4) === 0x65736473) return at;
    const size = view.getUint32(at);
    if (size < 8) return null;
    at += size;
  }
  return null;
}

/** Nested descriptors (ISO 14496-1, 7.2.6): stream 3, its decoder 4, its configuration 5. */
function configuredMs(view: DataView, from: number, end: number): number | null {
  const stream = descriptor(view, from, end);
  if (stream?.tag !== 3 || stream.at + 3 > end) return null;
  const flags = view.getUint8(stream.at + 2);
  // A URL instead of a stream, or one that depends on another.
  if ((flags & 0xe0) !== 0) return null;
  const decoder = descriptor(view, stream.at + 3, end);
  if (decoder?.tag !== 4 || decoder.at + 13 > end || !AAC.has(view.getUint8(decoder.at)))
    return null;
  const config = descriptor(view, decoder.at + 13, end);
  if (config?.tag !== 5 || config.at + 2 > end) return null;
  const bits = view.getUint16(config.at);
  const rate = CORE_RATES[(bits >> 7) & 15];
  if (!OBJECT_TYPES.has(bits >> 11) || rate === undefined) return null;
  return (FRAME_SAMPLES * 1000) / rate;
}

/** A tag and a size of up to four times seven bits. */
function descriptor(
  view: DataView,
  from: number,
  end: number,
): { readonly tag: number; readonly at: number } | null {
  for (let at = from + 1; at < Math.min(end, from + 5); at += 1) {
    if ((view.getUint8(at) & 0x80) === 0) return { tag: view.getUint8(from), at: at + 1 };
  }
  return null;
}
