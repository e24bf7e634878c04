import type { CascadeRules } from "./cascade.ts";
import type { GuardModes } from "./guard.ts";
import { CATEGORIES, type Category, forEach, LABEL_GROUPS, NEVER_BLOCKED } from "./category.ts";
import type { Routing } from "../generation/routing.ts";
import type { Term } from "../terms/term.ts";
import { SENTIMENT_WINDOWS, type Windowing } from "./text-window.ts";

// A tenant's rules of moderation. Scores become decisions here and nowhere else.

export const INPUT_KINDS = ["text", "image"] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

/** Writing in a picture is text. */
export const kindOf = (input: string): InputKind =>
  input === "text" || isPictureText(input) ? "text" : "image";

/** The one comparison is `score >= threshold`; a threshold of null never applies. */
export interface CategoryRule {
  /** The kinds of input in which the category is checked; empty: none. */
  readonly inputs: readonly InputKind[];
  /** There is no approval without this check. */
  readonly required: boolean;
  readonly flag: number | null;
  readonly block: number | null;
  readonly ban: number | null;
}

/** The effect of a check that was not made. */
export const ON_UNAVAILABLE = ["flag", "block", "allow"] as const;

export interface Policy {
  readonly categories: Readonly<Record<Category, CategoryRule>>;
  readonly spam_phrases: readonly string[];
  readonly terms: { readonly block: readonly Term[]; readonly allow: readonly Term[] };
  /** Its terms and phrases are compared by the rules before terms had a `match` (`plain-term-match.ts`). */
  readonly matching?: "plain";
  /**
   * The effect of a required check that failed or took too long. It is never an approval: `allow` flags too,
   * and only sets the default of `unevaluated`.
   */
  readonly on_unavailable: (typeof ON_UNAVAILABLE)[number];
  /**
   * The effect of a required check that nothing here can make: the judge does not know the language of the
   * text, or the picture is too large. Absent: as `on_unavailable`.
   */
  readonly unevaluated?: (typeof ON_UNAVAILABLE)[number];
  /**
   * ISO 639-1: the language of texts that are too short to detect one. Absent: such a text has no language,
   * and every judge is asked.
   */
  readonly language?: string;
  /** A ban is advised only after so many blocked items of the user. Absent: at once. */
  readonly ban_after?: BanAfter;
  /** Where the text model inside the Worker decides without a judge. Absent: nowhere. */
  readonly tier0?: CascadeRules;
  /**
   * The share of texts under `tier0` that the judge reads although the text model decided, 0 to 1. Absent:
   * `SAMPLE_DECIDED`.
   */
  readonly sample_decided?: number;
  /** The share of allowed items that a person reviews, 0 to 1. Absent: none. */
  readonly sample_allowed?: number;
  /** Run the paid stages also for an item that a term has already blocked. */
  readonly evaluate_all: boolean;
  /** For generations: the prompt and the answer. Absent in policies from before guards existed. */
  readonly guard?: GuardModes;
  readonly models: {
    readonly judge: string | null;
    /** Asked when the judge was refused before it ran; the hold covers the more expensive of the two. */
    readonly judge_fallback: string | null;
    readonly vision: string | null;
  };
  /** Seconds for which an equal content gets the scores of an earlier verdict; absent: never. */
  readonly reuse_ttl_s?: number;
  /** Which model answers a call for `auto`; the default policy's routing applies. */
  readonly routing: Routing;
}

/** The verdict that advises the ban counts as one of the blocks. */
export interface BanAfter {
  readonly blocks: number;
  readonly days: number;
}

export interface PolicyVersion {
  readonly name: string;
  readonly version: number;
  readonly policy: Policy;
}

export const DEFAULT_POLICY_NAME = "default";

/** Sentiment is a weak sign of harm, and ImageNet labels name objects: neither may block. */
export const FLAG_ONLY: readonly Category[] = ["negativity", ...LABEL_GROUPS];

/** Whether one of `categories` is checked in this kind of input. */
export const asks = (policy: Policy, kind: InputKind, categories: readonly Category[]): boolean =>
  categories.some((category) => policy.categories[category].inputs.includes(kind));

/** The effect of a check that was not made on the decision. */
export function effectOfUnchecked(
  { on_unavailable, unevaluated = on_unavailable }: Policy,
  status: "failed" | "timed_out" | "not_evaluated",
): "none" | "flag" | "block" {
  if (status !== "not_evaluated") return on_unavailable === "block" ? "block" : "flag";
  return unevaluated === "allow" ? "none" : unevaluated;
}

/** The lowest score with an effect; null: no score has one. */
export const lowestThreshold = ({ flag, block, ban }: CategoryRule): number | null => {
  const set = [flag, block, ban].filter((threshold) => threshold !== null);
  return set.length === 0 ? null : Math.min(...set);
};

/** The effective rule of a category: some categories never block, even if a policy sets a block threshold. */
export function ruleFor({ categories }: Policy, category: Category): CategoryRule {
  const rule = categories[category];
  if (!NEVER_BLOCKED.includes(category)) return rule;
  return { ...rule, flag: lowestThreshold(rule), block: null, ban: null };
}

/** Whether a category can have an effect. */
export const matters = (rule: CategoryRule): boolean =>
  rule.required || lowestThreshold(rule) !== null;

/** The policy without checks that can have no effect. */
export const onlyWhatMatters = (policy: Policy): Policy => ({
  ...policy,
  categories: forEach(CATEGORIES, (category) => {
    const rule = policy.categories[category];
    return matters(rule) ? rule : { ...rule, inputs: [] };
  }),
});

/**
 * Whether a policy checks a category in that input; in the writing of a picture, only if it can have an
 * effect.
 */
export function asksOf(policy: Policy, category: Category, input: string): boolean {
  const rule = policy.categories[category];
  return rule.inputs.includes(kindOf(input)) && (!isPictureText(input) || matters(rule));
}

// The writing in a picture is an input of its own. The checks for texts apply to it, under the name of its
// picture.

export type PictureName = `images/${number}`;
export type PictureTextName = `images/${number}/text`;

const TEXT = "/text";

export const pictureTextOf = (picture: PictureName): PictureTextName => `${picture}${TEXT}`;

export const isPicture = (input: string): input is PictureName => /^images\/\d+$/.test(input);

export const isPictureText = (input: string): input is PictureTextName => input.endsWith(TEXT);

/**
 * The most tokens of one picture's writing that the hold covers for a judge: 400 characters of any script, or
 * about 1,200 letters of English. The rest is not read.
 */
export const PICTURE_TEXT_WINDOWS: Windowing = { tokens: 1_280, overlap: 0, windows: 1 };

/** The same for the classifier. */
export const PICTURE_SENTIMENT_WINDOWS: Windowing = { ...SENTIMENT_WINDOWS, windows: 3 };
