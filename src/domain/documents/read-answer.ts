import { hasDuplicateKey } from "../moderation/judge.ts";
import { MOST, type ModelTask } from "./prompts.ts";

// The strict reading of a model's answer: one JSON object of exactly the schema, with the nonce of the
// question. Anything else is no answer.

/** Characters of an answer: more than any of our limits on tokens gives. */
const MAX_ANSWER_LENGTH = 16_384;

export interface Quoted {
  readonly text: string;
  readonly quote: string;
}

export interface ItemAnswer {
  readonly what: string;
  readonly who: string | null;
  readonly by_when: string | null;
  readonly quote: string;
}

export interface Answers {
  readonly summary: { readonly sentences: readonly string[] };
  readonly key_points: { readonly points: readonly Quoted[] };
  readonly entities: {
    readonly persons: readonly string[];
    readonly organizations: readonly string[];
    readonly places: readonly string[];
  };
  readonly category: { readonly category: string; readonly quote: string };
  readonly action_items: { readonly items: readonly ItemAnswer[] };
}

type Fields = Readonly<Record<string, unknown>>;

const READ: { readonly [Task in ModelTask]: (fields: Fields) => Answers[Task] | null } = {
  summary: (fields) => {
    const sentences = texts(fields["sentences"], MOST.sentences, MOST.sentenceUnits);
    return hasOnly(fields, ["sentences"]) && sentences !== null ? { sentences } : null;
  },
  key_points: (fields) => {
    const points = list(fields["points"], MOST.points, quoted);
    return hasOnly(fields, ["points"]) && points !== null ? { points } : null;
  },
  entities: (fields) => {
    const [persons = null, organizations = null, places = null] = NAMES.map((name) =>
      texts(fields[name], MOST.names, MOST.nameUnits),
    );
    if (persons === null || organizations === null || places === null) return null;
    return hasOnly(fields, NAMES) ? { persons, organizations, places } : null;
  },
  category: (fields) => {
    const { category, quote } = fields;
    if (typeof category !== "string" || typeof quote !== "string") return null;
    return hasOnly(fields, ["category", "quote"])
      ? { category, quote: quote.slice(0, MOST.quoteUnits) }
      : null;
  },
  action_items: (fields) => {
    const items = list(fields["items"], MOST.items, item);
    return hasOnly(fields, ["items"]) && items !== null ? { items } : null;
  },
};

const NAMES = ["persons", "organizations", "places"] as const;

/** @returns null: it is no answer to the question with that nonce */
export function readAnswer<Task extends ModelTask>(
  task: Task,
  content: string | null,
  nonce: string,
): Answers[Task] | null {
  const fields = fieldsOf(content, nonce);
  return fields === null ? null : READ[task](fields);
}

/** The numbers that were chosen; null as above. */
export function readChosen(content: string | null, nonce: string): readonly number[] | null {
  const fields = fieldsOf(content, nonce);
  if (fields === null || !hasOnly(fields, ["chosen"])) return null;
  return list(fields["chosen"], MOST.points, (one) =>
    typeof one === "number" && Number.isSafeInteger(one) && one >= 0 ? one : null,
  );
}

/** Without the nonce. */
function fieldsOf(content: string | null, nonce: string): Fields | null {
  if (content === null || content.length > MAX_ANSWER_LENGTH) return null;
  const json = withoutFence(content);
  try {
    const value: unknown = JSON.parse(json);
    if (!isFields(value) || value["nonce"] !== nonce || hasDuplicateKey(json)) return null;
    const { nonce: _, ...fields } = value;
    return fields;
  } catch {
    return null;
  }
}

/** Models without a JSON mode like to write it as code. */
const withoutFence = (content: string): string =>
  /^\s{0,8}```(?:json)?\s([^]*?)\s```\s{0,8}$/.exec(content)?.[1] ?? content;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const hasOnly = (fields: Fields, names: readonly string[]): boolean =>
  Object.keys(fields).every((name) => names.includes(name));

/** More items than `most` are left out; one of another form makes it no list. */
function list<Item>(
  value: unknown,
  most: number,
  read: (item: unknown) => Item | null,
): readonly Item[] | null {
  if (!Array.isArray(value)) return null;
  const items: Item[] = [];
  for (const one of value.slice(0, most)) {
    const found = read(one);
    if (found === null) return null;
    items.push(found);
  }
  return items;
}

const texts = (value: unknown, most: number, units: number): readonly string[] | null =>
  list(value, most, (one) => (typeof one === "string" ? one.slice(0, units).trim() : null));

function quoted(value: unknown): Quoted | null {
  if (!isFields(value) || !hasOnly(value, ["text", "quote"])) return null;
  const { text, quote } = value;
  if (typeof text !== "string" || typeof quote !== "string") return null;
  return { text: text.slice(0, MOST.sentenceUnits).trim(), quote: quote.slice(0, MOST.quoteUnits) };
}

const ITEM = ["what", "who", "by_when", "quote"];

function item(value: unknown): ItemAnswer | null {
  if (!isFields(value) || !hasOnly(value, ITEM)) return null;
  const { what, who = null, by_when: byWhen = null, quote } = value;
  if (typeof what !== "string" || typeof quote !== "string") return null;
  if (!isTextOrNull(who) || !isTextOrNull(byWhen)) return null;
  return {
    what: what.slice(0, MOST.sentenceUnits).trim(),
    who: who?.slice(0, MOST.nameUnits) ?? null,
    by_when: byWhen?.slice(0, MOST.nameUnits) ?? null,
    quote: quote.slice(0, MOST.quoteUnits),
  };
}

const isTextOrNull = (value: unknown): value is string | null =>
  value === null || typeof value === "string";
