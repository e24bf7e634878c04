import { field } from "../engine-call.ts";

// An answer in the shape of a JSON schema, filled with what the prompt says. What it cannot fill
// honestly (references, alternatives, patterns) it does not pretend to.

const MAX_DEPTH = 16;
/** A schema may ask for far more than anybody reads. */
const MAX_FIELDS = 256;

/** What the prompt says: its best sentences first. */
export interface Said {
  readonly sentences: readonly string[];
}

/** Undefined: the schema asks for what cannot be filled from sentences. */
export function answerInSchema(schema: unknown, said: Said): unknown {
  const state = { next: 0, fields: 0 };
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
}

function fill(schema: unknown, said: Said, state: State, depth: number): unknown {
  state.fields += 1;
  if (depth > MAX_DEPTH || state.fields > MAX_FIELDS) return undefined;
  if (UNFILLABLE.some((name) => field(schema, name) !== undefined)) return undefined;
  const constant = field(schema, "const");
  if (constant !== undefined) return constant;
  const options = field(schema, "enum");
  if (Array.isArray(options)) return mentioned(options, said);
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
      return numberIn(schema, said);
    case "boolean":
      return said.sentences.some((sentence) => /\b(?:yes|true)\b/i.test(sentence));
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
  const missing =
    Array.isArray(required) && required.some((name) => !filled.some(([given]) => given === name));
  return missing ? undefined : Object.fromEntries(filled);
}

/** The option that the prompt names, else the first. */
const mentioned = (options: readonly unknown[], { sentences }: Said): unknown =>
  options.find(
    (option) =>
      typeof option === "string" &&
      sentences.some((sentence) => sentence.toLowerCase().includes(option.toLowerCase())),
  ) ?? options[0];

function fitted(schema: unknown, text: string): string | undefined {
  const most = field(schema, "maxLength");
  const least = field(schema, "minLength");
  const cut = typeof most === "number" ? Array.from(text).slice(0, most).join("") : text;
  return typeof least === "number" && Array.from(cut).length < least ? undefined : cut;
}

/** The first number that is named and allowed, else 0 where that is. */
function numberIn(schema: unknown, { sentences }: Said): number | undefined {
  const whole = typeOf(schema) === "integer";
  const named = sentences.flatMap((text) => text.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  const least = Number(field(schema, "minimum") ?? -Infinity);
  const most = Number(field(schema, "maximum") ?? Infinity);
  const narrower = ["exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
  if (narrower.some((name) => field(schema, name) !== undefined)) return undefined;
  return [...named, 0].find((n) => n >= least && n <= most && (!whole || Number.isInteger(n)));
}
