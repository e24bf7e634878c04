// The longest time that one frame of Apple Lossless in MP4 can last. Its configuration says how many
// samples a frame has, and no decoder takes more.
// https://github.com/macosforge/alac, ALACMagicCookieDescription.txt

const SOUND_ENTRY_BYTES = 36;
const ALAC = 0x616c6163;
const MAX_FRAME_SAMPLES = 65_536;

/** Where a sound's own boxes begin; null: the entry is of another codec, or cannot be read. */
export function soundEntryBoxes(
  view: DataView,
  at: number,
  end: number,
  codec: number,
): { readonly at: number; readonly end: number } | null {
  if (at + SOUND_ENTRY_BYTES > end || view.getUint32(at + 4) !== codec) return null;
  // QuickTime's own version 1 puts more before the boxes; version 2 is not read.
  const version = view.getUint16(at + 16);
  if (version > 1) return null;
  const entryEnd = Math.min(end, at + view.getUint32(at));
  return { at: at + SOUND_ENTRY_BYTES + (version === 1 ? 16 : 0), end: entryEnd };
}

/**
 * @param at offset of an entry of `stsd`
 * @returns milliseconds; null where it is no ALAC, or cannot be read
 */
export function alacFrameMs(view: DataView, at: number, end: number): number | null {
  const boxes = soundEntryBoxes(view, at, end, ALAC);
  // A size, the type, a version, and 24 bytes of configuration.
  if (boxes === null || boxes.at + 36 > boxes.end) return null;
  if (view.getUint32(boxes.at + 4) !== ALAC) return null;
  const samples = view.getUint32(boxes.at + 12);
  const rate = view.getUint32(boxes.at + 32);
  if (samples === 0 || samples > MAX_FRAME_SAMPLES || rate === 0) return null;
  return (samples * 1000) / rate;
}
