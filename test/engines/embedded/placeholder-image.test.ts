import { describe, expect, it } from "vitest";
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from "../../../src/engines/embedded/bitmap-font.ts";
import { decodePng } from "../../../src/engines/embedded/decode-png.ts";
import {
  makePlaceholder,
  type PlaceholderLine,
  placeholderLines,
} from "../../../src/engines/embedded/placeholder-image.ts";
import type { PictureInference } from "../../../src/engines/inference.ts";
import { readPicture } from "../../../src/engines/picture.ts";

const ASKED: PictureInference = {
  model: "@cf/leonardo/phoenix-1.0",
  prompt: "A red boat on a quiet lake, early in the morning",
  negativePrompt: "people",
  size: { width: 512, height: 384 },
  steps: 25,
  seed: 4711,
  guidance: null,
  strength: null,
  inputs: [],
  maxBytes: 1_000_000,
};

/** The characters that the pixels of a line show: each is held against every glyph there is. */
function readLine(pixels: ReturnType<typeof decodePng>, { text, x, y, scale }: PlaceholderLine) {
  const ink = inkOf(pixels);
  const dark = (left: number, top: number) => {
    const at = (top * pixels.width + left) * 4;
    return pixels.data[at] === ink[0] && pixels.data[at + 1] === ink[1];
  };
  const glyphs = Array.from(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_");
  return Array.from(text)
    .map((_, at) => {
      const rows = Array.from({ length: GLYPH_HEIGHT }, (_row, row) =>
        Array.from({ length: GLYPH_WIDTH }, (_column, column) =>
          dark(x + (at * (GLYPH_WIDTH + 1) + column) * scale, y + row * scale) ? 1 : 0,
        ).reduce<number>((bits, bit) => bits * 2 + bit, 0),
      );
      return glyphs.find((glyph) => String(glyphOf(glyph)) === String(rows)) ?? "?";
    })
    .join("");
}

/** The darkest colour that there is. */
function inkOf({ data }: ReturnType<typeof decodePng>): readonly [number, number] {
  let darkest: [number, number, number] = [255, 255, 765];
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
    if (red + green + blue < darkest[2]) darkest = [red, green, red + green + blue];
  }
  return [darkest[0], darkest[1]];
}

async function shown(asked: PictureInference): Promise<string> {
  const pixels = decodePng(await makePlaceholder(asked));
  return placeholderLines(asked)
    .map((line) => readLine(pixels, line))
    .join(" ");
}

describe("the placeholder", () => {
  it("is a PNG of the size that was asked for, and says what made it", async () => {
    const bytes = await makePlaceholder(ASKED);
    expect(readPicture(bytes)).toMatchObject({ format: "png", width: 512, height: 384 });
    expect(new TextDecoder("latin1").decode(bytes)).toContain("Software\0neurogate/placard@1");
    expect(decodePng(bytes)).toMatchObject({ width: 512, height: 384 });
  });

  it("shows prompt, seed and size, and that it stands in, in letters that can be read", async () => {
    const text = await shown(ASKED);
    expect(text).toContain("A STAND-IN, NOT A PICTURE");
    expect(text).toContain("A RED BOAT ON A QUIET LAKE, EARLY IN THE MORNING");
    expect(text).toContain("SEED 4711");
    expect(text).toContain("512 X 384, 25 STEPS");
    expect(text).toContain("WITHOUT: PEOPLE");
  });

  it("is the same for the same request and another for another seed or prompt", async () => {
    const [one, again, seed, prompt] = await Promise.all([
      makePlaceholder(ASKED),
      makePlaceholder(ASKED),
      makePlaceholder({ ...ASKED, seed: 4712 }),
      makePlaceholder({ ...ASKED, prompt: "A blue boat" }),
    ]);
    expect(again).toEqual(one);
    expect(seed).not.toEqual(one);
    expect(prompt).not.toEqual(one);
  });

  it.each([
    [256, 256, 2000],
    [257, 1999, 2000],
    [2500, 2500, 10],
    [64, 64, 500],
    [1920, 256, 5000],
  ])(
    "fits %d x %d whatever the prompt, and ends in dots where it must",
    async (width, height, n) => {
      const prompt = "wörd ".repeat(n / 5);
      const asked = { ...ASKED, size: { width, height }, prompt };
      const bytes = await makePlaceholder(asked);
      expect(decodePng(bytes)).toMatchObject({ width, height });
      for (const line of placeholderLines(asked)) {
        expect(line.x + line.text.length * 6 * line.scale).toBeLessThanOrEqual(width);
        expect(line.y + 7 * line.scale).toBeLessThanOrEqual(height);
      }
    },
  );

  it("draws what it has no letter for as a box, and letters with marks without them", async () => {
    expect(await shown({ ...ASKED, prompt: "Übung 猫" })).toContain("UBUNG ?");
  });
});
