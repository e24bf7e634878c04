import {
  type PictureRow,
  type PictureTraits,
  toPictureTraits,
} from "../generation/picture-traits.ts";
import type { AccessFailure, LookupFailure, RequestFailure } from "../ledger/failure.ts";
import { type MicroNeurons, microNeurons } from "../ledger/micro-neurons.ts";
import type { RateClass } from "../ledger/rate-limit.ts";
import { MODEL_TASKS, type ModelTask } from "./model-task.ts";
import data from "./workers-ai-2026-09.json" with { type: "json" };

// The models of Workers AI: their prices, rates and bounds. Prices change, so they are versioned data: a
// new price list is a new file, and journal lines name the version that priced them.

/** The units of the published price table; a megapixel is 1,024 x 1,024, a tile 512 x 512. */
export const PRICE_UNITS = [
  "input_token",
  "cached_input_token",
  "output_token",
  "input_character",
  "image",
  "step",
  "tile_512",
  "input_tile_512",
  "output_tile_512",
  "input_tile_512_per_step",
  "output_tile_512_per_step",
  "first_megapixel_1024x1024",
  "subsequent_megapixel",
  "input_image_megapixel",
  "audio_minute",
  "input_audio_minute",
] as const;

type PriceUnit = (typeof PRICE_UNITS)[number];

/** Whole µN per unit. A published price may be 0, which means that there is none yet. */
export type Prices = Readonly<Partial<Record<PriceUnit, number>>>;

/** Prices set by the platform, by model: whole µN per unit, above 0. They replace the model's table. */
export type PriceOverrides = Readonly<Record<string, Prices>>;

/** What a model reads beyond the caller's text: upper bounds, in tokens. */
export interface Bounds {
  /** Added once to a conversation by the chat template, the assistant's header included. */
  readonly templateTokens: number;
  /** Added for each message, and for each tool. */
  readonly messageTokens: number;
  /** Added once where tools are declared. */
  readonly toolTokens: number;
  /** One picture; null when it takes none, or no bound is known. */
  readonly imageTokens: number | null;
  /** Added to each text that a classifier or an embedding model reads. */
  readonly specialTokens: number;
  /** A classifier reads no more than this in one call, special tokens included. */
  readonly maxInputTokens: number | null;
  /** The most that a translation of one text can have; null: not known, or another task. */
  readonly maxOutputTokens: number | null;
  /** Where the numbers are from; null when nothing was found and none is needed. */
  readonly source: string | null;
}

export interface Model {
  /** `@cf/meta/llama-3.1-8b-instruct-fp8` */
  readonly id: string;
  readonly task: ModelTask;
  readonly prices: Prices;
  readonly contextTokens: number | null;
  /** Published requests a minute on the default plan; null when none is published. */
  readonly rpm: number | null;
  /** `rpm` is the model's own and not its task's: the model is a rate class of its own. */
  readonly ownRpm: boolean;
  readonly requiresWorkersPaid: boolean;
  /** Whether it scores texts against a query, where its task's other models give labels. */
  readonly reranks: boolean;
  /** `YYYY-MM-DD` */
  readonly retiredOn: string | null;
  /** For a retired model: the id of a live, priced one to use instead. */
  readonly replacement: string | null;
  readonly bounds: Bounds;
  /** Its parameters for pictures; null for a model that makes none, or that needs more than a prompt. */
  readonly picture: PictureTraits | null;
}

export type Catalogue = ReadonlyMap<string, Model>;

/** The data file's shape; `bounds` names only what differs from its task's. */
interface BoundsRow {
  readonly template_tokens?: number;
  readonly message_tokens?: number;
  readonly tool_tokens?: number;
  readonly image_tokens?: number;
  readonly special_tokens?: number;
  readonly max_input_tokens?: number;
  readonly max_output_tokens?: number;
  readonly source: string;
}

interface ModelRow {
  readonly id: string;
  readonly task: string;
  readonly prices: Prices;
  readonly context_tokens: number | null;
  readonly rpm: number | null;
  readonly own_rpm: boolean;
  readonly requires_workers_paid: boolean;
  readonly retired_on: string | null;
  readonly replacement: string | null;
  readonly reranks?: boolean;
  readonly bounds?: BoundsRow;
  readonly picture?: PictureRow;
}

const TASK_BOUNDS: Readonly<Partial<Record<ModelTask, BoundsRow>>> = data.task_bounds;

