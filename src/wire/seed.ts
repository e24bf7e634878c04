import * as v from "valibot";
import type { RequestFailure } from "../domain/failure.ts";
import { digitsOf, exactNumber } from "../http/exact-number.ts";

// Seeds of 64 bits, as several clients draw them: passed on digit by digit.

const MAX = 2n ** 63n - 1n;

export const seed = v.nullish(
  v.pipe(v.number(), v.integer(), v.description("A whole number of 64 bits, passed on exactly.")),
);

type Refused = Extract<RequestFailure, { kind: "invalid_request" }>;

/** What an engine is told for it, or why it is none. */
export function exactSeed(
  value: number,
  json: Uint8Array,
): { readonly kind: "seed"; readonly seed: unknown } | Refused {
  if (Number.isSafeInteger(value)) return { kind: "seed", seed: value };
  const digits = digitsOf(json, "seed");
  const isWhole = digits !== null && /^-?\d{1,20}$/.test(digits);
  const exact = isWhole ? BigInt(digits) : null;
  if (exact === null || exact > MAX || exact < -MAX - 1n) {
    const detail = "must be a whole number from -2^63 to 2^63 - 1";
    return { kind: "invalid_request", errors: [{ path: ["seed"], detail }] };
  }
  return { kind: "seed", seed: exactNumber(String(exact)) };
}
