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
