import type { Action, Decision, Reason } from "./verdict.ts";

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
export type JudgedCategory = (typeof JUDGED_CATEGORIES)[number];

/** Each from 0 to 1; a category that was not evaluated is absent. */
export type Scores = Partial<Record<Category, number>>;

/** A record with one entry for each of `categories` (or other names), in their order. */
export const forEach = <C extends string, T>(
  categories: readonly C[],
  make: (category: C) => T,
): Record<C, T> =>
  Object.fromEntries(categories.map((category) => [category, make(category)])) as Record<C, T>;

// The advice to a caller about a person, beside the decision on the content.

/** The writer of such content may be in danger: they are offered help and not punished. */
const DISTRESS: readonly Category[] = ["self-harm", "self-harm/intent", "self-harm/instructions"];

/** These categories never block by themselves: a cry for help must not vanish. Instructions may block. */
export const NEVER_BLOCKED: readonly Category[] = ["self-harm", "self-harm/intent"];

/** A block for one of these brings a warning or a ban, even to a person in distress. */
const AGAINST_OTHERS: readonly Category[] = [
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "sexual/minors",
];

/** A person should review these first: somebody may be in danger. */
const URGENT: readonly Category[] = [
  ...DISTRESS,
  "harassment/threatening",
  "hate/threatening",
  "sexual/minors",
];

type Because = Pick<Reason, "kind" | "category">;

const isFor = (categories: readonly Category[], { kind, category }: Because): boolean =>
  kind === "score" && category !== null && categories.includes(category);

export const isDistress = (reasons: readonly Because[]): boolean =>
  reasons.some((reason) => isFor(DISTRESS, reason));

export const isUrgent = (reasons: readonly Because[]): boolean =>
  reasons.some((reason) => isFor(URGENT, reason));

/** The same advice with a warning in place of the ban: a policy may want more than one score for a ban. */
export const withoutBan = (actions: readonly Action[]): readonly Action[] =>
  actions.map((action) => (action === "ban_user" ? "warn_user" : action));

/** The inverse of `withoutBan`. */
export const withBan = (actions: readonly Action[]): readonly Action[] =>
  actions.map((action) => (action === "warn_user" ? "ban_user" : action));

/**
 * @param blocking the reasons that blocked
 * @param ban whether one of them advises a ban
 */
export function adviceOf(
  decision: Decision,
  {
    reasons,
    blocking,
    ban,
  }: {
    readonly reasons: readonly Because[];
    readonly blocking: readonly Because[];
    readonly ban: boolean;
  },
): Action[] {
  const help: Action[] = isDistress(reasons) ? ["offer_help"] : [];
  if (decision !== "block") return help;
  const isExempt = help.length > 0 && !blocking.some((reason) => isFor(AGAINST_OTHERS, reason));
  const sanction: Action[] = isExempt ? [] : [ban ? "ban_user" : "warn_user"];
  return ["hide_content", ...sanction, ...help];
}
