import { hashOf } from "../text/hash.ts";
import type { CascadeHead } from "./cascade.ts";
import type { JudgedCategory } from "./category.ts";

// Calibrated thresholds of the text model. They are chosen on one half of a tenant's labelled examples and
// measured on the other half, with a bound on how often they are wrong (docs/calibration.md).
//
// The bound is the one-sided one of Clopper and Pearson (Biometrika 26, 1934): with the given confidence the
// true share is not above it. It holds for every share and for every number of examples.

/** A person's label of one text, and the model's score. */
export interface LabelledScore {
  /** 0 to 1 in steps of 0.001, as the model gives it. */
  readonly score: number;
  readonly harmful: boolean;
  /** The half on which a threshold is chosen, or the half on which it is measured. */
  readonly half: "choose" | "measure";
  /** False: it was seen because it was flagged, so it says nothing of the harmful texts that pass. */
  readonly isRandom?: boolean;
}

export interface CalibrationTerms {
  /**
   * The largest accepted share of errors, above 0 and below 1: harmful texts passed, or harmless ones
   * blocked.
   */
  readonly maxMissRate: number;
  /** The probability that the true share is within the bound, above 0 and below 1. */
  readonly confidence: number;
}

/** Errors among examples of one half. */
export interface Measured {
  readonly examples: number;
  readonly wrong: number;
}

export interface CalibratedThreshold {
  /**
   * `not_within_rate`: the threshold that was chosen on one half was wrong too often on the other, or no
   * threshold was good on either half. `no_harmful_examples`: harmless texts alone do not show that a block
   * finds harm.
   */
  readonly status: "found" | "not_enough_examples" | "not_within_rate" | "no_harmful_examples";
  /** Null unless `status` is `found`. */
  readonly threshold: number | null;
  /** Errors on the half that measures; the bound is null when nothing was measured. */
  readonly measured: Measured & { readonly bound: number | null };
  /** The fewest examples that each half needs: harmful ones to pass texts, harmless ones to block them. */
  readonly needed: number;
}

export interface CalibratedHead {
  /** A text with a score below it passes without the judge. */
  readonly allowBelow: CalibratedThreshold;
  /** A text with a score from it on is blocked without the judge. */
  readonly blockAbove: CalibratedThreshold;
  /** How many texts of the measuring half the found thresholds would decide. */
  readonly decided: { readonly texts: number; readonly allowed: number; readonly blocked: number };
}

/** The calibration of all heads from all examples. */
export interface Calibration {
  /** The version of the text model that the thresholds are valid for. */
  readonly model: string;
  readonly examples: {
    readonly received: number;
    /** Repeats of a text: each text counts once. */
    readonly repeated: number;
    /** Texts that the model does not score: they always go to the judge. */
    readonly unread: number;
    readonly used: number;
    /** Of the used ones: from reviews of content that was drawn at random, other reviews, suggestions. */
    readonly sampled: number;
    readonly reviewed: number;
    readonly suggested: number;
  };
  readonly heads: Readonly<Record<CascadeHead, CalibratedHead>>;
  /** The categories that `any` holds for: those that the policy requires of a text. */
  readonly categories: readonly JudgedCategory[];
}

export function calibrated(
  examples: readonly LabelledScore[],
  terms: CalibrationTerms,
): CalibratedHead {
  const random = examples.filter((one) => one.isRandom !== false);
  const scores = (half: LabelledScore["half"], harmful: boolean): number[] =>
    // Harmless texts that were flagged score higher than others: with them a block is proved all the more.
    (harmful ? random : examples)
      .filter((one) => one.half === half && one.harmful === harmful)
      .map(({ score }) => score);
  const allowBelow = thresholdOf(
    { choose: scores("choose", true), measure: scores("measure", true) },
    terms,
    { best: (sorted, wrong) => sorted[wrong] ?? 1, isWrong: (score, at) => score < at },
  );
  const ofHarmless = thresholdOf(
    { choose: scores("choose", false), measure: scores("measure", false) },
    terms,
    {
      best: (sorted, wrong) => aboveOf(sorted.toReversed()[wrong]),
      isWrong: (score, at) => score >= at,
    },
  );
  const isUnproved = ofHarmless.status === "found" && !examples.some(({ harmful }) => harmful);
  const blockAbove: CalibratedThreshold = isUnproved
    ? { ...ofHarmless, status: "no_harmful_examples", threshold: null }
    : ofHarmless;
  const measured = random.filter(({ half }) => half === "measure");
  const [allow, block] = [allowBelow.threshold ?? 0, blockAbove.threshold ?? NEVER];
  return {
    allowBelow,
    blockAbove,
    decided: {
      texts: measured.length,
      allowed: measured.filter(({ score }) => score < allow && score < block).length,
      blocked: measured.filter(({ score }) => score >= block).length,
    },
  };
}

