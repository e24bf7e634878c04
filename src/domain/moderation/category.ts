// The categories of scores. Verdict rows store coverage and scores by position in this order: append only.

/** OpenAI's moderation categories, in the order of their API. */
export const OPENAI_CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/instructions",
  "self-harm/intent",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
] as const;

/** Groups of ImageNet labels. They can only flag: ImageNet has no class for nudity. */
export const LABEL_GROUPS = ["weapons", "alcohol", "swimwear"] as const;

export const CATEGORIES = [
  "negativity",
  "spam",
  "toxicity",
  ...OPENAI_CATEGORIES,
  ...LABEL_GROUPS,
  "nsfw",
] as const;

export type LabelGroup = (typeof LABEL_GROUPS)[number];
export type Category = (typeof CATEGORIES)[number];

/** The categories that a judge of text scores, each from 0 to 1. */
export const JUDGED_CATEGORIES = ["toxicity", ...OPENAI_CATEGORIES] as const;

/** Each from 0 to 1; a category that was not evaluated is absent. */
export type Scores = Partial<Record<Category, number>>;

/** A record with one entry for each of `categories` (or other names), in their order. */
export const forEach = <C extends string, T>(
  categories: readonly C[],
  make: (category: C) => T,
): Record<C, T> =>
  Object.fromEntries(categories.map((category) => [category, make(category)])) as Record<C, T>;
