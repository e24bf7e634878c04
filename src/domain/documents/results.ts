// What tasks found in a document, as it is stored and given out. Positions are UTF-16 units of the stored
// text: `text.slice(start, end)`.

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A statement, and the place in the text that shows it. */
export interface KeyPoint {
  readonly text: string;
  readonly quote: Span & { readonly text: string };
}

export const RULE_ENTITY_KINDS = ["email", "phone", "date", "money"] as const;
export const MODEL_ENTITY_KINDS = ["person", "organization", "place"] as const;
export const ENTITY_KINDS = [...RULE_ENTITY_KINDS, ...MODEL_ENTITY_KINDS] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

export interface Entity {
  readonly kind: EntityKind;
  /** As it stands in the text. */
  readonly text: string;
  /** A date as YYYY-MM-DD, an amount as "1234.50 EUR", an address in lower case; null: no such form. */
  readonly value: string | null;
  /** Where it stands, the first places. */
  readonly spans: readonly Span[];
}

/** From the worst to the best. */
export const SENTIMENTS = [
  "very_negative",
  "negative",
  "neutral",
  "positive",
  "very_positive",
] as const;

export interface Sentiment {
  readonly label: (typeof SENTIMENTS)[number];
  /** How positive the text is, 0 to 1: the mean over its windows. */
  readonly score: number;
}

export interface Category {
  readonly label: string;
  readonly quote: KeyPoint["quote"];
}

export interface ActionItem {
  readonly what: string;
  /** As the text names them; null: it does not. */
  readonly who: string | null;
  readonly by_when: string | null;
  readonly quote: KeyPoint["quote"];
}

/** Of the tasks that were asked for; null: the task found nothing that can be used. */
export interface DocumentResults {
  readonly summary?: string | null;
  readonly key_points?: readonly KeyPoint[] | null;
  readonly entities?: readonly Entity[] | null;
  readonly sentiment?: Sentiment | null;
  readonly category?: Category | null;
  readonly action_items?: readonly ActionItem[] | null;
}

/** The results with newer ones. A task that found nothing this time leaves what it found before. */
export const withResults = (before: DocumentResults, added: DocumentResults): DocumentResults => ({
  ...added,
  ...before,
  ...Object.fromEntries(Object.entries(added).filter(([, result]) => result !== null)),
});
