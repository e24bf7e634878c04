import type { Measurements } from "../engine.ts";
import type { Picture } from "../picture.ts";
import { measure } from "./measure.ts";
import { withPixels } from "./with-pixels.ts";

/** Measures a picture's pixels; null if they cannot be decoded. */
export const measurePicture = (picture: Picture): Promise<Measurements | null> => {
  const { format, width, height } = picture;
  return withPixels(picture, (pixels) => ({ format, width, height, ...measure(pixels) }));
};
