// Whole numbers that are too long for a float. JSON has no limit of digits; JavaScript rounds what is
// beyond 2^53, and a seed that was rounded is another seed.

type Source = { readonly source?: string };

type Reviver = (this: unknown, key: string, value: unknown, context: Source) => unknown;

/** `JSON.parse` with each value's own text (ECMA-262, "JSON.parse source text access"). */
const parse = JSON.parse as unknown as (text: string, reviver: Reviver) => unknown;

/**
 * The digits of a number at the top of a JSON object, as they were sent; null where none is there.
 * It reads the whole text once more: it is for numbers that are known to be too long.
 */
export function digitsOf(json: Uint8Array, name: string): string | null {
  const found: { readonly holder: unknown; readonly source: string }[] = [];
  const root = parse(new TextDecoder().decode(json), function (key, value, { source }) {
    if (key === name && typeof value === "number" && source !== undefined) {
      // Only the last one can be the top's: what is inside is read first.
      found.push({ holder: this, source });
      if (found.length > MAX_FOUND) found.shift();
    }
    return value;
  });
  return found.find(({ holder }) => holder === root)?.source ?? null;
}

/** A body may name thousands inside; those that come after the top's own are as many as it has keys. */
const MAX_FOUND = 4096;

const RAW: (digits: string) => unknown = Reflect.get(JSON, "rawJSON") as (
  digits: string,
) => unknown;

/** What `JSON.stringify` writes as these digits. */
export const exactNumber = (digits: string): unknown => RAW(digits);
