import { hashOf } from "../text/hash.ts";
import type { CascadeHead } from "./cascade.ts";

// Thresholds of the text model that a tenant has earned: chosen on one half of its labelled examples and
// measured on the other, with a bound on how often they are wrong (docs/calibration.md).
//
// The bound is that of Clopper and Pearson (Biometrika 26, 1934), one-sided: with the given confidence the
// true share is at most so large. It holds whatever the share is, and for few examples as for many.

/** What a person says of one text, and what the model scores it. */
export interface LabelledScore {
  /** 0 to 1, in thousandths, as the model gives it. */
  readonly score: number;
  readonly harmful: boolean;
  /** On which half a threshold is chosen, on which it is measured. */
  readonly half: "choose" | "measure";
}

export interface CalibrationTerms {
  /** The largest share of errors, above 0 and below 1: of harmful texts passed, of harmless ones blocked. */
  readonly maxMissRate: number;
  /** That the true share is within it, above 0 and below 1. */
  readonly confidence: number;
}

/** Errors among examples of one half. */
export interface Measured {
  readonly examples: number;
  readonly wrong: number;
}

export interface CalibratedThreshold {
  /**
   * `not_within_rate`: a threshold that was good on one half was wrong too often on the other, or none was
   * good on either.
   */
  readonly status: "found" | "not_enough_examples" | "not_within_rate";
  /** Null unless found. */
  readonly threshold: number | null;
  /** Of the half on which it was measured; its bound null where nothing could be measured. */
  readonly measured: Measured & { readonly bound: number | null };
  /** Examples that one half needs at least: harmful ones to pass texts, harmless ones to block them. */
  readonly needed: number;
}

export interface CalibratedHead {
  /** Below it the judge is not asked, and the text passes. */
  readonly allowBelow: CalibratedThreshold;
  /** From it the judge is not asked, and the text is blocked. */
  readonly blockAbove: CalibratedThreshold;
  /** What the thresholds that were found would decide of the texts on the half that measures. */
  readonly decided: { readonly texts: number; readonly allowed: number; readonly blocked: number };
}

/** What all examples say of all heads. */
export interface Calibration {
  /** The version that the thresholds hold for. */
  readonly model: string;
  readonly examples: {
    readonly received: number;
    /** The same text again, which would count twice. */
    readonly repeated: number;
    /** Texts that the model does not answer for: they go on to the judge, whatever the thresholds. */
    readonly unread: number;
    readonly used: number;
  };
  readonly heads: Readonly<Record<CascadeHead, CalibratedHead>>;
}

export function calibrated(
  examples: readonly LabelledScore[],
  terms: CalibrationTerms,
): CalibratedHead {
  const scores = (half: LabelledScore["half"], harmful: boolean): number[] =>
    examples
      .filter((one) => one.half === half && one.harmful === harmful)
      .map(({ score }) => score);
  const allowBelow = thresholdOf(
    { choose: scores("choose", true), measure: scores("measure", true) },
    terms,
    { best: (sorted, wrong) => sorted[wrong] ?? 1, isWrong: (score, at) => score < at },
  );
  const blockAbove = thresholdOf(
    { choose: scores("choose", false), measure: scores("measure", false) },
    terms,
    {
      best: (sorted, wrong) => aboveOf(sorted.toReversed()[wrong]),
      isWrong: (score, at) => score >= at,
    },
  );
  const measured = examples.filter(({ half }) => half === "measure");
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

/** The next thousandth: scores have no finer steps. */
const aboveOf = (score = 0): number => Math.round(score * 1000 + 1) / 1000;

interface Side {
  /** The best threshold at which so many of the scores, in ascending order, are on the wrong side. */
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
  // Half of what the bound would let pass: the other half must stay within it, too.
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

/** How many examples without an error show that the rate is kept: 299 for 1 % at 95 %. */
export const examplesNeeded = ({ maxMissRate, confidence }: CalibrationTerms): number =>
  Math.ceil(Math.log(1 - confidence) / Math.log(1 - maxMissRate));

/** The most errors among so many examples whose bound is within the rate; at least 0. */
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
 * The largest share under which `wrong` errors or fewer among `examples` are no rarer than `1 - confidence`.
 * Takes `wrong` times 60 steps at most.
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

/** How likely a binomial count is at most `most`: the sum of its terms, each made of the last. */
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

/** By the text alone, so that the same examples in another order, or some more, are divided alike. */
export const halfOf = (text: string): LabelledScore["half"] =>
  hashOf(text) % 2 === 0 ? "choose" : "measure";