/** A threshold that no score reaches does nothing. */
const NEVER = 1.001;

/** The next score: scores are multiples of 0.001. */
const aboveOf = (score = 0): number => Math.round(score * 1000 + 1) / 1000;

interface Side {
  /** The best threshold that leaves `wrong` of the scores, in ascending order, on the wrong side. */
  readonly best: (sorted: readonly number[], wrong: number) => number;
  readonly isWrong: (score: number, threshold: number) => boolean;
}

function thresholdOf(
  scores: { readonly choose: readonly number[]; readonly measure: readonly number[] },
  terms: CalibrationTerms,
  side: Side,
): CalibratedThreshold {
  const needed = examplesNeeded(terms);
  const { choose, measure } = scores;
  if (choose.length < needed || measure.length < needed) {
    const measured = { examples: measure.length, wrong: 0, bound: null };
    return { status: "not_enough_examples", threshold: null, measured, needed };
  }
  // Only half of the errors that the bound allows, since the other half must stay within the bound too.
  const wrong = Math.floor(mostWrong(choose.length, terms) / 2);
  const sorted = choose.toSorted((a, b) => a - b);
  const threshold = side.best(sorted, wrong);
  const measured = measureOf(measure, (score) => side.isWrong(score, threshold), terms);
  const isFound = measured.bound <= terms.maxMissRate && threshold > 0 && threshold < NEVER;
  return {
    status: isFound ? "found" : "not_within_rate",
    threshold: isFound ? threshold : null,
    measured,
    needed,
  };
}

function measureOf(
  scores: readonly number[],
  isWrong: (score: number) => boolean,
  { confidence }: CalibrationTerms,
): Measured & { readonly bound: number } {
  const wrong = scores.filter(isWrong).length;
  return { examples: scores.length, wrong, bound: upperBound(wrong, scores.length, confidence) };
}

/** How many examples without an error prove the rate: 299 for 1 % at 95 %. */
export const examplesNeeded = ({ maxMissRate, confidence }: CalibrationTerms): number =>
  Math.ceil(Math.log(1 - confidence) / Math.log(1 - maxMissRate));

/** The most errors, among so many examples, with a bound within the rate; at least 0. */
function mostWrong(examples: number, { maxMissRate, confidence }: CalibrationTerms): number {
  let low = 0;
  let high = examples;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (upperBound(middle, examples, confidence) <= maxMissRate) low = middle;
    else high = middle - 1;
  }
  return low;
}

const BISECTIONS = 60;

/**
 * The largest share at which `wrong` or fewer errors among `examples` have a probability of at least `1 -
 * confidence`. Takes at most `wrong` times 60 steps.
 */
export function upperBound(wrong: number, examples: number, confidence: number): number {
  if (wrong >= examples) return 1;
  let low = wrong / examples;
  let high = 1;
  for (let at = 0; at < BISECTIONS; at += 1) {
    const middle = (low + high) / 2;
    if (atMost(wrong, examples, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The smallest share at which `wrong` or more errors among `examples` have a probability of at least `1 -
 * confidence`: with that confidence the true share is not below it. Takes at most `wrong` times 60 steps.
 */
export function lowerBound(wrong: number, examples: number, confidence: number): number {
  if (wrong <= 0) return 0;
  let low = 0;
  let high = wrong / examples;
  for (let at = 0; at < BISECTIONS; at += 1) {
    const middle = (low + high) / 2;
    if (1 - atMost(wrong - 1, examples, middle) < 1 - confidence) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The probability that a binomial count is at most `most`. Each term of the sum is computed from the one
 * before.
 */
function atMost(most: number, trials: number, share: number): number {
  if (share <= 0) return 1;
  if (share >= 1) return most >= trials ? 1 : 0;
  const odds = Math.log(share) - Math.log1p(-share);
  let log = trials * Math.log1p(-share);
  let total = Math.exp(log);
  for (let count = 1; count <= most; count += 1) {
    log += Math.log((trials - count + 1) / count) + odds;
    total += Math.exp(log);
  }
  return Math.min(1, total);
}

/** Depends on the text alone: examples in another order, or with more beside them, are divided alike. */
export const halfOf = (text: string): LabelledScore["half"] =>
  hashOf(text) % 2 === 0 ? "choose" : "measure";
