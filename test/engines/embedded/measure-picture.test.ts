import { describe, expect, it } from "vitest";
import { measurePicture } from "../../../src/engines/embedded/measure-picture.ts";
import { readPicture } from "../../../src/engines/picture.ts";
import {
  EXTENDED_WEBP,
  join,
  JPEG,
  LOSSLESS_WEBP,
  LOSSY_WEBP,
  makePng,
  pngChunk,
  PROGRESSIVE_JPEG,
} from "./sample-pictures.ts";

function measured(bytes: Uint8Array) {
  const picture = readPicture(bytes);
  if ("kind" in picture) throw new Error(picture.kind);
  return measurePicture(picture);
}

const cut = (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 30);

const RED = [255, 0, 0, 255];
const WHITE = [255, 255, 255, 255];
const BLACK = [0, 0, 0, 255];

describe("measuring pixels", () => {
  it("finds a checkerboard half bright, of full contrast and without colour", async () => {
    const rows = [WHITE.concat(BLACK), BLACK.concat(WHITE)];
    const bytes = await makePng({ width: 2, height: 2, depth: 8, colour: 6 }, rows);
    expect(await measured(bytes)).toEqual({
      format: "png",
      width: 2,
      height: 2,
      brightness: 0.5,
      contrast: 0.5,
      colourfulness: 0,
    });
  });

  it("weighs red as Rec. 709 does, and finds it colourful", async () => {
    const bytes = await makePng({ width: 1, height: 1, depth: 8, colour: 6 }, [RED]);
    const { brightness, contrast, colourfulness } = (await measured(bytes)) ?? {};
    expect([brightness, contrast]).toEqual([0.2126, 0]);
    // 0.3 times the length of (255, 127.5).
    expect(colourfulness).toBeCloseTo(85.53, 2);
  });

  it("expands an indexed grey picture of two bits to grey, not to its indices", async () => {
    const palette = pngChunk("PLTE", new Uint8Array([0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255])); // oxfmt-ignore
    const header = { width: 4, height: 1, depth: 2, colour: 3 };
    const bytes = await makePng(header, [[0b00011011]], [palette]);
    expect(await measured(bytes)).toMatchObject({ brightness: 0.5, colourfulness: 0 });
  });

  it("reads grey, 16 bits and true colour", async () => {
    const grey = await makePng({ width: 2, height: 1, depth: 8, colour: 0 }, [[51, 51]]);
    expect(await measured(grey)).toMatchObject({ brightness: 0.2, contrast: 0, colourfulness: 0 });
    const deep = await makePng({ width: 1, height: 1, depth: 16, colour: 0 }, [[51, 51]]);
    expect(await measured(deep)).toMatchObject({ brightness: 0.2 });
    const colour = await makePng({ width: 1, height: 1, depth: 8, colour: 2 }, [[0, 0, 255]]);
    expect(await measured(colour)).toMatchObject({ brightness: 0.0722 });
  });

  it("sees what is transparent on white", async () => {
    const bytes = await makePng({ width: 1, height: 1, depth: 8, colour: 6 }, [[0, 0, 0, 0]]);
    expect(await measured(bytes)).toMatchObject({ brightness: 1, colourfulness: 0 });
  });

  it("samples a large picture without missing its halves", async () => {
    const side = 1200;
    const rows = Array.from({ length: side }, (_, y) =>
      Array<number>(side).fill(y * 2 < side ? 0 : 255),
    );
    const bytes = await makePng({ width: side, height: side, depth: 8, colour: 0 }, rows);
    const { brightness, contrast } = (await measured(bytes)) ?? {};
    expect(brightness).toBeCloseTo(0.5, 2);
    expect(contrast).toBeCloseTo(0.5, 2);
  });

  it.each([
    ["a sequential JPEG", JPEG],
    ["a progressive JPEG", PROGRESSIVE_JPEG],
    ["a lossy WebP", LOSSY_WEBP],
  ])("decodes %s of a reddish picture", async (_, bytes) => {
    const found = await measured(bytes);
    expect(found?.brightness).toBeGreaterThan(0.2);
    expect(found?.brightness).toBeLessThan(0.35);
    expect(found?.colourfulness).toBeGreaterThan(40);
  });

  it("decodes a lossless WebP exactly: a grey ramp from 0 to 230", async () => {
    expect(await measured(LOSSLESS_WEBP)).toMatchObject({
      format: "webp",
      brightness: Math.round((115 / 255) * 10_000) / 10_000,
      colourfulness: 0,
    });
  });

  it("decodes an extended WebP with transparency", async () => {
    expect((await measured(EXTENDED_WEBP))?.brightness).toBeGreaterThan(0.35);
  });

  it("measures eight pictures at once as it does one after another", async () => {
    const pictures = [JPEG, LOSSY_WEBP, LOSSLESS_WEBP, EXTENDED_WEBP, JPEG, JPEG, LOSSY_WEBP, JPEG];
    const together = await Promise.all(pictures.map(measured));
    expect(together[4]).toEqual(together[0]);
    expect(together[6]).toEqual(together[1]);
    expect(together.map((found) => found?.format)).toEqual(
      ["jpeg", "webp", "webp", "webp", "jpeg", "jpeg", "webp", "jpeg"], // oxfmt-ignore
    );
  });
});

