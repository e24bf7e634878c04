import { field } from "../engine-call.ts";

// An answer in the shape of a JSON schema, filled with what the prompt says. What it cannot fill
// honestly (references, alternatives, patterns) it does not pretend to.

const MAX_DEPTH = 16;
/** A schema may ask for far more than anybody reads. */
const MAX_FIELDS = 256;
/** Of one string: a schema may ask for the same sentence in every field. */
const MAX_STRING_CHARS = 1000;
/** Characters that options are looked for in, all of an answer's together. */
const MAX_SEARCHED_CHARS = 10_000_000;
/** Options of one `enum` that are looked for, and numbers that are tried: none takes a thousand. */
const MAX_OPTIONS = 1000;

/** What the prompt says: its best sentences first. */
export interface Said {
  readonly sentences: readonly string[];
}

/** Undefined: the schema asks for what cannot be filled from sentences. */
export function answerInSchema(schema: unknown, said: Said): unknown {
  const text = said.sentences.join("\n");
  const numbers = (text.match(/-?\d+(?:\.\d+)?/g) ?? []).slice(0, MAX_OPTIONS).map(Number);
  const state = {
    next: 0,
    fields: 0,
    searched: 0,
    lowered: text.toLowerCase(),
    isYes: /\b(?:yes|true)\b/i.test(text),
    numbers,
  };
  return fill(schema, said, state, 0);
}

const UNFILLABLE = [
  "$ref",
  "anyOf",
  "oneOf",
  "allOf",
  "not",
  "if",
  "pattern",
  "format",
  "patternProperties",
  "dependentRequired",
];

interface State {
  next: number;
  fields: number;
  /** Characters, in search of options. */
  searched: number;
  /** What was said, read once: however many fields ask for it. */
  readonly lowered: string;
  readonly isYes: boolean;
  readonly numbers: readonly number[];
}

function fill(schema: unknown, said: Said, state: State, depth: number): unknown {
  state.fields += 1;
  if (depth > MAX_DEPTH || state.fields > MAX_FIELDS) return undefined;
  if (UNFILLABLE.some((name) => field(schema, name) !== undefined)) return undefined;
  const constant = field(schema, "const");
  if (constant !== undefined) return constant;
  const options = field(schema, "enum");
  if (Array.isArray(options)) return mentioned(options, state);
  switch (typeOf(schema)) {
    case "object":
      return fillObject(schema, said, state, depth);
    case "array": {
      const item = fill(field(schema, "items") ?? { type: "string" }, said, state, depth + 1);
      const least = field(schema, "minItems") ?? 0;
      return item === undefined || Number(least) > 1 ? undefined : [item];
    }
    case "string":
      return fitted(schema, said.sentences[state.next++] ?? said.sentences[0] ?? "");
    case "number":
    case "integer":
      return numberIn(schema, state);
    case "boolean":
      return state.isYes;
    case "null":
      return null;
    default:
      return undefined;
  }
}

/** Of several types the first that is not null. */
function typeOf(schema: unknown): unknown {
  const type = field(schema, "type");
  if (Array.isArray(type)) return type.find((name) => name !== "null");
  return type ?? (field(schema, "properties") === undefined ? undefined : "object");
}

function fillObject(schema: unknown, said: Said, state: State, depth: number): unknown {
  const properties = field(schema, "properties") ?? {};
  const filled: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(properties)) {
    const value = fill(inner, said, state, depth + 1);
    if (value === undefined) return undefined;
    filled.push([name, value]);
  }
  const required = field(schema, "required");
  const names = new Set<unknown>(filled.map(([name]) => name));
  const missing = Array.isArray(required) && required.some((name) => !names.has(name));
  return missing ? undefined : Object.fromEntries(filled);
}

/** The option that the prompt names, else the first. */
const mentioned = (options: readonly unknown[], state: State): unknown =>
  options.slice(0, MAX_OPTIONS).find((option) => {
    state.searched += state.lowered.length;
    return (
      typeof option === "string" &&
      state.searched <= MAX_SEARCHED_CHARS &&
      state.lowered.includes(option.toLowerCase())
    );
  }) ?? options[0];

function fitted(schema: unknown, sentence: string): string | undefined {
  const text = sentence.slice(0, MAX_STRING_CHARS).toWellFormed();
  const most = field(schema, "maxLength");
  const least = field(schema, "minLength");
  const cut = typeof most === "number" ? Array.from(text).slice(0, most).join("") : text;
  return typeof least === "number" && Array.from(cut).length < least ? undefined : cut;
}

/** The first number that is named and allowed, else 0 where that is. */
function numberIn(schema: unknown, { numbers }: State): number | undefined {
  const whole = typeOf(schema) === "integer";
  const least = Number(field(schema, "minimum") ?? -Infinity);
  const most = Number(field(schema, "maximum") ?? Infinity);
  const narrower = ["exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
  if (narrower.some((name) => field(schema, name) !== undefined)) return undefined;
  const fits = (n: number): boolean => n >= least && n <= most && (!whole || Number.isInteger(n));
  return numbers.find(fits) ?? (fits(0) ? 0 : undefined);
}
