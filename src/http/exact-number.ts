export { isExactNumber } from "../io/exact-json.ts";

// Whole numbers that are too long for a float. JSON does not limit digits; JavaScript rounds numbers
// beyond 2^53, and a rounded seed is another seed.

type Source = { readonly source?: string };

type Reviver = (key: string, value: unknown, context: Source) => unknown;

/** `JSON.parse` with each value's own text (ECMA-262, "JSON.parse source text access"). */
const parse = JSON.parse as unknown as (text: string, reviver: Reviver) => unknown;

/** Takes the place of a number while the text is read. */
class Digits {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

/**
 * The digits of a number at the top of a JSON object, as they were sent; null where there is none. It
 * parses the whole text again, so it is for numbers that are known to be too long.
 */
export function digitsOf(json: Uint8Array, name: string): string | null {
  const top = parse(new TextDecoder().decode(json), (key, value, { source }) =>
    key === name && typeof value === "number" && source !== undefined ? new Digits(source) : value,
  );
  const found: unknown = Object(top)[name];
  return found instanceof Digits ? found.digits : null;
}

const RAW: (digits: string) => unknown = Reflect.get(JSON, "rawJSON") as (
  digits: string,
) => unknown;

/** A value that `JSON.stringify` writes as these digits. */
export const exactNumber = (digits: string): unknown => RAW(digits);
