import type { Entity, Span } from "./results.ts";
import { DATES } from "./written-dates.ts";

// Addresses, telephone numbers, dates and amounts of money, found by their form alone, anywhere in a text.
// Every expression is linear: repetition is bounded.

/** Entities of one document. */
export const MOST_ENTITIES = 200;
/** Places of one entity. */
export const MOST_SPANS = 5;

/** What looks like a telephone number without a country code, and is none. */
const NO_PHONE: readonly RegExp[] = [
  // 12 345 678 and 10.000-12.000
  /^\d{1,3}(?:[ .]\d{3})+(?:-\d{1,3}(?:[ .]\d{3})+)?$/,
  // 2026-02-30, 2026.12.03, and the invoice 2026-12-0345
  /^(?:19|20)\d{2}[ .-]\d{2}(?:[ .-]\d+)*$/,
  // 3.12.2026 and 03-12-2026
  /^\d{1,2}[.-]\d{1,2}[.-]\d{4}$/,
  // 2019-2024
  /^(?:19|20)\d{2}[ .-](?:19|20)\d{2}$/,
  // 192.168.10.11, but not 12.34.56.78
  /^(?=.*\d{3})\d{1,3}(?:\.\d{1,3}){3}$/,
  // 52.5200 13.4050
  /\d\.\d.*\s|\s.*\d\.\d/,
];

const EMAIL =
  /(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![\w-])/gi;

