import { field } from "../engine-call.ts";
import { type Document, documentOf, mergedWith, resolved } from "./schema-parts.ts";
import { hasRef, Repeats } from "./schema-repeats.ts";
import {
  numberIn,
  type PromptText,
  quotingSpeech,
  type SchemaSpeech,
  speechOf,
  textIn,
} from "./schema-values.ts";

// An answer in the shape of a JSON schema, filled from the text of the prompt. A keyword that cannot be
// filled honestly (patterns, conditions) is reported with its place.

const MAX_DEPTH = 16;
/** A schema may ask for far more than anybody reads. */
const MAX_FIELDS = 256;
/** The most options of one `enum`, alternatives, and fixed items of one list that are read. */
const MAX_OPTIONS = 1000;

const TOO_MANY = "so many fields";

export interface Unfillable {
  readonly kind: "unfillable";
  readonly keyword: string;
  /** A pointer into the schema: `#/properties/sku`. A name that may be content is `*`. */
  readonly place: string;
}

export type Filled = { readonly kind: "filled"; readonly value: unknown } | Unfillable;

const filled = (value: unknown): Filled => ({ kind: "filled", value });

interface State {
  readonly document: Document;
  fields: number;
  /** The field that is filled quotes the one before it. */
  isQuote: boolean;
  readonly speech: SchemaSpeech;
  /** Whether a text of a format that the prompt does not have may be an example. */
  invents: boolean;
  readonly repeats: Repeats;
  /** The parts of the schema that were read: a part with many references is read once. */
  readonly wholes: Map<unknown, Whole>;
}

/** A part merged with its references, and its properties; or the keyword that cannot be resolved. */
type Whole =
  | { readonly schema: unknown; readonly properties: readonly (readonly [string, unknown])[] }
  | { readonly keyword: "$ref" | "allOf" | typeof TOO_MANY };

/** Where in the schema, and how deep in the answer. */
interface At {
  readonly place: string;
  readonly depth: number;
}

/** @param prompt its sentences fill the texts; the same schema and prompt give the same answer */
export const answerInSchema = (schema: unknown, prompt: PromptText): Filled =>
  fill(
    schema,
    {
      document: documentOf(schema),
      fields: 0,
      isQuote: false,
      speech: speechOf(prompt),
      invents: true,
      repeats: new Repeats(),
      wholes: new Map(),
    },
    { place: "#", depth: 0 },
  );

function wholeOf(part: unknown, { document, wholes }: State): Whole {
  const known = wholes.get(part);
  if (known !== undefined) return known;
  const whole = readWhole(part, document);
  wholes.set(part, whole);
  return whole;
}

function readWhole(part: unknown, document: Document): Whole {
  const found = resolved(part, document);
  const schema = found === undefined ? null : mergedWith(found, document);
  if (schema === null) {
    return { keyword: document.left < 0 ? TOO_MANY : found === undefined ? "$ref" : "allOf" };
  }
  return { schema, properties: Object.entries(field(schema, "properties") ?? {}) };
}

/** Conditions that forbid something, or depend on other values. */
const UNFILLABLE = ["not", "if", "pattern", "patternProperties", "dependentRequired", "contains"];

const unfillable = (keyword: string, { place }: At): Unfillable => ({
  kind: "unfillable",
  keyword,
  place,
});

function fill(part: unknown, state: State, at: At): Filled {
  const leave = state.repeats.enter(part);
  const one = fillPart(part, state, at);
  leave();
  return one;
}

/** Filled only with what the prompt says. */
function fillAsSaid(part: unknown, state: State, at: At): Filled {
  const { invents } = state;
  state.invents = false;
  const one = fill(part, state, at);
  state.invents = invents;
  return one;
}

function fillPart(part: unknown, state: State, at: At): Filled {
  state.fields += 1;
  if (at.depth > MAX_DEPTH) return unfillable("so many levels", at);
  if (state.fields > MAX_FIELDS) return unfillable(TOO_MANY, at);
  const whole = wholeOf(part, state);
  if ("keyword" in whole) return unfillable(whole.keyword, at);
  const { schema } = whole;
  const constant = field(schema, "const");
  if (constant !== undefined) return filled(constant);
  const options = field(schema, "enum");
  if (Array.isArray(options)) return filled(mentioned(options, state));
  const refused = UNFILLABLE.find((name) => field(schema, name) !== undefined);
  if (refused !== undefined) return unfillable(refused, at);
  for (const keyword of ["anyOf", "oneOf"] as const) {
    const alternatives = field(schema, keyword);
    if (Array.isArray(alternatives)) return fillOne(alternatives, keyword, state, at);
  }
  return fillType(whole, state, at);
}

const isNull = (schema: unknown): boolean =>
  field(schema, "type") === "null" ||
  (Array.isArray(field(schema, "enum")) && field(schema, "const") === null);

/** The first alternative that can be filled from the prompt, else with examples; null is tried last. */
function fillOne(
  alternatives: readonly unknown[],
  keyword: "anyOf" | "oneOf",
  state: State,
  at: At,
): Filled {
  const { repeats } = state;
  // What is filled within itself comes to an end: null before more of it.
  const rank = (schema: unknown): number => {
    if (repeats.comesAgain(schema)) return 2;
    return isNull(schema) ? (repeats.isWithin ? -1 : 1) : 0;
  };
  const offered = alternatives
    .slice(0, MAX_OPTIONS)
    .map((schema, index) => ({ schema, index, rank: rank(schema) }))
    .toSorted((a, b) => a.rank - b.rank);
  let why: Filled | null = null;
  for (const inOrder of state.invents ? [fillAsSaid, fill] : [fill]) {
    for (const { schema, index } of offered) {
      const place = `${at.place}/${keyword}/${index}`;
      const one = inOrder(schema, state, { place, depth: at.depth + 1 });
      if (one.kind === "filled") return one;
      why ??= one;
    }
  }
  return why ?? unfillable(keyword, at);
}

