import type { Pixels } from "../pixels.ts";

/** The colour behind a transparent picture. */
export type Background = "white" | "black";

/**
 * A picture at the size that the network sees: bilinear with aligned corners, as the model was
 * trained (`tf.image.resizeBilinear(pixels / 255, [side, side], true)`). The four corners of the
 * picture stay its corners, and a picture of one pixel is that pixel everywhere.
 *
 * It writes from the decoded pixels straight into the network's own memory, so that a large picture is
 * never in memory twice.
 *
 * @param out side x side pixels of red, green and blue, each from 0 to 1
 */
export function shrinkInto(
  out: Float32Array,
  { data, width, height }: Pixels,
  { side, background }: { readonly side: number; readonly background: Background },
): void {
  const behind = background === "white" ? 255 : 0;
  const stepX = (width - 1) / (side - 1);
  const stepY = (height - 1) / (side - 1);
  /** One of red, green and blue of a pixel, on the background. */
  const colour = (pixel: number, channel: number): number => {
    const alpha = data[pixel + 3] ?? 0;
    const value = data[pixel + channel] ?? 0;
    return alpha === 255 ? value : behind + ((value - behind) * alpha) / 255;
  };
  let to = 0;
  for (let row = 0; row < side; row += 1) {
    const y = row * stepY;
    const top = Math.floor(y);
    const bottom = Math.min(height - 1, top + 1);
    const down = y - top;
    for (let column = 0; column < side; column += 1) {
      const x = column * stepX;
      const left = Math.floor(x);
      const right = Math.min(width - 1, left + 1);
      const across = x - left;
      const topLeft = 4 * (top * width + left);
      const topRight = 4 * (top * width + right);
      const bottomLeft = 4 * (bottom * width + left);
      const bottomRight = 4 * (bottom * width + right);
      for (let channel = 0; channel < 3; channel += 1) {
        const above = between(colour(topLeft, channel), colour(topRight, channel), across);
        const below = between(colour(bottomLeft, channel), colour(bottomRight, channel), across);
        out[to] = between(above, below, down) / 255;
        to += 1;
      }
    }
  }
}

const between = (from: number, to: number, share: number): number => from + (to - from) * share;

/** Whether anything of a picture can be seen through. */
export function isTransparent({ data }: Pixels): boolean {
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] !== 255) return true;
  }
  return false;
}