/** With a country code, or at least eight digits in groups: fewer are any number. */
const PHONE =
  /(?<![\w+.,/-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{2,5}(?:[\s.-]\d{2,8}){1,5}(?![\w/-]|[.,]\d)/g;

const CURRENCIES: Readonly<Record<string, string>> = {
  $: "USD",
  "\u20ac": "EUR",
  "\u00a3": "GBP",
  "\u00a5": "JPY",
  "\u20b9": "INR",
  euro: "EUR",
  euros: "EUR",
  dollar: "USD",
  dollars: "USD",
  pounds: "GBP",
  us$: "USD",
  ca$: "CAD",
  c$: "CAD",
  au$: "AUD",
  a$: "AUD",
  r$: "BRL",
  mx$: "MXN",
};
/** Dollars of a country. */
const DOLLARS = "(?:US|CA|C|AU|A|R|MX)\\$";
const CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY|SEK|NOK|DKK|PLN|BRL|MXN";
const AMOUNT =
  "\\d{1,3}(?:[,.'\u2019 \u00a0]\\d{3}){1,5}(?:[.,]\\d{1,2})?|\\d{1,2}(?:,\\d{2}){1,4},\\d{3}(?:\\.\\d{1,2})?|\\d{1,12}(?:[.,]\\d{1,2})?";

/** By how many zeros; with a part of a number alone, an amount would be wrong. */
const SCALES: Readonly<Record<string, number>> = {
  k: 3,
  thousand: 3,
  tausend: 3,
  tsd: 3,
  lakh: 5,
  m: 6,
  mm: 6,
  mn: 6,
  mio: 6,
  million: 6,
  millions: 6,
  millionen: 6,
  millones: 6,
  milioni: 6,
  crore: 7,
  b: 9,
  bn: 9,
  mrd: 9,
  billion: 9,
  billions: 9,
  milliard: 9,
  milliards: 9,
  milliarden: 9,
  miliardi: 9,
  tn: 12,
  trillion: 12,
};
const SCALE = `(?:\\s?(${Object.keys(SCALES).join("|")})\\b)?`;
/** "2,5 Mio. EUR": within a sentence the dot is of the word. */
const SCALE_WITHIN = SCALE.replace("\\b)", "\\b\\.?)");

/** The number has no more digits, and is no share. */
const ENDS = "(?!\\d|[.,'\u2019]\\d|%)";

/** Of a debt; between two numbers or words it is a dash. */
const SIGN = "((?<![\\p{L}\\d_.,)%-])[-\u2212])?";

const MONEY_BEFORE = new RegExp(
  `(?<![\\w.])${SIGN}(${DOLLARS}|[$\u20ac\u00a3\u00a5\u20b9]|(?:${CODES})\\s)\\s?(${AMOUNT})${ENDS}${SCALE}(?!\\p{L})`,
  "giu",
);
const MONEY_AFTER = new RegExp(
  `(?<![\\w.,]|\\d['\u2019])${SIGN}(${AMOUNT})${SCALE_WITHIN}\\s?(\u20ac|\u00a3|\\$|(?:${CODES})\\b|euros?\\b|dollars?\\b|pounds\\b)`,
  "giu",
);

interface Found extends Span {
  readonly kind: Entity["kind"];
  readonly text: string;
  readonly value: string | null;
}

/** In the order of their first places; `more`: how many were left out beyond the limit. */
export function ruleEntities(text: string): {
  readonly entities: readonly Entity[];
  readonly more: number;
} {
  const found: Found[] = [
    ...emailsIn(text),
    ...datesIn(text),
    ...moneyIn(text),
    // Last: what is a date or an amount is no telephone number.
    ...phonesIn(text),
  ];
  const taken: Found[] = [];
  // One place has one meaning: the first that was found.
  const claimed = new Uint8Array(text.length);
  for (const one of found) {
    if (claimed.subarray(one.start, one.end).includes(1)) continue;
    claimed.fill(1, one.start, one.end);
    taken.push(one);
  }
  return merged(taken.toSorted((a, b) => a.start - b.start));
}

function merged(found: readonly Found[]): ReturnType<typeof ruleEntities> {
  const byValue = new Map<string, { entity: Entity; spans: Span[] }>();
  for (const { kind, text, value, start, end } of found) {
    const key = `${kind}\n${value ?? text}`;
    const known = byValue.get(key);
    if (known === undefined) {
      const spans = [{ start, end }];
      byValue.set(key, { entity: { kind, text, value, spans }, spans });
    } else if (known.spans.length < MOST_SPANS) known.spans.push({ start, end });
  }
  const all = [...byValue.values()].map(({ entity }) => entity);
  return {
    entities: all.slice(0, MOST_ENTITIES),
    more: Math.max(0, all.length - MOST_ENTITIES),
  };
}

/** Of one form; a table of numbers has more than anybody reads. */
const MOST_MATCHES = 5000;

const matchesIn = (text: string, pattern: RegExp): RegExpExecArray[] => {
  const matches: RegExpExecArray[] = [];
  for (const match of text.matchAll(pattern)) {
    matches.push(match);
    if (matches.length === MOST_MATCHES) break;
  }
  return matches;
};

const emailsIn = (text: string): Found[] =>
  matchesIn(text, EMAIL).map((match) => foundAt(match, "email", match[0].toLowerCase()));

function phonesIn(text: string): Found[] {
  return matchesIn(text, PHONE).flatMap((match) => {
    const digits = match[0].replace(/\D/g, "");
    if (NO_PHONE.some((other) => other.test(match[0]))) return [];
    const isLong = digits.length >= (match[0].startsWith("+") ? 7 : 8) && digits.length <= 15;
    const value = `${match[0].startsWith("+") ? "+" : ""}${digits}`;
    return isLong ? [foundAt(match, "phone", value)] : [];
  });
}

function datesIn(text: string): Found[] {
  return DATES.flatMap(([pattern, read]) =>
    matchesIn(text, pattern).flatMap((match) => {
      const value = read(match.slice(1));
      // 31/31/2026 is no date at all.
      const isDate = value !== null || pattern.source.includes("/");
      return isDate && value !== "" ? [foundAt(match, "date", value)] : [];
    }),
  );
}

function moneyIn(text: string): Found[] {
  const before = matchesIn(text, MONEY_BEFORE).map((match) => {
    const [, sign, currency = "", amount = "", scale = ""] = match;
    return foundAt(match, "money", signed(sign, amountOf(amount, scale, currency)));
  });
  const after = matchesIn(text, MONEY_AFTER).map((match) => {
    const [, sign, amount = "", scale = "", currency = ""] = match;
    return foundAt(match, "money", signed(sign, amountOf(amount, scale, currency)));
  });
  return [...before, ...after];
}

const signed = (sign: string | undefined, amount: string): string =>
  sign === undefined ? amount : `-${amount}`;

function amountOf(written: string, scale: string, currency: string): string {
  const [, whole = written, fraction = ""] = /^(.*)[.,](\d{1,2})$/.exec(written) ?? [];
  const digits = whole.replace(/\D/g, "");
  const zeros = SCALES[scale.toLowerCase()] ?? 0;
  const shifted = digits + fraction.padEnd(zeros, "0").slice(0, zeros);
  const rest = fraction.slice(zeros);
  const amount = shifted.replace(/^0+(?=\d)/, "") + (rest === "" ? "" : `.${rest}`);
  const name = currency.trim();
  return `${amount} ${CURRENCIES[name.toLowerCase()] ?? name.toUpperCase()}`;
}

const foundAt = (
  { 0: written, index }: RegExpExecArray,
  kind: Found["kind"],
  value: string | null,
): Found => {
  const text = written.trim();
  const start = index + written.indexOf(text);
  return { kind, text, value, start, end: start + text.length };
};
