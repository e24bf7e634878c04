// JSON whose whole numbers are kept digit by digit where they are not ours: a seed, and what is in the
// schemas and arguments of a caller's tools. JSON does not limit digits; JavaScript rounds numbers beyond
// 2^53: a rounded seed is another seed, and a rounded id is the id of something else.

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** `JSON.parse` with each value's own text (ECMA-262, "JSON.parse source text access"). */
const parseWithSource = JSON.parse as unknown as (text: string, reviver: Reviver) => unknown;

const RAW = Reflect.get(JSON, "rawJSON") as (digits: string) => unknown;
const IS_RAW = Reflect.get(JSON, "isRawJSON") as (value: unknown) => boolean;

/** A number that `JSON.stringify` writes digit by digit; a copy of it has to keep it as it is. */
export const isExactNumber = (value: unknown): boolean => IS_RAW(value);

/** A value that `JSON.stringify` writes as these digits. */
export const exactNumber = (digits: string): unknown => RAW(digits);

/** The fields that hold what a caller or a model wrote for a tool, or a schema. */
const THEIRS: ReadonlySet<string> = new Set([
  "arguments",
  "guided_json",
  "input_schema",
  "json",
  "json_schema",
  "parameters",
  "schema",
]);

/** Sixteen digits where a value begins: 2^53 has so many. */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

/** As `JSON.parse`, and throws as it does. The text is parsed again only where it has a long number. */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return LONG_NUMBER.test(text) ? grafted(value, parseWithSource(text, exactly)) : value;
}

const exactly: Reviver = (_key, value, { source = "" }) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? RAW(source)
    : value;

/** The value with those fields of its exact twin. It calls itself once a level. */
function grafted(value: unknown, exact: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, at) => grafted(item, Reflect.get(Object(exact), at)));
  return Object.fromEntries(
    Object.entries(value).map(([name, is]) => {
      const twin: unknown = Reflect.get(Object(exact), name);
      const isTheirs = THEIRS.has(name) && typeof is === "object";
      return [name, isTheirs ? twin : grafted(is, twin)];
    }),
  );
}

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
  const top = parseWithSource(new TextDecoder().decode(json), (key, value, { source }) =>
    key === name && typeof value === "number" && source !== undefined ? new Digits(source) : value,
  );
  const found: unknown = Object(top)[name];
  return found instanceof Digits ? found.digits : null;
}
