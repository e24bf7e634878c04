// The parameters of a picture model, by its pages and the types of the binding. Sizes and steps decide
// the price, so each call sends both, even if the caller gave neither.

/** The largest seed; the smallest is 0. Every model that takes a seed can hold it. */
export const MAX_SEED = 2_147_483_647;

/** Whole numbers, both ends included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface PictureTraits {
  /** Pixels. A model whose size is fixed has a range of one. */
  readonly width: Range & { readonly byDefault: number };
  readonly height: Range & { readonly byDefault: number };
  readonly steps: Range & { readonly byDefault: number };
  readonly seed: boolean;
  readonly negativePrompt: boolean;
  /** How closely it keeps to the prompt; null: it has no such parameter. */
  readonly guidance: Range | null;
  /** Whether it has a parameter for how far it may go from the picture that it starts from, 0 to 1. */
  readonly strength: boolean;
  /** How many pictures it can start from. */
  readonly inputs: number;
  /** The longest side of such a picture, in pixels; null: none is published. */
  readonly inputSide: number | null;
  /** UTF-16 units; null: none is published. */
  readonly promptChars: number | null;
  /** Where the numbers are from. */
  readonly source: string;
}

type RangeRow = readonly number[];

/** The data file's shape: a range is `[default, min, max]`, guidance `[min, max]`. */
export interface PictureRow {
  readonly width: RangeRow;
  readonly height: RangeRow;
  readonly steps: RangeRow;
  readonly seed?: boolean;
  readonly negative_prompt?: boolean;
  readonly guidance?: RangeRow;
  readonly strength?: boolean;
  readonly inputs?: number;
  readonly input_side?: number;
  readonly prompt_chars?: number;
  readonly source: string;
}

/** @throws TypeError for a wrong range: a mistake in the data file */
export const toPictureTraits = (row: PictureRow): PictureTraits => ({
  width: withDefault(row.width),
  height: withDefault(row.height),
  steps: withDefault(row.steps),
  seed: row.seed ?? false,
  negativePrompt: row.negative_prompt ?? false,
  guidance: row.guidance === undefined ? null : range(row.guidance),
  strength: row.strength ?? false,
  inputs: row.inputs ?? 0,
  inputSide: row.input_side ?? null,
  promptChars: row.prompt_chars ?? null,
  source: row.source,
});

function withDefault([byDefault, ...ends]: RangeRow): Range & { readonly byDefault: number } {
  const within = range(ends);
  if (byDefault === undefined || byDefault < within.min || byDefault > within.max) {
    throw new TypeError("the catalogue has a default outside of its range");
  }
  return { byDefault, ...within };
}

function range([min, max]: RangeRow): Range {
  if (min === undefined || max === undefined || min > max) {
    throw new TypeError("the catalogue has a range that is not valid");
  }
  return { min, max };
}
