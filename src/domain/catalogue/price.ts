import type { Model, PriceUnit } from "./catalogue.ts";
import { type MicroNeurons, microNeurons } from "../ledger/micro-neurons.ts";

// What usage costs. Prices are whole µN per unit, so everything is exact but audio, which is counted
// in milliseconds and priced per minute: this is the one place that divides, and it rounds up.

/** The units that are counted: those of the price table, but audio in whole milliseconds. */
export type Unit =
  | Exclude<PriceUnit, "audio_minute" | "input_audio_minute">
  | "audio_ms"
  | typeof REASONING;

/** Reported and not priced: a part of `output_token`, which is charged already. */
const REASONING = "reasoning_token";

/**
 * What an engine call used: whole, non-negative counts.
 *
 * The two input counts do not overlap: `input_token` leaves out what `cached_input_token` counts.
 * An OpenAI usage object must be split first, since its `prompt_tokens` includes
 * `prompt_tokens_details.cached_tokens`. The units "per step" count tiles times steps.
 */
export type Usage = Readonly<Partial<Record<Unit, number>>>;

const MS_PER_MINUTE = 60_000n;

/** The prices of a unit; the first that the model has applies. */
const PRICED_BY: Readonly<Record<Unit, readonly PriceUnit[]>> = {
  input_token: ["input_token"],
  // A model without a price for cached tokens charges them like other input tokens.
  cached_input_token: ["cached_input_token", "input_token"],
  output_token: ["output_token"],
  reasoning_token: [],
  input_character: ["input_character"],
  image: ["image"],
  step: ["step"],
  tile_512: ["tile_512"],
  input_tile_512: ["input_tile_512"],
  output_tile_512: ["output_tile_512"],
  input_tile_512_per_step: ["input_tile_512_per_step"],
  output_tile_512_per_step: ["output_tile_512_per_step"],
  first_megapixel_1024x1024: ["first_megapixel_1024x1024"],
  subsequent_megapixel: ["subsequent_megapixel"],
  input_image_megapixel: ["input_image_megapixel"],
  audio_ms: ["audio_minute", "input_audio_minute"],
};

const isUnit = (name: string): name is Unit => Object.hasOwn(PRICED_BY, name);

/** µN per unit (for `audio_ms`, per minute); null when the model has no price for it, or 0. */
function unitPrice({ prices }: Model, unit: string): number | null {
  for (const name of isUnit(unit) ? PRICED_BY[unit] : []) {
    const price = prices[name];
    if (price !== undefined) return price > 0 ? price : null;
  }
  return null;
}

/**
 * The exact price in µN, rounded up where audio is divided into minutes.
 *
 * @throws RangeError for a unit that the model has no price for (also when its count is 0, so that
 * the mistake shows at once), a count that is negative or fractional, a sum above 2^53 - 1.
 */
export function priceOf(model: Model, usage: Usage): MicroNeurons {
  let total = 0n;
  for (const [unit, count] of Object.entries(usage)) {
    if (unit === REASONING) continue;
    const price = unitPrice(model, unit);
    if (price === null) throw new RangeError(`${model.id} has no price for ${unit}`);
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`the count of ${unit} must be a whole number, not negative`);
    }
    const amount = BigInt(count) * BigInt(price);
    total += unit === "audio_ms" ? (amount + MS_PER_MINUTE - 1n) / MS_PER_MINUTE : amount;
  }
  return microNeurons(Number(total));
}

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface PictureRequest {
  /** How many pictures are made, each in one inference. */
  readonly pictures: number;
  readonly size: Size;
  /** The steps of one picture. */
  readonly steps: number;
  /** The pictures that each inference starts from. */
  readonly inputs: readonly Size[];
}

const tiles = ({ width, height }: Size): number => Math.ceil(width / 512) * Math.ceil(height / 512);

/** Whole megapixels, rounded up: the price table does not say how a part of one is charged. */
const megapixels = ({ width, height }: Size): number => Math.ceil((width * height) / 1024 ** 2);

const total = (sizes: readonly Size[], count: (size: Size) => number): number =>
  sizes.reduce((sum, size) => sum + count(size), 0);

/** What pictures use, in the units of this model's prices. */
export function pictureUsage(model: Model, request: PictureRequest): Usage {
  const { size, steps, inputs, pictures } = request;
  const onePicture: readonly (readonly [Unit, number])[] = [
    ["image", 1],
    ["step", steps],
    ["tile_512", tiles(size)],
    ["input_tile_512", total(inputs, tiles)],
    ["output_tile_512", tiles(size)],
    ["input_tile_512_per_step", total(inputs, tiles) * steps],
    ["output_tile_512_per_step", tiles(size) * steps],
    ["first_megapixel_1024x1024", 1],
    ["subsequent_megapixel", Math.max(0, megapixels(size) - 1)],
    ["input_image_megapixel", total(inputs, megapixels)],
  ];
  return Object.fromEntries(
    onePicture
      .filter(([unit]) => unitPrice(model, unit) !== null)
      .map(([unit, count]) => [unit, count * pictures]),
  );
}
