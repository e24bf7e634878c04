import { scaleScore } from "./score-scale.ts";

// What the picture model inside the Worker says of a picture, as scores that a policy can compare.

/** As the model is named in stages: the architecture, and the version of its file and its points. */
export const PICTURE_MODEL = "neurogate/nsfw-mobilenet-v2@1";

/**
 * Four megapixels: 16 MB as pixels, three times that in the decoder of a JPEG. Beside the network's
 * memory and what else an isolate of 128 MB does, that is what there is room for.
 */
export const MAX_JUDGED_PIXELS = 4_000_000;

/** A larger one would take half of an isolate's memory as pixels alone. */
export const hasTooManyPixels = (size: {
  readonly width: number;
  readonly height: number;
}): boolean => size.width * size.height > MAX_JUDGED_PIXELS;

/** In the order of the model's outputs. */
export const PICTURE_CLASSES = ["drawing", "hentai", "neutral", "porn", "sexy"] as const;
export type PictureClass = (typeof PICTURE_CLASSES)[number];

/** Each from 0 to 1; together 1. */
export type PictureClasses = Readonly<Record<PictureClass, number>>;

export interface PictureScores {
  /** Pornography, photographed or drawn. */
  readonly nsfw: number;
  /**
   * Clothed or half clothed people who pose. Never part of `nsfw`: the model gives it to swimwear and
   * sport.
   */
  readonly suggestive: number;
}

/**
 * Where the model's raw sum of `porn` and `hentai` is worth a look, and where it is worth a block.
 * Chosen on harmless pictures: docs/picture-model.md has the shares that reach each.
 */
const NSFW_POINTS = { flag: 0.5, block: 0.8 } as const;

export const pictureScores = ({ porn, hentai, sexy }: PictureClasses): PictureScores => ({
  nsfw: scaleScore(Math.min(1, porn + hentai), NSFW_POINTS),
  suggestive: scaleScore(sexy, NSFW_POINTS),
});

/** Of a picture that was looked at twice: the worse of the two. */
export const worseScores = (a: PictureScores, b: PictureScores): PictureScores => ({
  nsfw: Math.max(a.nsfw, b.nsfw),
  suggestive: Math.max(a.suggestive, b.suggestive),
});

/** Any version of it: verdicts of an older one are replayed too. */
export const isPictureModel = (model: string | null): boolean =>
  model?.startsWith("neurogate/nsfw-") === true;
