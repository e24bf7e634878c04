import type * as v from "valibot";

// The expectation of a schema as the end of a sentence that begins with the field: "must be a string".
// Everything here comes from the schema, never from the request.

type Issue = v.BaseIssue<unknown>;

/** A check's sentence travels on its function: valibot's own message would be quoted text. */
const SENTENCE: unique symbol = Symbol("sentence");

/** `v.check(stated("needs a text or an image", (body) => …))` gives that sentence when it fails. */
export function stated<T>(sentence: string, test: (input: T) => boolean): (input: T) => boolean {
  return Object.assign((input: T) => test(input), { [SENTENCE]: sentence });
}

const NOUNS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  Array: "an array",
  Object: "an object",
  null: "null",
};

/** `v.regex(shaped(/^a+$/, "must be the letter a"))` gives that sentence when it fails. */
export const shaped = (pattern: RegExp, sentence: string): RegExp =>
  Object.assign(new RegExp(pattern), { [SENTENCE]: sentence });

/** A word of an expectation: a text in quotes, or a name; brackets only group them. */
const OPTION = /"(?:[^"\\]|\\.)*"|[^\s|()"]+/g;

/** `("free" | "paid")` -> `one of "free", "paid"`; `(string | Array)` -> `a string or an array`. */
function oneOf(expected: string): string {
  const options = [...new Set(expected.match(OPTION) ?? [expected])];
  const literals = options.filter((option) => NOUNS[option] === undefined);
  if (literals.length < 2) return options.map((option) => NOUNS[option] ?? option).join(" or ");
  const nouns = options.flatMap((option) => NOUNS[option] ?? []);
  return [`one of ${literals.join(", ")}`, ...nouns].join(" or ");
}

/** Lengths count characters of a text and items of an array. */
const unitOf = (issue: Issue): string => (Array.isArray(issue.input) ? "items" : "characters");

const SENTENCES: Readonly<Record<string, (issue: Issue, requirement: string) => string>> = {
  non_empty: () => "must not be empty",
  length: (issue, n) => `must have exactly ${n} ${unitOf(issue)}`,
  min_length: (issue, n) =>
    n === "1" ? "must not be empty" : `must have at least ${n} ${unitOf(issue)}`,
  max_length: (issue, n) =>
    Array.isArray(issue.input) ? `must have at most ${n} items` : `must be at most ${n} characters`,
  min_bytes: (_, n) => `must be at least ${n} bytes`,
  max_bytes: (_, n) => `must be at most ${n} bytes`,
  min_entries: (_, n) => `must have at least ${n} entries`,
  max_entries: (_, n) => `must have at most ${n} entries`,
  min_value: (_, n) => `must be at least ${n}`,
  max_value: (_, n) => `must be at most ${n}`,
  gt_value: (_, n) => `must be more than ${n}`,
  lt_value: (_, n) => `must be less than ${n}`,
  multiple_of: (_, n) => `must be a multiple of ${n}`,
  integer: () => "must be a whole number",
  safe_integer: () => "must be a whole number",
  finite: () => "must be a finite number",
  starts_with: (_, text) => `must start with ${text}`,
  ends_with: (_, text) => `must end with ${text}`,
  includes: (_, text) => `must contain ${text}`,
  regex: ({ requirement }) => sentenceOf(requirement) ?? "does not have the required form",
  url: () => "must be a URL",
  email: () => "must be an email address",
  base64: () => "must be base64",
  uuid: () => "must be a UUID",
  ulid: () => "must be a ULID",
  iso_date: () => "must be a day such as 2026-11-20",
  iso_timestamp: () => "must be a time such as 2026-11-20T14:03:27.412Z",
  never: () => "is not allowed",
  non_optional: () => "is required",
  non_nullish: () => "is required",
};

/** The sentence that was given with a check or a pattern. */
function sentenceOf(requirement: unknown): string | null {
  if (typeof requirement !== "function" && !(requirement instanceof RegExp)) return null;
  const sentence: unknown = Reflect.get(requirement, SENTENCE);
  return typeof sentence === "string" ? sentence : null;
}

export function expectation(issue: Issue): string {
  const { requirement } = issue;
  const sentence = SENTENCES[issue.type];
  if (sentence !== undefined) return sentence(issue, String(requirement));
  if (typeof requirement === "function") return sentenceOf(requirement) ?? "is not valid";
  const known = issue.kind === "schema" || issue.type === "values" || issue.type === "value";
  return known && issue.expected !== null ? `must be ${oneOf(issue.expected)}` : "is not valid";
}