describe("pictures that cannot be decoded", () => {
  it.each([
    ["a JPEG", cut(JPEG)],
    ["a JPEG (only its end marker is missing)", JPEG.subarray(0, -2)],
    ["a progressive JPEG", cut(PROGRESSIVE_JPEG)],
    ["a lossy WebP", cut(LOSSY_WEBP)],
    ["a lossless WebP", LOSSLESS_WEBP.subarray(0, -10)],
    ["an extended WebP", cut(EXTENDED_WEBP)],
  ])("refuses %s that breaks off", async (_, bytes) => {
    expect(await measured(bytes)).toBeNull();
  });

  it("refuses half a PNG", async () => {
    const rows = Array.from({ length: 64 }, (_, y) =>
      Array.from({ length: 64 }, (__, x) => (x * y) % 251),
    );
    const bytes = await makePng({ width: 64, height: 64, depth: 8, colour: 0 }, rows);
    expect(await measured(bytes)).not.toBeNull();
    expect(await measured(bytes.subarray(0, bytes.length / 2))).toBeNull();
  });

  it("is not deceived by an end marker behind half of a JPEG", async () => {
    const ended = join([PROGRESSIVE_JPEG.subarray(0, 350), new Uint8Array([0xff, 0xd9])]);
    expect(await measured(ended)).toBeNull();
  });

  it("accepts a JPEG with data behind its end, as cameras append it", async () => {
    expect(await measured(join([JPEG, new Uint8Array(40)]))).toEqual(await measured(JPEG));
  });

  it("refuses a JPEG of more scans than any encoder writes", async () => {
    // The first scan of the progressive picture again and again: each is a pass over all blocks.
    const at = PROGRESSIVE_JPEG.indexOf(0xda) - 1;
    const end = PROGRESSIVE_JPEG.indexOf(0xff, at + 2);
    const repeated = (times: number) =>
      join([
        PROGRESSIVE_JPEG.subarray(0, at),
        ...Array<Uint8Array>(times).fill(PROGRESSIVE_JPEG.subarray(at, end)),
        PROGRESSIVE_JPEG.subarray(end),
      ]);
    expect(await measured(repeated(5))).not.toBeNull();
    expect(await measured(repeated(101))).toBeNull();
  });

  it("refuses a PNG that is animated: only its first picture would be seen", async () => {
    const header = { width: 1, height: 1, depth: 8, colour: 6 };
    const control = pngChunk("acTL", new Uint8Array([0, 0, 0, 2, 0, 0, 0, 0]));
    const text = pngChunk("tEXt", new TextEncoder().encode("Comment\0acTL"));
    expect(await measured(await makePng(header, [RED], [text]))).not.toBeNull();
    expect(await measured(await makePng(header, [RED], [control]))).toBeNull();
    expect(await measured(await makePng(header, [RED], [text, control]))).toBeNull();
  });

  it("refuses pixels that are not of the size in the header", async () => {
    const picture = { bytes: JPEG, format: "jpeg", width: 25, height: 16 } as const;
    expect(await measurePicture(picture)).toBeNull();
  });

  it("refuses a header with nothing behind it, of each format", async () => {
    for (const format of ["png", "jpeg", "webp"] as const) {
      const picture = { bytes: new Uint8Array(40), format, width: 1, height: 1 };
      expect(await measurePicture(picture)).toBeNull();
    }
  });

  it("still decodes after a hundred broken pictures", async () => {
    for (let i = 0; i < 50; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after another is what is tested
      await Promise.all([measured(cut(JPEG)), measured(cut(LOSSY_WEBP))]);
    }
    expect(await measured(JPEG)).not.toBeNull();
    expect(await measured(LOSSY_WEBP)).not.toBeNull();
  });
});
