// A PNG of at most four colours (https://www.w3.org/TR/png-3/): two bits a pixel, deflated by the
// runtime. No library is needed for that.

export interface Palette {
  /** Four colours as `[red, green, blue]`. */
  readonly colours: readonly (readonly [number, number, number])[];
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const BITS = 2;
const PIXELS_PER_BYTE = 8 / BITS;
const INDEXED = 3;

/**
 * @param pixels an index into `colours` for each, row by row
 * @param note the file's `Software` text, in Latin-1
 */
export async function encodePng(
  { width, height, pixels }: { width: number; height: number; pixels: Uint8Array },
  { colours }: Palette,
  note: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, BITS);
  header.setUint8(9, INDEXED);
  const chunks = [
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("PLTE", Uint8Array.from(colours.flat())),
    chunk("tEXt", latin1(`Software\0${note}`)),
    chunk("IDAT", await deflated(packed(pixels, width, height))),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob([Uint8Array.from(SIGNATURE), ...chunks]).arrayBuffer());
}

/** Rows begin with their filter (none) and end at a whole byte. */
function packed(pixels: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const rowBytes = 1 + Math.ceil(width / PIXELS_PER_BYTE);
  const rows = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const index = pixels[y * width + x] ?? 0;
      if (index === 0) continue;
      const at = y * rowBytes + 1 + Math.floor(x / PIXELS_PER_BYTE);
      const shift = 8 - BITS - BITS * (x % PIXELS_PER_BYTE);
      rows[at] = (rows[at] ?? 0) | (index << shift);
    }
  }
  return rows;
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.byteLength);
  bytes.set(latin1(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.byteLength, crc32(bytes.subarray(4, 8 + data.byteLength)));
  return bytes;
}

const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The table of annex D of the specification. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
