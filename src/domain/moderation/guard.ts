import { CATEGORIES, type Category } from "./category.ts";
import { type MeasuredContent, type Plan, planModeration } from "./plan-moderation.ts";
import { STAGE_OF, STAND_IN_OF } from "./evidence.ts";
import { effectOfUnchecked, kindOf, onlyWhatMatters, type Policy } from "./policy.ts";
import type { FindModel } from "./stage.ts";
import { SENTIMENT_WINDOWS, splitText } from "./text-window.ts";
import {
  isUnchecked,
  type StageResult,
  type UncheckedStatus,
  type Verdict,
  worst,
} from "./verdict.ts";
import { cleanForJudge, judgedJson } from "./judge.ts";
import { tokensAtMost } from "../generation/token-bound.ts";

// Guards moderate the prompt and the answer of a language model by the tenant's policy. Their checks are
// stages of the generation's own hold and items of its line.
//
// An answer is judged in windows, each a content item of its own. The text of a stream is held back until its
// window was judged. The number of windows is known beforehand.

/** From the least to the most strict: `score` reports, `block` also withholds. */
export const GUARD_MODES = ["off", "score", "block"] as const;
export type GuardMode = (typeof GUARD_MODES)[number];

export interface GuardModes {
  readonly input: GuardMode;
  readonly output: GuardMode;
}

export const UNGUARDED: GuardModes = { input: "off", output: "off" };

const stricter = (a: GuardMode, b: GuardMode): GuardMode =>
  GUARD_MODES.indexOf(a) > GUARD_MODES.indexOf(b) ? a : b;

/** The stricter of the policy's mode and the requested one applies. */
export const guardModes = ({ guard = UNGUARDED }: Policy, requested: GuardModes): GuardModes => ({
  input: stricter(guard.input, requested.input),
  output: stricter(guard.output, requested.output),
});

export const isGuarded = ({ input, output }: GuardModes): boolean =>
  input !== "off" || output !== "off";

/**
 * The most tokens of one window that a judge reads. With smaller windows a stream would flow more evenly, but
 * each window pays again for the judge's own prompt of about 700 tokens.
 */
export const OUTPUT_WINDOW_TOKENS = 2_048;

/** Tokens that two neighbours share, so that a phrase on the seam is whole in one of them. */
export const OUTPUT_OVERLAP_TOKENS = 128;

/** The default of 1,024 output tokens needs four. The limit keeps a hold in proportion. */
const MAX_OUTPUT_WINDOWS = 16;

/**
 * Bytes of a token, for the number of windows: English has about 4.5, most scripts fewer. An answer with
 * longer tokens may need more windows than planned; the rest is then reported as not judged, or withheld.
 */
const BYTES_PER_TOKEN = 6;

/** The number of windows of one answer that the hold covers. */
export const outputWindows = (maxTokens: number): number =>
  Math.min(
    MAX_OUTPUT_WINDOWS,
    Math.ceil((maxTokens * BYTES_PER_TOKEN) / (OUTPUT_WINDOW_TOKENS - OUTPUT_OVERLAP_TOKENS)),
  );

/** Windows of all answers of a call. Each is planned, and the plan is stored in one row of at most 2 MB. */
export const MOST_WINDOWS = 1024;

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

/** Only the checks that can have an effect: a guard shows no scores. */
export const guardPolicy = onlyWhatMatters;

/** The status of a check that was not made. */
export type Unchecked = UncheckedStatus;

/** The worst status of the required checks that were not made; null: all were made. */
export function uncheckedStage(policy: Policy, coverage: Verdict["coverage"]): Unchecked | null {
  const unchecked = CATEGORIES.filter((category) => policy.categories[category].required)
    .map((category) => coverage[category])
    .filter(isUnchecked);
  const status = worst(unchecked);
  return isUnchecked(status) ? status : null;
}

type CheckedText = Pick<Verdict, "decision" | "coverage" | "stages">;

/**
 * Whether a text is withheld: it was blocked, or a required check was not made. The exception is a gap in
 * language: a text that no judge here can read is withheld only if the policy blocks what is not evaluated.
 */
export const isWithheld = (mode: GuardMode, policy: Policy, checked: CheckedText): boolean =>
  mode === "block" && (checked.decision === "block" || leavesUnchecked(policy, checked));

function leavesUnchecked(policy: Policy, { coverage, stages }: CheckedText): boolean {
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

/** Whether content that nothing here can judge is let through. */
export const mayGoUnevaluated = (policy: Policy): boolean =>
  effectOfUnchecked(policy, "not_evaluated") === "none";

// Gathers a text that arrives in pieces into windows to be judged. The gathered text is held back: each
// window names its new part, which is passed on after the window was judged.

export interface OutputWindow {
  /** From 0. */
  readonly index: number;
  /** The text to judge: the end of the window before, so that no seam cuts a phrase, and `fresh`. */
  readonly text: string;
  /** The part that may be passed on after this window was judged. */
  readonly fresh: string;
}

export interface WindowGatherer {
  /** @returns the windows that are full now, in order */
  push(piece: string): readonly OutputWindow[];
  /** @returns the last window; null when nothing is held back */
  end(): OutputWindow | null;
}

/** Longer than a term or an insult with the words around it. */
const CARRIED_CHARS = 64;

/** Measured in the form in which the judge is shown it. */
const judgedTokens = (text: string): number => tokensAtMost(judgedJson(cleanForJudge(text)));

export function gatherWindows(): WindowGatherer {
  let carried = "";
  let fresh = "";
  /** Of the gathered text; never less than a measure of it as a whole. */
  let tokens = 0;
  let index = 0;

  function cut(text: string): OutputWindow {
    const window = { index, text, fresh: text.slice(carried.length) };
    index += 1;
    fresh = fresh.slice(window.fresh.length);
    carried = tailOf(text);
    tokens = judgedTokens(carried + fresh);
    return window;
  }

  return {
    push(piece) {
      fresh += piece;
      tokens += judgedTokens(piece);
      const windows: OutputWindow[] = [];
      while (tokens > OUTPUT_WINDOW_TOKENS) {
        const whole = carried + fresh;
        const one = { tokens: OUTPUT_WINDOW_TOKENS, overlap: 0, windows: 1 };
        const text = splitText(whole, one, judgedTokens).windows[0]?.text ?? whole;
        // The pieces measured one by one had more tokens than the whole.
        if (text.length >= whole.length) tokens = judgedTokens(whole);
        else windows.push(cut(text));
      }
      return windows;
    },
    end: () => (fresh === "" ? null : cut(carried + fresh)),
  };
}

/**
 * Few tokens, since some characters have many, and only whole characters: half a surrogate pair is no text.
 */
function tailOf(text: string): string {
  let tail = wholeFrom(text.slice(-CARRIED_CHARS));
  while (judgedTokens(tail) > OUTPUT_OVERLAP_TOKENS) {
    tail = wholeFrom(tail.slice(Math.ceil(tail.length / 2)));
  }
  return tail;
}

function wholeFrom(text: string): string {
  const first = text.charCodeAt(0);
  return first >= 0xdc00 && first <= 0xdfff ? text.slice(1) : text;
}
