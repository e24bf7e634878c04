import type { PictureInference } from "../inference.ts";
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf, printable } from "./bitmap-font.ts";
import { encodePng, type Palette } from "./encode-png.ts";
import { fnv1a } from "./fnv1a.ts";

// The stand-in for a picture where no model makes one: an image that says so, and shows the request.
// The same request always gives the same picture; another prompt or seed gives another colour.

export const PLACEHOLDER_MODEL = "neurogate/placard@1";

const TITLE = "A STAND-IN, NOT A PICTURE";

/** Dots from one letter, and from one line, to the next. */
const ADVANCE = GLYPH_WIDTH + 1;
const LEADING = GLYPH_HEIGHT + 2;

const [PAPER, INK, FRAME] = [0, 1, 2];

export async function makePlaceholder(
  inference: PictureInference,
): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = inference.size;
  const pixels = new Uint8Array(width * height);
  frame(pixels, inference.size);
  for (const line of placeholderLines(inference)) draw(pixels, width, line);
  return encodePng({ width, height, pixels }, paletteOf(inference), PLACEHOLDER_MODEL);
}

export interface PlaceholderLine {
  readonly text: string;
  /** Of its upper left corner, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Pixels per dot. */
  readonly scale: number;
}

/** The lines in the largest letters with which all of them fit; text that never fits ends in dots. */
export function placeholderLines(inference: PictureInference): readonly PlaceholderLine[] {
  const { width, height } = inference.size;
  const margin = Math.floor(Math.min(width, height) / 16);
  const room = { width: width - 2 * margin, height: height - 2 * margin };
  const largest = Math.max(1, Math.floor(room.width / (TITLE.length * ADVANCE)));
  for (let scale = largest; scale >= 1; scale -= 1) {
    const columns = Math.max(1, Math.floor(room.width / (ADVANCE * scale)));
    const rows = Math.max(1, Math.floor(room.height / (LEADING * scale)));
    const lines = textsOf(inference).flatMap((text) => wrapped(text, columns));
    if (lines.length > rows && scale > 1) continue;
    return fitted(lines, rows, columns).map((text, at) => ({
      text,
      x: margin,
      y: margin + at * LEADING * scale,
      scale,
    }));
  }
  return [];
}

/** The most important lines come first, since the end is cut. */
const textsOf = (inference: PictureInference): readonly string[] => {
  const { size, steps, seed, model, prompt, negativePrompt, inputs } = inference;
  return [
    TITLE,
    `Seed ${seed ?? "none"}`,
    `${size.width} x ${size.height}, ${steps} steps`,
    `For ${model}`,
    ...inputs.map((from) => `From ${from.width} x ${from.height}`),
    "",
    prompt,
    ...(negativePrompt === null ? [] : ["", `Without: ${negativePrompt}`]),
  ].map(printable);
};

function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= columns) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    for (; line.length > columns; line = line.slice(columns)) lines.push(line.slice(0, columns));
  }
  return [...lines, line];
}

function fitted(lines: readonly string[], rows: number, columns: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const last = (lines[rows - 1] ?? "").slice(0, Math.max(0, columns - 3));
  return [...lines.slice(0, rows - 1), `${last}...`];
}

function draw(pixels: Uint8Array, width: number, { text, x, y, scale }: PlaceholderLine): void {
  for (const [at, character] of Array.from(text).entries()) {
    for (const [row, bits] of glyphOf(character).entries()) {
      for (let column = 0; column < GLYPH_WIDTH; column += 1) {
        if (((bits >> (GLYPH_WIDTH - 1 - column)) & 1) === 0) continue;
        const left = x + (at * ADVANCE + column) * scale;
        for (let down = 0; down < scale; down += 1) {
          const from = (y + row * scale + down) * width + left;
          pixels.fill(INK, from, from + scale);
        }
      }
    }
  }
}

function frame(pixels: Uint8Array, { width, height }: PictureInference["size"]): void {
  const thick = Math.max(2, Math.floor(Math.min(width, height) / 64));
  pixels.fill(FRAME);
  for (let y = thick; y < height - thick; y += 1) {
    pixels.fill(PAPER, y * width + thick, (y + 1) * width - thick);
  }
}

/** Light paper, dark ink and a frame between the two, in a colour that depends on the request. */
function paletteOf({ prompt, seed, model }: PictureInference): Palette {
  const hash = fnv1a(`${model}\n${seed}\n${prompt}`);
  const [red, green, blue] = [hash & 63, (hash >>> 6) & 63, (hash >>> 12) & 63];
  return {
    colours: [
      [192 + red, 192 + green, 192 + blue],
      [red, green, blue],
      [96 + red, 96 + green, 96 + blue],
      [255, 255, 255],
    ],
  };
}
