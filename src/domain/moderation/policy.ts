import type { CascadeRules } from "./cascade.ts";
import type { GuardModes } from "./guard.ts";
import { CATEGORIES, type Category, forEach, LABEL_GROUPS } from "./category.ts";
import { isPictureText } from "./picture-text.ts";
import type { Routing } from "../generation/routing.ts";
import type { Term } from "../terms/term.ts";

// What a tenant wants of moderation. Scores become decisions here and nowhere else.

export const INPUT_KINDS = ["text", "image"] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

/** Writing in a picture is text. */
export const kindOf = (input: string): InputKind =>
  input === "text" || isPictureText(input) ? "text" : "image";

/** One comparator everywhere: `score >= threshold`; null is never. */
export interface CategoryRule {
  /** Where the category is asked for; empty: nowhere. */
  readonly inputs: readonly InputKind[];
  /** Without this check there is no approval. */
  readonly required: boolean;
  readonly flag: number | null;
  readonly block: number | null;
  readonly ban: number | null;
}

/** What is made of a check that was not made. */
export const ON_UNAVAILABLE = ["flag", "block", "allow"] as const;

export interface Policy {
  readonly categories: Readonly<Record<Category, CategoryRule>>;
  readonly spam_phrases: readonly string[];
  readonly terms: { readonly block: readonly Term[]; readonly allow: readonly Term[] };
  /** Its terms and phrases are compared as before terms said how (`plain-term-match.ts`). */
  readonly matching?: "plain";
  /**
   * What a required check does to the decision that failed or took too long. It is never an approval:
   * `allow` flags too, and says only what `unevaluated` is where that is absent.
   */
  readonly on_unavailable: (typeof ON_UNAVAILABLE)[number];
  /**
   * The same of a required check for which there is no judge here: the text is in a language that it
   * does not know, the picture too large for it. Absent: as `on_unavailable`.
   */
  readonly unevaluated?: (typeof ON_UNAVAILABLE)[number];
  /**
   * ISO 639-1: of texts too short for theirs to be told. Absent: such a text is in none, and every
   * judge is asked.
   */
  readonly language?: string;
  /** To ban somebody is advised only once so much of theirs was blocked. Absent: at once. */
  readonly ban_after?: BanAfter;
  /** Where the text model inside the Worker decides without a judge. Absent: nowhere. */
  readonly tier0?: CascadeRules;
  /** The share of what is allowed that a person is to see, 0 to 1. Absent: none. */
  readonly sample_allowed?: number;
  /** Run the paid stages also for an item that the terms have blocked already. */
  readonly evaluate_all: boolean;
  /** Of generations: what goes in, what comes out. Absent in policies of before there was any. */
  readonly guard?: GuardModes;
  readonly models: {
    readonly judge: string | null;
    /** Asked when the judge was refused before it ran; the hold covers the dearer of the two. */
    readonly judge_fallback: string | null;
    readonly vision: string | null;
  };
  /** Seconds for which an equal content is answered with the scores of a verdict; absent: never. */
  readonly reuse_ttl_s?: number;
  /** Which model answers a call that names `auto`; the default policy's holds. */
  readonly routing: Routing;
}

/** The verdict that asks for the ban counts as one of the blocks. */
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

/** Whether any of `categories` is asked for in this kind of input. */
export const asks = (policy: Policy, kind: InputKind, categories: readonly Category[]): boolean =>
  categories.some((category) => policy.categories[category].inputs.includes(kind));

/** What a check that was not made does to a decision. */
export function effectOfUnchecked(
  { on_unavailable, unevaluated = on_unavailable }: Policy,
  status: "failed" | "timed_out" | "not_evaluated",
): "none" | "flag" | "block" {
  if (status !== "not_evaluated") return on_unavailable === "block" ? "block" : "flag";
  return unevaluated === "allow" ? "none" : unevaluated;
}

/** The lowest score at which a rule does anything; null: it never does. */
export const lowestThreshold = ({ flag, block, ban }: CategoryRule): number | null => {
  const set = [flag, block, ban].filter((threshold) => threshold !== null);
  return set.length === 0 ? null : Math.min(...set);
};

/** Whether anything can come of a category. */
export const matters = (rule: CategoryRule): boolean =>
  rule.required || lowestThreshold(rule) !== null;

/** The policy without the checks that can do nothing. */
export const onlyWhatMatters = (policy: Policy): Policy => ({
  ...policy,
  categories: forEach(CATEGORIES, (category) => {
    const rule = policy.categories[category];
    return matters(rule) ? rule : { ...rule, inputs: [] };
  }),
});

/** Whether a policy asks for a category of that input: of the writing in a picture, what matters. */
export function asksOf(policy: Policy, category: Category, input: string): boolean {
  const rule = policy.categories[category];
  return rule.inputs.includes(kindOf(input)) && (!isPictureText(input) || matters(rule));
}
