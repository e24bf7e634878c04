import type { Answers, ItemAnswer, Quoted } from "./read-answer.ts";
import type { ActionItem, Category, Entity, EntityKind, KeyPoint } from "./results.ts";
import { MOST_ENTITIES, MOST_SPANS } from "./rule-entities.ts";
import { isInText } from "./check-statement.ts";
import { TextIndex } from "./text-index.ts";

// Answers, without all that the text does not have. What is left out is counted.

export interface Checked<Value> {
  readonly value: Value;
  /** Parts of the answer that were left out. */
  readonly dropped: number;
}

/** The text as models read it, and where to find things in it. */
export interface CheckedText {
  readonly text: string;
  readonly index: TextIndex;
}

/** Sentences, each with its numbers, quotations and names in the text. */
export function checkedSentences(
  sentences: readonly string[],
  { index }: CheckedText,
): Checked<readonly string[]> {
  const value = sentences.filter((sentence) => sentence !== "" && isInText(sentence, index));
  return { value, dropped: sentences.length - value.length };
}

export const checkedPoints = (
  points: readonly Quoted[],
  of: CheckedText,
): Checked<readonly KeyPoint[]> =>
  each(points, ({ text, quote }) => {
    const found = quoteIn(quote, of);
    return found === null || text === "" || !isInText(text, of.index)
      ? null
      : { text, quote: found };
  });

/**
 * A quotation that names the category shows nothing: an order that the text gives names it too.
 *
 * @param categories those that were asked for: another one is no answer
 */
export function checkedCategory(
  { category, quote }: Answers["category"],
  categories: readonly string[],
  of: CheckedText,
): Checked<Category | null> {
  const found = quoteIn(quote, of);
  const isShown =
    found !== null && categories.includes(category) && !new TextIndex(found.text).hasName(category);
  const value = isShown ? { label: category, quote: found } : null;
  return { value, dropped: value === null ? 1 : 0 };
}

export function checkedItems(
  items: readonly ItemAnswer[],
  of: CheckedText,
): Checked<readonly ActionItem[]> {
  let fields = 0;
  const inText = (name: string | null): string | null => {
    if (name === null || name.trim() === "") return null;
    if (of.index.hasName(name)) return name.trim();
    fields += 1;
    return null;
  };
  const checked = each(items, ({ what, who, by_when: byWhen, quote }) => {
    const found = quoteIn(quote, of);
    if (found === null || what === "" || !isInText(what, of.index)) return null;
    return { what, who: inText(who), by_when: inText(byWhen), quote: found };
  });
  return { value: checked.value, dropped: checked.dropped + fields };
}

const NAME_KINDS = [
  ["persons", "person"],
  ["organizations", "organization"],
  ["places", "place"],
] as const satisfies readonly (readonly [keyof Answers["entities"], EntityKind])[];

export function checkedNames(
  answer: Answers["entities"],
  of: CheckedText,
): Checked<readonly Entity[]> {
  const all = NAME_KINDS.flatMap(([list, kind]) => answer[list].map((name) => ({ kind, name })));
  return each(all, ({ kind, name }) => {
    const spans = of.index.findName(name, MOST_SPANS);
    const [first] = spans;
    if (first === undefined) return null;
    return { kind, text: of.text.slice(first.start, first.end), value: null, spans };
  });
}

function each<Given, Value>(
  given: readonly Given[],
  check: (one: Given) => Value | null,
): Checked<readonly Value[]> {
  const value = given.map(check).filter((one) => one !== null);
  return { value, dropped: given.length - value.length };
}

function quoteIn(quote: string, { text, index }: CheckedText): KeyPoint["quote"] | null {
  const span = index.findQuote(quote);
  return span === null ? null : { text: text.slice(span.start, span.end), ...span };
}

// What was found in several windows, once each.

/** By the place of its quotation: windows overlap. */
export const distinctByQuote = <One extends { readonly quote: KeyPoint["quote"] }>(
  all: readonly One[],
): readonly One[] =>
  [
    ...new Map(all.toReversed().map((one) => [one.quote.start, one] as const)).values(),
  ].toReversed();

/** Rules first: a name that a rule has found is not a name. */
export function joinedEntities(
  rules: readonly Entity[],
  names: readonly Entity[],
): readonly Entity[] {
  const byName = new Map<string, Entity>();
  for (const entity of [...rules, ...names]) {
    const key = `${entity.kind}\n${entity.text.toLowerCase()}`;
    if (!byName.has(key)) byName.set(key, entity);
  }
  return [...byName.values()].slice(0, MOST_ENTITIES);
}
