import { countedUsd, parseUsdRate } from "../ledger/money.ts";

// The prices of another provider, from a file of the operator's: what the same use would cost there.

export interface OtherPrice {
  /** USD for `per` units, a decimal string. */
  readonly usd: string;
  /** A power of ten up to 10^9. */
  readonly per: number;
}

export interface OtherModel {
  /** The model there that does the same work. */
  readonly as: string;
  /** By the units of our price table: `input_token`, `output_token`, … */
  readonly prices: Readonly<Record<string, OtherPrice>>;
}

export interface OtherPriceBook {
  readonly name: string;
  /** When the prices were read, and where. */
  readonly date: string;
  readonly source: string;
  /** By the ids of our catalogue. */
  readonly models: Readonly<Record<string, OtherModel>>;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TEXTS = ["name", "date", "source"] as const;

/** @throws Error with a sentence that names the wrong field */
export function readPriceBook(value: unknown): OtherPriceBook {
  if (!isObject(value)) throw new Error("A price book is a JSON object.");
  for (const field of TEXTS) {
    if (typeof value[field] !== "string" || value[field] === "") {
      throw new Error(`The price book has no "${field}".`);
    }
  }
  if (!isObject(value["models"])) throw new Error('The price book has no "models".');
  for (const [id, model] of Object.entries(value["models"])) checkModel(id, model);
  // Each field was checked above, which the type of the value does not say.
  return value as unknown as OtherPriceBook;
}

function checkModel(id: string, model: unknown): void {
  if (!isObject(model) || typeof model["as"] !== "string" || !isObject(model["prices"])) {
    throw new Error(`"${id}" needs "as", the model's name there, and "prices".`);
  }
  for (const [unit, price] of Object.entries(model["prices"])) {
    const { usd, per } = isObject(price) ? price : {};
    if (typeof usd !== "string" || parseUsdRate(usd) === null) {
      throw new Error(`"usd" of ${unit} of "${id}" must be a decimal string such as "0.15".`);
    }
    if (typeof per !== "number" || !POWERS_OF_TEN.includes(per)) {
      throw new Error(`"per" of ${unit} of "${id}" must be a power of ten up to 1000000000.`);
    }
  }
}

const POWERS_OF_TEN = Array.from({ length: 10 }, (_, at) => 10 ** at);

/** A part of the output tokens, which are priced. */
const PARTS: readonly string[] = ["reasoning_token"];

/** Units that have the price of another where they have none of their own. */
const ELSE: Readonly<Record<string, string>> = { cached_input_token: "input_token" };

/** Exact; null: the book does not have the model, or not a unit that was used. */
export function otherUsd(
  { models }: OtherPriceBook,
  model: string,
  units: Readonly<Record<string, number>>,
): string | null {
  const prices = Object.hasOwn(models, model) ? models[model]?.prices : undefined;
  if (prices === undefined) return null;
  const parts = Object.entries(units)
    .filter(([unit, count]) => count > 0 && !PARTS.includes(unit))
    .map(([unit, count]) => {
      const price = prices[unit] ?? prices[ELSE[unit] ?? ""];
      return price === undefined ? null : { count: BigInt(Math.ceil(count)), ...price };
    });
  const known = parts.filter((part) => part !== null);
  return parts.length === 0 || known.length < parts.length ? null : countedUsd(known);
}
