import { CATEGORIES, type Category } from "./category.ts";
import { type MeasuredContent, type Plan, planModeration } from "./plan-moderation.ts";
import { STAGE_OF, STAND_IN_OF } from "./category-stage.ts";
import { effectOfUnchecked, kindOf, onlyWhatMatters, type Policy } from "./policy.ts";
import type { FindModel } from "./stage.ts";
import { SENTIMENT_WINDOWS } from "./text-window.ts";
import {
  isUnchecked,
  type StageResult,
  type UncheckedStatus,
  type Verdict,
  worst,
} from "./verdict.ts";

// Guards: what goes into a language model and what comes out of it, moderated by the tenant's
// policy. Their checks are stages of the generation's own hold and items of its line.
//
// An answer is judged in windows, each a content item of its own: a stream's text is held back until
// the window that it stands in was judged. How many windows there can be is known beforehand.

/** From the laxest to the strictest: `score` reports, `block` also withholds. */
export const GUARD_MODES = ["off", "score", "block"] as const;
export type GuardMode = (typeof GUARD_MODES)[number];

export interface GuardModes {
  readonly input: GuardMode;
  readonly output: GuardMode;
}

export const UNGUARDED: GuardModes = { input: "off", output: "off" };

const stricter = (a: GuardMode, b: GuardMode): GuardMode =>
  GUARD_MODES.indexOf(a) > GUARD_MODES.indexOf(b) ? a : b;

/** What the policy wants and what the call asked for: the stricter of the two holds. */
export const guardModes = ({ guard = UNGUARDED }: Policy, asked: GuardModes): GuardModes => ({
  input: stricter(guard.input, asked.input),
  output: stricter(guard.output, asked.output),
});

export const isGuarded = ({ input, output }: GuardModes): boolean =>
  input !== "off" || output !== "off";

/**
 * Tokens at most of what a judge reads of one window. Smaller ones would let a stream flow more
 * evenly, but each pays the judge's own prompt of about 700 tokens again.
 */
export const OUTPUT_WINDOW_TOKENS = 2_048;

/** Shared by two neighbours, so that a phrase on the seam is whole in one of them. */
export const OUTPUT_OVERLAP_TOKENS = 128;

/** At the default of 1,024 output tokens there are four; a hold must stay in proportion. */
const MAX_OUTPUT_WINDOWS = 16;

/**
 * Bytes of a token, for the number of windows: English has about 4.5, most scripts fewer. An answer
 * of longer ones may outrun its windows; what was not judged is then told, or withheld.
 */
const BYTES_PER_TOKEN = 6;

/** How many windows of one answer are held for. */
export const outputWindows = (maxTokens: number): number =>
  Math.min(
    MAX_OUTPUT_WINDOWS,
    Math.ceil((maxTokens * BYTES_PER_TOKEN) / (OUTPUT_WINDOW_TOKENS - OUTPUT_OVERLAP_TOKENS)),
  );

/** The content item of a window; 0 is the prompt. */
export const windowContent = (
  at: { readonly choice: number; readonly window: number },
  maxTokens: number,
): number => 1 + at.choice * outputWindows(maxTokens) + at.window;

const ONE_WINDOW: MeasuredContent = {
  text: {
    sentiment: Array.from(
      {
        length: Math.ceil(
          OUTPUT_WINDOW_TOKENS / (SENTIMENT_WINDOWS.tokens - SENTIMENT_WINDOWS.overlap),
        ),
      },
      () => SENTIMENT_WINDOWS.tokens,
    ),
    judge: [OUTPUT_WINDOW_TOKENS],
  },
  pictures: 0,
};

const NOTHING: MeasuredContent = { text: null, pictures: 0 };

export interface GuardedCall {
  readonly modes: GuardModes;
  readonly prompt: MeasuredContent;
  readonly choices: number;
  readonly maxTokens: number;
}

/** The checks of a guarded call, priced at their bounds. */
export function planGuard(policy: Policy, call: GuardedCall, find: FindModel): Plan {
  const { modes, prompt, choices, maxTokens } = call;
  const windows = modes.output === "off" ? 0 : choices * outputWindows(maxTokens);
  const contents = [
    modes.input === "off" ? NOTHING : prompt,
    ...Array.from({ length: windows }, () => ONE_WINDOW),
  ];
  return planModeration(guardPolicy(policy), contents, find);
}

/** Only the checks that can do something: a guard shows no score that nothing depends on. */
export const guardPolicy = onlyWhatMatters;

/** How a check ended that was not made. */
export type Unchecked = UncheckedStatus;

/** The worst of the checks that the policy requires and that were not made; null: all were. */
export function uncheckedStage(policy: Policy, coverage: Verdict["coverage"]): Unchecked | null {
  const unchecked = CATEGORIES.filter((category) => policy.categories[category].required)
    .map((category) => coverage[category])
    .filter(isUnchecked);
  const status = worst(unchecked);
  return isUnchecked(status) ? status : null;
}

type Looked = Pick<Verdict, "decision" | "coverage" | "stages">;

/**
 * Whether a text is withheld: it was blocked, or a check that the policy requires was not made. What was
 * not checked is not passed, but for a gap in language: a first message that no judge here can read is
 * withheld only where the policy blocks what is not evaluated.
 */
export const isWithheld = (mode: GuardMode, policy: Policy, found: Looked): boolean =>
  mode === "block" && (found.decision === "block" || leavesUnchecked(policy, found));

function leavesUnchecked(policy: Policy, { coverage, stages }: Looked): boolean {
  const status = uncheckedStage(policy, coverage);
  if (status === null) return false;
  if (status !== "not_evaluated") return true;
  if (mayGoUnevaluated(policy)) return false;
  const gaps = CATEGORIES.filter(
    (category) => policy.categories[category].required && coverage[category] === "not_evaluated",
  );
  return !gaps.every((category) => isLanguageGap(category, stages));
}

function isLanguageGap(category: Category, stages: readonly StageResult[]): boolean {
  const unchecked = stages.filter(
    ({ status, input, name }) =>
      status === "not_evaluated" &&
      (STAGE_OF[kindOf(input)][category] === name || STAND_IN_OF[kindOf(input)][category] === name),
  );
  return unchecked.length > 0 && unchecked.every(isForLanguage);
}

const isForLanguage = ({ failure }: StageResult): boolean =>
  failure?.kind === "language" || failure?.kind === "unknown_words";

/** Whether what nothing here can judge is let through. */
export const mayGoUnevaluated = (policy: Policy): boolean =>
  effectOfUnchecked(policy, "not_evaluated") === "none";
