// A picture whose format and dimensions were read from its header. Pixels are decoded only by the
// embedded engine, one picture at a time: an isolate has 128 MB.
//
// The headers are read here and not by a library, because the pixel limit is a guard. A reader that is
// more tolerant than the decoder (image-size searches a damaged JPEG for anything that looks like a
// frame header) can be shown other dimensions than the decoder will allocate. Only files that the
// specifications allow are accepted here, and every read is in bounds.

export type PictureFormat = "png" | "jpeg" | "webp";

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: PictureFormat;
  readonly width: number;
  readonly height: number;
}

export interface PictureRefusal {
  readonly kind: "not_a_picture" | "too_large" | "too_many_pixels" | "malformed";
}

/** 4 MB a picture: eight of them and their request fit an isolate. */
export const MAX_PICTURE_BYTES = 4 * 1024 * 1024;

/** 16 megapixels: 64 MB as RGBA, half of an isolate. */
export const MAX_PICTURE_PIXELS = 16_000_000;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Reads what a picture is from its content, never from a name or a media type that came with it. */
export function readPicture(
  bytes: Uint8Array,
  maxBytes: number = MAX_PICTURE_BYTES,
): Picture | PictureRefusal {
  if (bytes.byteLength > maxBytes) return { kind: "too_large" };
  const format = sniff(bytes);
  if (format === null) return { kind: "not_a_picture" };
  const size = READERS[format](new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (size === null || size.width === 0 || size.height === 0) return { kind: "malformed" };
  const { width, height } = size;
  if (width * height > MAX_PICTURE_PIXELS) return { kind: "too_many_pixels" };
  return { bytes: unshared(bytes), format, width, height };
}

const unshared = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);

const PNG_SIGNATURE = "\x89PNG\r\n\x1a\n";

function sniff(bytes: Uint8Array): PictureFormat | null {
  if (ascii(bytes, 0, 8) === PNG_SIGNATURE) return "png";
  if (ascii(bytes, 0, 3) === "\xff\xd8\xff") return "jpeg";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return "webp";
  return null;
}

const READERS: Record<PictureFormat, (view: DataView) => Size | null> = {
  png: readPng,
  jpeg: readJpeg,
  webp: readWebp,
};

/** Colour types and the bit depths that each allows (https://www.w3.org/TR/png-3/#11IHDR). */
const PNG_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

function readPng(view: DataView): Size | null {
  if (view.byteLength < 33 || view.getUint32(8) !== 13 || tag(view, 12) !== "IHDR") return null;
  if (PNG_DEPTHS[view.getUint8(25)]?.includes(view.getUint8(24)) !== true) return null;
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** Start of frame markers: all of C0 to CF but DHT (C4), JPG (C8) and DAC (CC). */
export const isJpegFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/**
 * Walks the segments up to the first frame header (ITU-T T.81, annex B). A file that lacks a marker
 * where one must be is malformed: nothing is skipped in search of one.
 */
function readJpeg(view: DataView): Size | null {
  let at = 2;
  for (;;) {
    if (at + 4 > view.byteLength || view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // a fill byte
      continue;
    }
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > view.byteLength) return null;
    if (isJpegFrame(marker)) {
      return length < 8 ? null : { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    // Only tables, comments and application data may come before the frame.
    if (marker < 0xc4 || (marker >= 0xd0 && marker <= 0xda)) return null;
    at += 2 + length;
  }
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function readWebp(view: DataView): Size | null {
  if (view.byteLength < 30) return null;
  switch (tag(view, 12)) {
    case "VP8 ": {
      // A key frame's tag, its start code, then 14 bits each (RFC 6386, 9.1).
      const keyFrame = (view.getUint8(20) & 1) === 0;
      if (!keyFrame || ascii(bytesOf(view), 23, 3) !== "\x9d\x01\x2a") return null;
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    }
    case "VP8L": {
      if (view.getUint8(20) !== 0x2f) return null;
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case "VP8X":
      return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
    default:
      return null;
  }
}

const uint24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) | (view.getUint8(at + 2) << 16);

const bytesOf = (view: DataView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const tag = (view: DataView, at: number): string => ascii(bytesOf(view), at, 4);

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));
