import { field } from "../engine-call.ts";

// Texts and numbers for a schema, taken from the prompt.

/** Length of one string: a schema may ask for the same sentence in every field. */
const MAX_STRING_CHARS = 1000;
/** Characters that are searched for options, in total for one answer. */
const MAX_SEARCHED_CHARS = 10_000_000;
/** Numbers and texts of a format that are tried. */
const MAX_TRIED = 1000;

/** The sentences of a prompt, the best first. */
export interface PromptText {
  readonly sentences: readonly string[];
}

/** The prompt's text, read once for all fields. */
export interface SchemaSpeech {
  readonly text: string;
  readonly isYes: boolean;
  readonly numbers: readonly number[];
  /** The next sentence; after the last one, the first. */
  nextSentence(): string;
  /** The sentence that was given last, for a field that quotes what another says. */
  sameSentence(): string;
  mentions(option: unknown): boolean;
}

export function speechOf({ sentences }: PromptText): SchemaSpeech {
  const text = sentences.join("\n");
  const lowered = text.toLowerCase();
  let next = 0;
  let given = sentences[0] ?? "";
  let searched = 0;
  return {
    text,
    isYes: /\b(?:yes|true)\b/i.test(text),
    numbers: (text.match(/-?\d+(?:\.\d+)?/g) ?? []).slice(0, MAX_TRIED).map(Number),
    nextSentence: () => (given = sentences[next++] ?? sentences[0] ?? ""),
    sameSentence: () => given,
    mentions(option) {
      searched += lowered.length;
      return (
        typeof option === "string" &&
        searched <= MAX_SEARCHED_CHARS &&
        lowered.includes(option.toLowerCase())
      );
    },
  };
}

/** The same sentence again, whatever is asked. */
export const quotingSpeech = (speech: SchemaSpeech): SchemaSpeech => ({
  ...speech,
  nextSentence: () => speech.sameSentence(),
});

interface Missed {
  readonly keyword: string;
}

/** How texts of a format look; the first one in the prompt is taken. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /\b\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b/,
  "date-time": /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})/,
  time: /\b(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})/,
  email: /\b[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b/,
  uri: /\bhttps?:\/\/[^\s"'<>)\]}]{1,512}/,
  uuid: /\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b/,
  ipv4: /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b/,
};

/** A valid text of a format, where one is required and the prompt has none. */
const EXAMPLES: Readonly<Record<string, string>> = {
  date: "2026-01-01",
  "date-time": "2026-01-01T00:00:00Z",
  time: "00:00:00Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

/** Characters of the prompt that are searched for a format. */
const MAX_FORMAT_CHARS = 100_000;

/** @param invents whether a text of a format that the prompt does not have may be an example */
export function textIn(schema: unknown, speech: SchemaSpeech, invents: boolean): string | Missed {
  const format = field(schema, "format");
  if (typeof format === "string") {
    const shape = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    const found = shape?.exec(speech.text.slice(0, MAX_FORMAT_CHARS))?.[0];
    const example = invents && Object.hasOwn(EXAMPLES, format) ? EXAMPLES[format] : undefined;
    return found ?? example ?? { keyword: "format" };
  }
  const sentence = speech.nextSentence();
  const most = field(schema, "maxLength");
  const least = field(schema, "minLength");
  const cut = (text: string): string => {
    const short = text.slice(0, MAX_STRING_CHARS).toWellFormed();
    return typeof most === "number" ? Array.from(short).slice(0, most).join("") : short;
  };
  const needed = typeof least === "number" ? least : 0;
  // If the sentence is too short, the whole text is tried.
  const fits = [cut(sentence), cut(speech.text.replaceAll("\n", " "))].find(
    (text) => Array.from(text).length >= needed,
  );
  return fits ?? { keyword: "minLength" };
}

/** The first allowed number of the prompt, else the first allowed of 0, 1, -1 and some near the limits. */
export function numberIn(schema: unknown, whole: boolean, speech: SchemaSpeech): number | Missed {
  const limit = (name: string, otherwise: number): number => {
    const value = field(schema, name);
    return typeof value === "number" ? value : otherwise;
  };
  const least = limit("minimum", -Infinity);
  const most = limit("maximum", Infinity);
  const above = limit("exclusiveMinimum", -Infinity);
  const below = limit("exclusiveMaximum", Infinity);
  const step = limit("multipleOf", 0);
  const fits = (n: number): boolean =>
    Number.isFinite(n) &&
    n >= least &&
    n <= most &&
    n > above &&
    n < below &&
    (!whole || Number.isInteger(n)) &&
    (step <= 0 || Number.isInteger(n / step));
  const edges = [0, 1, -1, least, most, above + 1, below - 1, step, (least + most) / 2];
  const between = [
    (above + below) / 2,
    above + 0.5,
    below - 0.5,
    Math.ceil(least),
    Math.floor(most),
  ];
  const found = [...speech.numbers, ...edges, ...between].find(fits);
  return found ?? { keyword: missedBy(schema) };
}

const missedBy = (schema: unknown): string =>
  ["multipleOf", "exclusiveMinimum", "exclusiveMaximum", "minimum", "maximum"].find(
    (name) => field(schema, name) !== undefined,
  ) ?? "type";
