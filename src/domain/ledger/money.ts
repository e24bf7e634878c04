// Money as exact decimal strings, never as floats: everything is a BigInt in units of 10^-18 dollars, which
// is the price of one µN at the smallest step of a rate. Only a statement's total is rounded.

/** Cloudflare's price of 1,000 neurons. Source: the Workers AI pricing page. */
export const CLOUDFLARE_USD_PER_1000 = "0.011";

/** A rate has at most 9 decimals: USD 10^-9 per 1,000 neurons (10^9 µN) is 10^-18 per µN. */
const RATE_DECIMALS = 9;
const RATE_PATTERN = /^(?:0|[1-9]\d{0,8})(?:\.\d{1,9})?$/;
const USD_DECIMALS = 18;
const POW_9 = 10n ** 9n;
const ATTO_PER_CENT = 10n ** 16n;
const USD_PATTERN = /^\d+(?:\.\d{1,18})?$/;

/** The digits of a decimal string, shifted by `decimals` places: `("1.5", 3)` is 1500. */
function shift(text: string, decimals: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

/** In full, without trailing zeros: 1 / 10^18 is `"0.000000000000000001"`, zero is `"0"`. */
function format(atto: bigint): string {
  if (atto < 0n) return `-${format(-atto)}`;
  const digits = String(atto).padStart(USD_DECIMALS + 1, "0");
  const fraction = digits.slice(-USD_DECIMALS).replace(/0+$/, "");
  const whole = digits.slice(0, -USD_DECIMALS);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** @throws RangeError for a negative or fractional amount of µN, or a number above 2^53 - 1 */
function wholeAmount(microNeurons: bigint | number): bigint {
  const safe = typeof microNeurons === "bigint" || Number.isSafeInteger(microNeurons);
  if (!safe || microNeurons < 0) throw new RangeError("micro-neurons must be whole, not negative");
  return BigInt(microNeurons);
}

/**
 * A rate in USD per 1,000 neurons, as a decimal string: plain digits, at most 9 before and 9 after
 * the point, no sign, no exponent, no leading zeros. Returns it in USD 10^-9, or null.
 */
export const parseUsdRate = (text: string): bigint | null =>
  RATE_PATTERN.test(text) ? shift(text, RATE_DECIMALS) : null;

/** An amount and its rate. */
export interface ChargePart {
  readonly microNeurons: bigint | number;
  /** A rate that `parseUsdRate` accepts: `"0.011"`. */
  readonly usdPer1000: string;
}

/**
 * The exact sum in USD over amounts at different rates: 2,498,802,900 µN at `"0.011"` is
 * `"0.0274868319"`.
 *
 * @throws RangeError for an invalid amount or rate
 */
export function chargeUsd(parts: Iterable<ChargePart>): string {
  let atto = 0n;
  for (const { microNeurons, usdPer1000 } of parts) {
    atto += wholeAmount(microNeurons) * rateOf(usdPer1000);
  }
  return format(atto);
}

function rateOf(usdPer1000: string): bigint {
  const rate = parseUsdRate(usdPer1000);
  if (rate === null) throw new RangeError("a rate must be a decimal string of USD");
  return rate;
}

/** As `chargeUsd`, for one amount that may be negative: `-1000000000n` is `"-0.011"`. */
export const signedUsd = (microNeurons: bigint, usdPer1000: string): string =>
  format(microNeurons * rateOf(usdPer1000));

/**
 * `usd * numerator / denominator`, half up at the last of 18 decimals: `("0.5", 3n, 2n)` is `"0.75"`.
 *
 * @throws RangeError when `usd` is not an exact amount of USD
 */
export function proportionalUsd(usd: string, numerator: bigint, denominator: bigint): string {
  if (!USD_PATTERN.test(usd)) throw new RangeError("an amount must be a decimal string of USD");
  return format(proportional(shift(usd, USD_DECIMALS), numerator, denominator));
}

/** `amount * numerator / denominator`, half up; all are at least 0. */
export const proportional = (amount: bigint, numerator: bigint, denominator: bigint): bigint =>
  (2n * amount * numerator + denominator) / (2n * denominator);

/** A count and the price of so many. */
export interface PricedCount {
  readonly count: bigint;
  /** A price that `parseUsdRate` accepts: `"0.30"`. */
  readonly usd: string;
  /**
   * The number of things that `usd` buys: a power of ten up to 10^9, since a rate has 9 decimals and 18 are
   * kept.
   */
  readonly per: number;
}

/** The exact sum in USD: 2,500,000 at `"0.30"` a million is `"0.75"`. */
export function countedUsd(parts: Iterable<PricedCount>): string {
  let atto = 0n;
  for (const { count, usd, per } of parts) {
    if (POW_9 % BigInt(per) !== 0n) throw new RangeError("a price must be per a power of ten");
    atto += count * rateOf(usd) * (POW_9 / BigInt(per));
  }
  return format(atto);
}

/** The µN that an amount of USD buys at Cloudflare's price, rounded down, at most 2^53 - 1. */
export function microNeuronsFor(usd: string): number {
  const bought = (rateOf(usd) * POW_9) / rateOf(CLOUDFLARE_USD_PER_1000);
  return bought > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(bought);
}

/** Cloudflare's price of these neurons, without the account's free allocation. */
export const costUsd = (microNeurons: bigint | number): string =>
  chargeUsd([{ microNeurons, usdPer1000: CLOUDFLARE_USD_PER_1000 }]);

/**
 * The exact difference, which may be negative: `("0.01", "0.025")` is `"-0.015"`.
 *
 * @throws as `roundToCents`
 */
export function differenceUsd(from: string, amount: string): string {
  const [minuend, subtrahend] = [from, amount].map(attoOf);
  const atto = (minuend ?? 0n) - (subtrahend ?? 0n);
  return atto < 0n ? `-${format(-atto)}` : format(atto);
}

function attoOf(usd: string): bigint {
  const unsigned = usd.replace(/^-/, "");
  if (!USD_PATTERN.test(unsigned))
    throw new RangeError("an amount must be a decimal string of USD");
  return usd === unsigned ? shift(usd, USD_DECIMALS) : -shift(unsigned, USD_DECIMALS);
}

/**
 * A statement's total, half up, always with two decimals: `"0.005"` is `"0.01"`.
 *
 * @throws RangeError when `usd` is not an exact amount of USD
 */
export function roundToCents(usd: string): string {
  if (!USD_PATTERN.test(usd)) throw new RangeError("an amount must be a decimal string of USD");
  const cents = (shift(usd, USD_DECIMALS) + ATTO_PER_CENT / 2n) / ATTO_PER_CENT;
  return `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`;
}