function fillType(
  { schema, properties }: Extract<Whole, { schema: unknown }>,
  state: State,
  at: At,
): Filled {
  switch (typeOf(schema)) {
    case "object":
      return fillObject(schema, properties, state, at);
    case "array":
      return fillArray(schema, state, at);
    case "string": {
      const { speech, isQuote, invents } = state;
      const text = textIn(schema, isQuote ? quotingSpeech(speech) : speech, invents);
      return typeof text === "string" ? filled(text) : unfillable(text.keyword, at);
    }
    case "number":
    case "integer": {
      const number = numberIn(schema, typeOf(schema) === "integer", state.speech);
      return typeof number === "number" ? filled(number) : unfillable(number.keyword, at);
    }
    case "boolean":
      return filled(state.speech.isYes);
    case "null":
      return filled(null);
    case undefined:
      // Without a type any value will do: a text.
      return filled(textIn({}, state.speech, false));
    default:
      return unfillable("type", at);
  }
}

/** Of several types the first that is not null. */
function typeOf(schema: unknown): unknown {
  const type = field(schema, "type");
  if (Array.isArray(type)) return type.find((name) => name !== "null") ?? type[0];
  if (type !== undefined) return type;
  if (field(schema, "properties") !== undefined) return "object";
  return field(schema, "items") === undefined && field(schema, "prefixItems") === undefined
    ? undefined
    : "array";
}

/** A field of this name has the same sentence as the field before it: what a stand-in says, it quotes. */
const QUOTE = "quote";

const PLAIN_NAME = /^[\w.-]{1,64}$/;
const named = (name: string): string => (PLAIN_NAME.test(name) ? name : "*");

function fillObject(
  schema: unknown,
  properties: readonly (readonly [string, unknown])[],
  state: State,
  at: At,
): Filled {
  const required = field(schema, "required");
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  const values: [string, unknown][] = [];
  for (const [name, inner] of properties) {
    if (state.fields > MAX_FIELDS) return unfillable(TOO_MANY, at);
    if (!needed.has(name) && state.repeats.comesAgain(inner)) continue;
    const place = `${at.place}/properties/${named(name)}`;
    state.isQuote = name === QUOTE;
    const fillIt = needed.has(name) ? fill : fillAsSaid;
    const one = fillIt(inner, state, { place, depth: at.depth + 1 });
    state.isQuote = false;
    if (one.kind === "filled") values.push([name, one.value]);
    else if (needed.has(name)) return one;
    needed.delete(name);
  }
  if (needed.size > 0) return unfillable("required", at);
  const least = Number(field(schema, "minProperties") ?? 0);
  return values.length < least
    ? unfillable("minProperties", at)
    : filled(Object.fromEntries(values));
}

function fillArray(schema: unknown, state: State, at: At): Filled {
  const first = field(schema, "prefixItems");
  const fixed: readonly unknown[] = Array.isArray(first) ? first.slice(0, MAX_OPTIONS) : [];
  const least = Number(field(schema, "minItems") ?? 0);
  const most = Number(field(schema, "maxItems") ?? Infinity);
  const rest = field(schema, "items") ?? { type: "string" };
  const unique = field(schema, "uniqueItems") === true;
  const needed = Math.max(least, fixed.length);
  const isEnd = state.repeats.isWithin && hasRef(rest);
  const wanted = Math.min(most, Math.max(needed, fixed.length > 0 || isEnd ? 0 : 1));
  const options = unique && wanted > fixed.length ? optionsOf(rest, state) : [];
  const values: unknown[] = [];
  for (let index = 0; index < wanted; index += 1) {
    const isFixed = index < fixed.length;
    const place = isFixed ? `${at.place}/prefixItems/${index}` : `${at.place}/items`;
    const item = isFixed ? fixed[index] : optionAt(options, index - fixed.length, rest);
    const fillIt = index < needed ? fill : fillAsSaid;
    const one = fillIt(item, state, { place, depth: at.depth + 1 });
    if (one.kind === "filled") values.push(one.value);
    // A list may be shorter, so that a schema that contains itself comes to an end.
    else if (values.length >= needed) break;
    else return one;
  }
  const kept = unique ? distinct(values) : values;
  return kept.length < least ? unfillable("uniqueItems", at) : filled(kept);
}

/** The options of an `enum` in the order in which a list takes each of them once; none: it has none. */
function optionsOf(part: unknown, state: State): readonly unknown[] {
  const whole = wholeOf(part, state);
  const options = "schema" in whole ? field(whole.schema, "enum") : undefined;
  if (!Array.isArray(options)) return [];
  const offered = distinct(options.slice(0, MAX_OPTIONS));
  const said = new Set(offered.filter((option) => state.speech.mentions(option)));
  return [...said, ...offered.filter((option) => !said.has(option))];
}

const optionAt = (options: readonly unknown[], index: number, otherwise: unknown): unknown =>
  index < options.length ? { const: options[index] } : otherwise;

const distinct = (values: readonly unknown[]): unknown[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

/** The option that the prompt names, else the first. */
const mentioned = (options: readonly unknown[], { speech }: State): unknown =>
  options.slice(0, MAX_OPTIONS).find((option) => speech.mentions(option)) ?? options[0];
