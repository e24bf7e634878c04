import type { Measurements } from "../engine.ts";
import type { Pixels } from "./pixels.ts";

/** The most samples of a picture: the third digit of the figures is stable well before. */
const MAX_SAMPLES = 250_000;

/** Mean and standard deviation of a stream of numbers. */
class Moments {
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#squares += value * value;
  }

  get mean(): number {
    return this.#sum / this.#count;
  }

  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.#count - this.mean ** 2));
  }
}

/**
 * Brightness, contrast and colourfulness over a grid of a picture's pixels. Transparent pixels are seen
 * on white, as on most pages.
 *
 * Colourfulness is Hasler and Süsstrunk's M3 on values from 0 to 255 (doi:10.1117/12.477378): 0 is
 * grey, 15 slightly, 45 quite, 109 extremely colourful.
 */
export function measure(
  pixels: Pixels,
): Pick<Measurements, "brightness" | "contrast" | "colourfulness"> {
  const { data, width, height } = pixels;
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / MAX_SAMPLES)));
  const luminance = new Moments();
  const redGreen = new Moments();
  const yellowBlue = new Moments();
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const at = 4 * (y * width + x);
      const alpha = (data[at + 3] ?? 0) / 255;
      const white = 255 * (1 - alpha);
      const red = (data[at] ?? 0) * alpha + white;
      const green = (data[at + 1] ?? 0) * alpha + white;
      const blue = (data[at + 2] ?? 0) * alpha + white;
      luminance.add((0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255);
      redGreen.add(red - green);
      yellowBlue.add((red + green) / 2 - blue);
    }
  }
  return {
    brightness: round(luminance.mean),
    contrast: round(luminance.deviation),
    colourfulness: round(
      Math.hypot(redGreen.deviation, yellowBlue.deviation) +
        0.3 * Math.hypot(redGreen.mean, yellowBlue.mean),
    ),
  };
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;
