// Dates as people write them: with the month as a number, or with its name in seven languages.

/** By month, each with the names of English, German, French, Spanish, Italian, Portuguese and Dutch. */
const MONTHS: readonly string[] = [
  "january|jan|januar|jänner|janvier|enero|gennaio|janeiro|januari",
  "february|feb|februar|février|fevrier|febrero|febbraio|fevereiro|februari",
  "march|mar|märz|maerz|mars|marzo|março|marco|maart",
  "april|apr|avril|abril|aprile",
  "may|mai|mayo|maggio|maio|mei",
  "june|jun|juni|juin|junio|giugno|junho",
  "july|jul|juli|juillet|julio|luglio|julho",
  "august|aug|août|aout|agosto|augustus",
  "september|sept|sep|septembre|septiembre|setiembre|settembre|setembro",
  "october|oct|oktober|octobre|octubre|ottobre|outubro",
  "november|nov|novembre|noviembre|novembro",
  "december|dec|dezember|décembre|decembre|diciembre|dicembre|dezembro",
];

const MONTH = MONTHS.join("|");

const BY_NAME: Readonly<Record<string, string>> = Object.fromEntries(
  MONTHS.flatMap((names, at) => names.split("|").map((name) => [name, String(at + 1)])),
);

const monthOf = (name: string): string => BY_NAME[name.toLowerCase()] ?? "";

/** A space that keeps a line together is one too. */
const SPACE = "[ \u00a0]";

const NO_LETTER = "(?<![\\p{L}\\d])";

/**
 * Forms of dates. `read` gives the day as YYYY-MM-DD, "" for a day that no calendar has, and null for a
 * date whose day depends on the country.
 */
export const DATES: readonly (readonly [
  pattern: RegExp,
  read: (parts: string[]) => string | null,
])[] = [
  [/(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])/g, ([y, m, d]) => dateOf(y, m, d)],
  [
    new RegExp(
      `${NO_LETTER}(${MONTH})\\.?${SPACE}(\\d{1,2})(?:st|nd|rd|th)?,?${SPACE}(\\d{4})\\b`,
      "giu",
    ),
    ([m = "", d, y]) => dateOf(y, monthOf(m), d),
  ],
  [
    new RegExp(
      `${NO_LETTER}(\\d{1,2})(?:st|nd|rd|th|er|\\.|º)?${SPACE}(?:(?:of|de)${SPACE})?(${MONTH})\\.?,?${SPACE}(?:del?${SPACE})?(\\d{4})\\b`,
      "giu",
    ),
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

function dateOf(year = "", month = "", day = ""): string {
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? "" : text;
}
