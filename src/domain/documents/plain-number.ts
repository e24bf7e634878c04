// Numbers as they are written, and in one form that can be compared.

/** An amount in groups with spaces, else digits with anything that may stand within a number. */
const NUMBER =
  /(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d+(?:[.,'\u2019]\d+)*/g;

const SPACE = /[ \u00a0\u202f]/;

/** The numbers of a text, as they are written. */
export const numbersIn = (text: string): readonly string[] => text.match(NUMBER) ?? [];

/** As `numbersIn`, one after the other: a long text may have a hundred thousand. */
export function* eachNumberIn(text: string): Iterable<string> {
  for (const [written] of text.matchAll(NUMBER)) yield written;
}

/** One form for `1,234.50`, `1.234,5`, `1 234.5` and `1234.5`. */
export function plainNumber(written: string): string {
  const [, whole = written, fraction = ""] = /^(.*)[.,](\d{1,2})$/.exec(written) ?? [];
  const digits = whole.replace(/\D/g, "").replace(/^0+(?=\d)/, "");
  const rest = fraction.replace(/0+$/, "");
  return rest === "" ? digits : `${digits}.${rest}`;
}

/** Groups of three digits, or one fraction. */
const AMOUNT = /^\d{1,3}(?:([.,'\u2019])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?$|^\d+[.,]\d+$/;

/**
 * The numbers within one that is written together: the parts of a date or a version (3.5.2026), and those of
 * `12 500` if its space may stand between two numbers. Those of an amount (12,500) are none.
 */
export function partsOf(written: string): readonly string[] {
  if (SPACE.test(written)) return / /.test(written) ? written.split(SPACE) : [];
  return AMOUNT.test(written) ? [] : written.split(/\D/);
}
