import { isJpegFrame, MAX_PICTURE_PIXELS } from "../picture.ts";

// mozjpeg decodes half a file without an error and paints the rest grey, so this file checks whether a
// JPEG is whole: its end marker (FF D9) must be where the scans end (ITU-T T.81, annex B). A look at the
// last two bytes would refuse the pictures of cameras that append data. A look at every place would
// accept a cut file because of the end marker in its embedded thumbnail.

/**
 * Encoders write one scan, or about ten when progressive. Each costs a pass over all blocks of the
 * picture, however few its bytes: 4 MB hold enough of them to keep a decoder busy for minutes.
 */
const MAX_SCANS = 100;

/** Pixels times scans: sixteen scans of the largest picture, where encoders write about ten. */
const MAX_SCANNED_PIXELS = 16 * MAX_PICTURE_PIXELS;

/** Whether the scans are few enough and run on to an end marker. One pass. */
export function isWholeJpeg(bytes: Uint8Array): boolean {
  let at = 2;
  let scans = 0;
  let pixels = 0;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) return false;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xd9) return scans > 0;
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    if (isJpegFrame(marker)) pixels = uint16(bytes, at + 5) * uint16(bytes, at + 7);
    at += 2 + uint16(bytes, at + 2);
    if (marker === 0xda) {
      scans += 1;
      if (scans > MAX_SCANS || scans * pixels > MAX_SCANNED_PIXELS) return false;
      at = endOfScan(bytes, at);
    }
  }
  return false;
}

const uint16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** The next marker after entropy-coded data, in which FF is followed by 00 or a restart marker. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}