function toBounds(task: BoundsRow | undefined, own: BoundsRow | undefined): Bounds {
  const row: Partial<BoundsRow> = { ...task, ...own };
  return {
    templateTokens: row.template_tokens ?? 0,
    messageTokens: row.message_tokens ?? 0,
    toolTokens: row.tool_tokens ?? 0,
    imageTokens: row.image_tokens ?? null,
    specialTokens: row.special_tokens ?? 0,
    maxInputTokens: row.max_input_tokens ?? null,
    maxOutputTokens: row.max_output_tokens ?? null,
    source: row.source ?? null,
  };
}

function toModel(row: ModelRow): Model {
  const task = MODEL_TASKS.find((name) => name === row.task);
  if (task === undefined) throw new TypeError(`the catalogue has an unknown task: ${row.task}`);
  return {
    id: row.id,
    task,
    prices: row.prices,
    contextTokens: row.context_tokens,
    rpm: row.rpm,
    ownRpm: row.own_rpm,
    requiresWorkersPaid: row.requires_workers_paid,
    reranks: row.reranks ?? false,
    retiredOn: row.retired_on,
    replacement: row.replacement,
    bounds: toBounds(TASK_BOUNDS[task], row.bounds),
    picture: row.picture === undefined ? null : toPictureTraits(row.picture),
  };
}

const ROWS: readonly ModelRow[] = data.models;

/** `2026-09`: the name of the price book in journal lines. */
export const CATALOGUE_VERSION: string = data.version;

/** All models by id. A Map, so that a caller's `__proto__` is no model. */
export const CATALOGUE: Catalogue = new Map(ROWS.map((row) => [row.id, toModel(row)]));

/** The task's name, or the model's own id where it has its own published limit. */
export const rateClassOf = (model: Model): RateClass => (model.ownRpm ? model.id : model.task);

export type ResolvedModel =
  | { readonly kind: "found"; readonly model: Model }
  | Extract<LookupFailure, { kind: "model_not_found" | "model_retired" }>
  | Extract<RequestFailure, { kind: "unpriced_model" }>
  | Extract<AccessFailure, { kind: "model_not_allowed" }>;

export interface ResolveOptions {
  /** Cloudflare's plan, not the tenant's; null when it is not known, which refuses nothing. */
  readonly workersPlan: "free" | "paid" | null;
  readonly prices: PriceOverrides;
}

/**
 * The model as it may be called and priced, or why it may not. A model that is retired and unpriced counts
 * as retired: a price would not help. A found model's price table is complete for its task.
 */
export function resolveModel(id: string, { workersPlan, prices }: ResolveOptions): ResolvedModel {
  const published = CATALOGUE.get(id);
  if (published === undefined) return { kind: "model_not_found", model: id };
  if (published.retiredOn !== null) {
    return { kind: "model_retired", model: id, replacement: published.replacement };
  }
  if (published.requiresWorkersPaid && workersPlan === "free") {
    return { kind: "model_not_allowed", model: id };
  }
  const own = Object.hasOwn(prices, id) ? prices[id] : undefined;
  const model = own === undefined ? published : { ...published, prices: own };
  return isPriced(model) ? { kind: "found", model } : { kind: "unpriced_model", model: id };
}

/** A table without one of these would leave a part of a call without a price. */
const NEEDED: Readonly<Partial<Record<ModelTask, readonly PriceUnit[]>>> = {
  text_generation: ["input_token", "output_token"],
  image_to_text: ["input_token", "output_token"],
  image_classification: ["image"],
  object_detection: ["image"],
  translation: ["input_token", "output_token"],
};

/** Each picture has all of these, so that a table with one of them makes none of them free. */
const OF_EVERY_PICTURE: readonly PriceUnit[] = [
  "image",
  "step",
  "tile_512",
  "output_tile_512",
  "output_tile_512_per_step",
  "first_megapixel_1024x1024",
];

function isPriced({ task, prices }: Model): boolean {
  const amounts = Object.values(prices);
  return (
    amounts.length > 0 &&
    amounts.every((amount) => amount > 0) &&
    (NEEDED[task] ?? []).every((unit) => prices[unit] !== undefined) &&
    (task !== "text_to_image" || OF_EVERY_PICTURE.some((unit) => prices[unit] !== undefined))
  );
}

/**
 * Finds the models of an admitted plan, which were resolved once already, with the same prices.
 *
 * @throws Error for a model that no admitted plan can name: a bug
 */
export const admittedModels =
  (prices: PriceOverrides) =>
  (id: string): Model => {
    const found = resolveModel(id, { workersPlan: null, prices });
    const model = found.kind === "found" ? found.model : CATALOGUE.get(id);
    if (model === undefined) throw new Error("an admitted plan names an unknown model");
    return model;
  };

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
