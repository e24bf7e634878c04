import { crc32, deflateSync } from "node:zlib";

// What an engine of pictures answers: whole files of the size that was asked for, or what is none.

let made = 0;

/** A white PNG of one bit a pixel, unlike any made before: its number is in it. */
export function pngOf(/** @type {number} */ width, /** @type {number} */ height) {
  made += 1;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height, 0);
  return pngFile(header, [["tEXt", Buffer.from(`Comment\0${made}`)]], rows);
}

/** A PNG of greys by a palette: from black on the left to white on the right. */
export function greyPngOf(/** @type {number} */ width, /** @type {number} */ height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(Array.from({ length: 256 * 3 }, (_, at) => Math.floor(at / 3)));
  const row = Buffer.from([0, ...Array.from({ length: width }, (_, x) => (x * 255) / width)]);
  return pngFile(header, [["PLTE", palette]], Buffer.concat(Array(height).fill(row)));
}

function pngFile(header, /** @type {[string, Buffer][]} */ before, /** @type {Buffer} */ rows) {
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    ...before.map(([type, data]) => chunk(type, data)),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(/** @type {string} */ type, /** @type {Buffer} */ data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, crc]);
}

/** The head of a baseline JPEG, which says its size, and its end. */
export function jpegOf(/** @type {number} */ width, /** @type {number} */ height, padding = 0) {
  made += 1;
  const comment = Buffer.from(`number ${made}`);
  const frame = Buffer.alloc(19);
  frame.set([0xff, 0xc0, 0, 17, 8]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  frame.set([3], 9);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xfe, 0, 2 + comment.length]),
    comment,
    frame,
    Buffer.alloc(padding),
    Buffer.from([0xff, 0xd9]),
  ]);
}

/** The fields of a form, by name: texts, and the bytes of files. */
export function formFields(/** @type {Buffer} */ body, /** @type {string} */ contentType) {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1] ?? "";
  const parts = body.toString("latin1").split(`--${boundary}`).slice(1, -1);
  return Object.fromEntries(
    parts.map((part) => {
      const [head = "", ...rest] = part.split("\r\n\r\n");
      const value = rest.join("\r\n\r\n").slice(0, -2);
      const name = /name="([^"]*)"/.exec(head)?.[1] ?? "";
      const text = Buffer.from(value, "latin1").toString();
      return [
        name,
        /filename=/.test(head) ? { bytes: value.length, head: value.slice(1, 4) } : text,
      ];
    }),
  );
}

/** The behaviours of pictures: what stands where a picture should. */
export function pictureOf(
  /** @type {string} */ behaviour,
  /** @type {{ width: number, height: number }} */ { width, height },
  /** @type {"png" | "jpeg"} */ format,
) {
  if (behaviour === "not_picture") return Buffer.from("<svg onload=alert(1)>");
  if (behaviour === "empty_picture") return Buffer.alloc(0);
  if (behaviour === "huge_picture") return jpegOf(width, height, 13 * 1024 * 1024);
  if (behaviour === "large_picture") return jpegOf(width, height, 100_000);
  if (behaviour === "cut_picture") return pngOf(width, height).subarray(0, 20);
  if (behaviour === "wide_picture") return pngOf(20_000, 20_000 - 1).subarray(0, 60);
  return format === "png" ? pngOf(width, height) : jpegOf(width, height);
}
