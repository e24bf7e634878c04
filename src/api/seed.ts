import * as v from "valibot";
import type { RequestFailure } from "../domain/ledger/failure.ts";
import { digitsOf, exactNumber } from "../io/exact-json.ts";

// Seeds of 64 bits, as several clients draw them: passed on digit by digit.

const MAX = 2n ** 63n - 1n;

export const seed = v.nullish(
  v.pipe(v.number(), v.integer(), v.description("A whole number of 64 bits, passed on exactly.")),
);

type Refused = Extract<RequestFailure, { kind: "invalid_request" }>;

type Parameters = Readonly<Record<string, unknown>>;

/**
 * The parameters with the seed digit by digit, or an error if it is no seed.
 *
 * @param json the request as it was sent; null: no engine is called
 */
export function withExactSeed(
  parameters: Parameters,
  value: number | null | undefined,
  json: Uint8Array | null,
): { readonly kind: "read"; readonly parameters: Parameters } | Refused {
  if (value === null || value === undefined || json === null) return { kind: "read", parameters };
  const exact = Number.isSafeInteger(value) ? value : longSeed(json);
  if (exact === null)
    return { kind: "invalid_request", errors: [{ path: ["seed"], detail: RANGE }] };
  return { kind: "read", parameters: { ...parameters, seed: exact } };
}

const RANGE = "must be a whole number from -2^63 to 2^63 - 1";

function longSeed(json: Uint8Array): unknown {
  const digits = digitsOf(json, "seed");
  const exact = digits !== null && /^-?\d{1,20}$/.test(digits) ? BigInt(digits) : null;
  return exact === null || exact > MAX || exact < -MAX - 1n ? null : exactNumber(String(exact));
}
