import type * as v from "valibot";
import { counted } from "../domain/text/counted.ts";
import type { FieldError, RequestFailure } from "../domain/ledger/failure.ts";

// The errors of a request's fields, most of them from valibot's issues. `issue.message`, `issue.received`
// and `issue.input` quote the received value, which here is user content: only types, requirements and
// paths are used.

type Issue = v.BaseIssue<unknown>;

const MAX_ERRORS = 20;

/** Keys of records are the caller's own: a key that may be content is shown as `*`. */
const PLAIN_KEY = /^@?[\w./-]{1,64}$/;

const OBJECTS: ReadonlySet<string> = new Set([
  "object",
  "strict_object",
  "loose_object",
  "object_with_rest",
]);

export const shownKey = (key: unknown): string | number =>
  typeof key === "number" ? key : PLAIN_KEY.test(String(key)) ? String(key) : "*";

const pathOf = (issue: Issue): (string | number)[] =>
  (issue.path ?? []).map(({ key }) => shownKey(key));

/** Missing and unknown keys are issues of the object, with the key as the last step of the path. */
function detailOf(issue: Issue): string {
  const key = OBJECTS.has(issue.type) && issue.path?.at(-1)?.origin === "key";
  if (!key) return expectation(issue);
  return issue.expected === "never" ? "is not a known field" : "is required";
}

/**
 * Of a union only the option that matched deepest helps. Where a string or an array of strings is wanted,
 * the error of `["a", 1]` is that `[1]` must be a string, not that the whole must be a string or an array.
 * Options of the right type that failed a check are no other types: the error of `[]` is that it is empty.
 * One value has one error, although each option may have found its own.
 */
function flatten(issue: Issue, parents: readonly (string | number)[]): FieldError[] {
  const path = [...parents, ...pathOf(issue)];
  const inner = (issue.issues ?? []).map((sub) => ({ sub, depth: sub.path?.length ?? 0 }));
  const deepest = Math.max(0, ...inner.map(({ depth }) => depth));
  if (deepest === 0) {
    const failed = inner.find(({ sub }) => sub.kind === "validation")?.sub;
    return [{ path, detail: detailOf(failed ?? issue) }];
  }
  const found = new Map<string, FieldError>();
  for (const { sub, depth } of inner) {
    if (depth < deepest) continue;
    for (const error of flatten(sub, path)) {
      const place = JSON.stringify(error.path);
      if (!found.has(place)) found.set(place, error);
    }
  }
  return [...found.values()];
}

export function fieldErrors(issues: readonly Issue[]): FieldError[] {
  const errors: FieldError[] = [];
  for (const issue of issues) {
    if (errors.length >= MAX_ERRORS) break;
    errors.push(...flatten(issue, []));
  }
  return errors.slice(0, MAX_ERRORS);
}

export type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;

/** The failure of a check that no schema makes: one field, and how it must be. */
export const invalid = (path: readonly (string | number)[], detail: string): InvalidRequest => ({
  kind: "invalid_request",
  errors: [{ path, detail }],
});

// One path in its two notations: RFC 6901 in problems, JavaScript's in OpenAI's `param`.

type Path = FieldError["path"];

/** RFC 6901, section 6: `["images", 0, "url"]` is `#/images/0/url`. */
export function jsonPointer(path: Path): string {
  const escaped = path.map((key) => {
    const token = String(key).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
    return `/${encodeURIComponent(token)}`;
  });
  return `#${escaped.join("")}`;
}

/** `["images", 0, "url"]` is `images[0].url`; the whole body is null. */
export function paramName(path: Path): string | null {
  let name = "";
  for (const key of path) {
    if (typeof key === "number") name += `[${key}]`;
    else if (!/^[\w-]+$/.test(key)) name += `[${JSON.stringify(key)}]`;
    else name += name === "" ? key : `.${key}`;
  }
  return name === "" ? null : name;
}

/** A check's sentence travels on a copy of its function: valibot's own message would be quoted text. */
const SENTENCE: unique symbol = Symbol("sentence");

/** `v.check(stated("needs a text or an image", (body) => …))` gives that sentence when it fails. */
export function stated<T>(sentence: string, test: (input: T) => boolean): (input: T) => boolean {
  return Object.assign(test.bind(null), { [SENTENCE]: sentence });
}

const NOUNS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  Array: "an array",
  Object: "an object",
  Uint8Array: "an array of bytes",
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
const lengthOf = (issue: Issue, n: string): string =>
  counted(Number(n), Array.isArray(issue.input) ? "item" : "character");

const entries = (n: string): string => counted(Number(n), "entry", "entries");
const bytes = (n: string): string => counted(Number(n), "byte");

const SENTENCES: Readonly<Record<string, (issue: Issue, requirement: string) => string>> = {
  non_empty: () => "must not be empty",
  length: (issue, n) => `must have exactly ${lengthOf(issue, n)}`,
  min_length: (issue, n) =>
    n === "1" ? "must not be empty" : `must have at least ${lengthOf(issue, n)}`,
  max_length: (issue, n) =>
    `must ${Array.isArray(issue.input) ? "have" : "be"} at most ${lengthOf(issue, n)}`,
  min_bytes: (_, n) => `must be at least ${bytes(n)}`,
  max_bytes: (_, n) => `must be at most ${bytes(n)}`,
  min_entries: (_, n) => `must have at least ${entries(n)}`,
  max_entries: (_, n) => `must have at most ${entries(n)}`,
  min_value: (_, n) => `must be at least ${n}`,
  max_value: (_, n) => `must be at most ${n}`,
  gt_value: (_, n) => `must be more than ${n}`,
  lt_value: (_, n) => `must be less than ${n}`,
  multiple_of: (_, n) => `must be a multiple of ${n}`,
  integer: () => "must be a whole number",
  safe_integer: ({ input }) =>
    Number.isInteger(input)
      ? `must be from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`
      : "must be a whole number",
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

function expectation(issue: Issue): string {
  const { requirement } = issue;
  const sentence = SENTENCES[issue.type];
  if (sentence !== undefined) return sentence(issue, String(requirement));
  if (typeof requirement === "function") return sentenceOf(requirement) ?? "is not valid";
  const known = issue.kind === "schema" || issue.type === "values" || issue.type === "value";
  return known && issue.expected !== null ? `must be ${oneOf(issue.expected)}` : "is not valid";
}
