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

// Scores of the picture model on the scale of policies. Each model has its own scale: one deserves a block
// from 0.8, another from 0.6. A raw score is mapped so that one threshold of a policy means the same for all
// models. The map is monotone, has the model's flag point at 0.5, and its block point where the default
// policy blocks. `src/tier0/tier0.ts` does the same with the text model's logits.

/** The raw scores from which a flag, and a block, are justified. */
export interface ScorePoints {
  readonly flag: number;
  readonly block: number;
}

/** The scores that the points are mapped to: the thresholds of the default policy. */
const SCALED_FLAG = 0.5;
const SCALED_BLOCK = 0.7;

/** Scores have three decimals. */
const PARTS = 1_000;

/**
 * Straight lines between (0, 0), the two points and (1, 1). Rounded down, so that no score reaches a
 * threshold that the model did not reach.
 *
 * @param raw from 0 to 1
 * @param points 0 < flag < block < 1
 */
export function scaleScore(
  raw: number,
  { flag, block }: ScorePoints,
  scaledBlock: number = SCALED_BLOCK,
): number {
  if (raw >= block) return stretched(raw, [block, 1], [scaledBlock, 1]);
  if (raw >= flag) return stretched(raw, [flag, block], [SCALED_FLAG, scaledBlock]);
  return stretched(raw, [0, flag], [0, SCALED_FLAG]);
}

function stretched(
  raw: number,
  [from, to]: readonly [number, number],
  [low, high]: readonly [number, number],
): number {
  const score = low + ((high - low) * (raw - from)) / (to - from);
  // The lower end is exact in spite of rounding errors.
  return Math.max(low, Math.floor(score * PARTS) / PARTS);
}
