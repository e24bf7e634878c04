import type { Entity, Span } from "./results.ts";

// Addresses, telephone numbers, dates and amounts of money, found by their form alone, anywhere in a text.
// Every expression is linear: repetition is bounded.

/** Entities of one document. */
export const MOST_ENTITIES = 200;
/** Places of one entity. */
export const MOST_SPANS = 5;

/** 12 345 678 is a number, 2026-02-30 looks like a day. */
const NO_PHONE = /^(?:\d{1,3}(?:[ .]\d{3})+|\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4})$/;

const EMAIL =
  /(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![\w-])/gi;

/** With a country code, or at least eight digits in groups: fewer are any number. */
const PHONE =
  /(?<![\w+.,/-])(?:\+\d{1,3}[\s.-]?)?(?:\(\d{1,5}\)[\s.-]?)?\d{2,5}(?:[\s.-]\d{2,8}){1,5}(?![\w/-]|[.,]\d)/g;

const MONTHS =
  "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";

const DATES: readonly (readonly [pattern: RegExp, read: (parts: string[]) => string | null])[] = [
  [/(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])/g, ([y, m, d]) => dateOf(y, m, d)],
  [
    new RegExp(`\\b(${MONTHS})\\.? (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`, "gi"),
    ([m = "", d, y]) => dateOf(y, monthOf(m), d),
  ],
  [
    new RegExp(`\\b(\\d{1,2})(?:st|nd|rd|th|\\.)? (?:of )?(${MONTHS})\\.?,? (\\d{4})\\b`, "gi"),
    ([d, m = "", y]) => dateOf(y, monthOf(m), d),
  ],
  [/(?<![\d.])(\d{1,2})\.(\d{1,2})\.(\d{4})(?![\d.])/g, ([d, m, y]) => dateOf(y, m, d)],
  // 3/4/2026 is March or April, by country: its form is a date, its day is not known.
  [
    /(?<![\d/])(\d{1,2})\/(\d{1,2})\/(\d{4})(?![\d/])/g,
    ([a = "", b = "", y]) => {
      if (Number(a) > 12) return dateOf(y, b, a);
      if (Number(b) > 12 || a === b) return dateOf(y, a, b);
      return null;
    },
  ],
];

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
};
const CODES = "USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY|SEK|NOK|DKK|PLN|BRL|MXN";
const AMOUNT =
  "\\d{1,3}(?:[,.'\u2019 \u00a0]\\d{3}){1,5}(?:[.,]\\d{1,2})?|\\d{1,12}(?:[.,]\\d{1,2})?";
const SCALE = "(?:\\s?(million|billion|thousand|mio|mn|bn|k|m)\\b)?";

const MONEY_BEFORE = new RegExp(
  `(?<![\\w.])([$\u20ac\u00a3\u00a5\u20b9]|(?:${CODES})\\s)\\s?(${AMOUNT})(?![\\d%])${SCALE}`,
  "gi",
);
const MONEY_AFTER = new RegExp(
  `(?<![\\w.,])(${AMOUNT})${SCALE}\\s?(\u20ac|\u00a3|\\$|(?:${CODES})\\b|euros?\\b|dollars?\\b|pounds\\b)`,
  "gi",
);

const SCALES: Readonly<Record<string, number>> = {
  thousand: 3,
  k: 3,
  million: 6,
  mio: 6,
  mn: 6,
  m: 6,
  billion: 9,
  bn: 9,
};

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
    if (NO_PHONE.test(match[0])) return [];
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

/** "" for a day that no calendar has. */
function dateOf(year = "", month = "", day = ""): string {
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? "" : text;
}

const FIRST_LETTERS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

const monthOf = (name: string): string =>
  String(FIRST_LETTERS.indexOf(name.slice(0, 3).toLowerCase()) + 1);

function moneyIn(text: string): Found[] {
  const before = matchesIn(text, MONEY_BEFORE).map((match) => {
    const [, currency = "", amount = "", scale = ""] = match;
    return foundAt(match, "money", amountOf(amount, scale, currency));
  });
  const after = matchesIn(text, MONEY_AFTER).map((match) => {
    const [, amount = "", scale = "", currency = ""] = match;
    return foundAt(match, "money", amountOf(amount, scale, currency));
  });
  return [...before, ...after];
}

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
