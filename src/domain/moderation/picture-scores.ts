import { scaleScore } from "./score-scale.ts";

// The output of the picture model inside the Worker, as scores that a policy can compare.

/** The model's name in stages: the architecture, and the version of its file and its points. */
export const PICTURE_MODEL = "neurogate/nsfw-mobilenet-v2@1";

/**
 * Four megapixels: 16 MB as pixels, and three times that in the decoder of a JPEG. An isolate of 128 MB has
 * no room for more beside the network's memory and its other work.
 */
export const MAX_JUDGED_PIXELS = 4_000_000;

/** A larger picture would take half of an isolate's memory as pixels alone. */
export const hasTooManyPixels = (size: {
  readonly width: number;
  readonly height: number;
}): boolean => size.width * size.height > MAX_JUDGED_PIXELS;

/** In the order of the model's outputs. */
export const PICTURE_CLASSES = ["drawing", "hentai", "neutral", "porn", "sexy"] as const;
export type PictureClass = (typeof PICTURE_CLASSES)[number];

/** Each from 0 to 1; their sum is 1. */
export type PictureClasses = Readonly<Record<PictureClass, number>>;

export interface PictureScores {
  /** Pornography, photographed or drawn. */
  readonly nsfw: number;
  /**
   * Clothed or half clothed people who pose. Never part of `nsfw`: the model also sees it in swimwear and
   * sport.
   */
  readonly suggestive: number;
}

/**
 * The raw sums of `porn` and `hentai` that deserve a look and a block. Chosen on harmless pictures:
 * docs/picture-model.md has the shares that reach each.
 */
const NSFW_POINTS = { flag: 0.5, block: 0.8 } as const;

export const pictureScores = ({ porn, hentai, sexy }: PictureClasses): PictureScores => ({
  nsfw: scaleScore(Math.min(1, porn + hentai), NSFW_POINTS),
  suggestive: scaleScore(sexy, NSFW_POINTS),
});

/** The higher scores of two looks at one picture. */
export const worseScores = (a: PictureScores, b: PictureScores): PictureScores => ({
  nsfw: Math.max(a.nsfw, b.nsfw),
  suggestive: Math.max(a.suggestive, b.suggestive),
});

/** Any version: verdicts of older ones are replayed too. */
export const isPictureModel = (model: string | null): boolean =>
  model?.startsWith("neurogate/nsfw-") === true;
