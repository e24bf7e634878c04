import {
  NEVER_BLOCKED,
  type Category,
  JUDGED_CATEGORIES,
  type JudgedCategory,
  type Scores,
} from "./category.ts";
import { lowestThreshold, type Policy, ruleFor } from "./policy.ts";
import { isSampled } from "../text/hash.ts";
import { TEXT_MODEL_CATEGORIES, TEXT_MODEL_FLAG } from "./text-model.ts";
import type { Reason, StageResult } from "./verdict.ts";

// The cascade: the text model inside the Worker decides without a judge beyond thresholds that the tenant
// calibrated on its own texts (`calibration.ts`). Without thresholds the judge is always asked.

/** A threshold that is null never applies. */
export interface CascadeThresholds {
  /** A lower score needs no judge. */
  readonly allow_below: number | null;
  /** This score or a higher one blocks, and needs no judge. */
  readonly block_above: number | null;
}

/** Thresholds for the highest score of all heads. */
export interface AnyThresholds extends CascadeThresholds {
  /**
   * The categories that the examples were labelled for: a text with any of them was harmful. Under a policy
   * that requires another one of a text, `any` decides nothing. Absent: it never does.
   */
  readonly categories?: readonly JudgedCategory[];
}

/** A category that the text model has a head for; `any` is the highest of all heads. */
export const CASCADE_HEADS = [...TEXT_MODEL_CATEGORIES, "any"] as const;
export type CascadeHead = (typeof CASCADE_HEADS)[number];

export interface CascadeRules {
  /** The version of the text model that the thresholds were calibrated for; another version ignores them. */
  readonly model: string;
  /** The error rate that the calibration proved, 0 to 1. Absent: drift is counted and not reported. */
  readonly max_miss_rate?: number;
  readonly thresholds: Readonly<Partial<Record<CascadeHead, CascadeThresholds>>> & {
    readonly any?: AnyThresholds;
  };
}

/** Instructions for self-harm may be blocked. A text of a person in distress goes to the judge instead. */
export const mayBlock = (head: CascadeHead): boolean =>
  head === "any" || !NEVER_BLOCKED.includes(head);

type RequiredBy = Pick<Policy, "categories">;

/** The categories that a judge of text must score under a policy. */
export const requiredOfText = ({ categories }: RequiredBy): readonly JudgedCategory[] =>
  JUDGED_CATEGORIES.filter(
    (category) => categories[category].required && categories[category].inputs.includes("text"),
  );

/** The required categories that `any` was not calibrated for: with one of them it decides nothing. */
export const uncalibratedBy = (
  { categories }: AnyThresholds,
  policy: RequiredBy,
): readonly JudgedCategory[] =>
  requiredOfText(policy).filter((one) => categories?.includes(one) !== true);

/** Whether `any` may decide under a policy. */
export const anyApplies = (any: AnyThresholds, policy: RequiredBy): boolean =>
  any.categories !== undefined && uncalibratedBy(any, policy).length === 0;

/** A decision of the text model without the judge. */
export type Cascade =
  | {
      readonly kind: "allow";
      /** Required categories without a head: the examples of the calibration were labelled for them. */
      readonly calibrated: readonly Category[];
    }
  | {
      readonly kind: "block";
      /** The category of the highest head that reached its threshold. */
      readonly category: Category;
      readonly score: number;
      readonly threshold: number;
    };

/**
 * @param read the result of the text model for the text
 * @returns null when the judge must be asked
 */
export function cascadeOf(policy: Policy, read: StageResult): Cascade | null {
  const rules = policy.tier0;
  if (rules === undefined || read.model !== rules.model || read.status !== "evaluated") return null;
  const scores = TEXT_MODEL_CATEGORIES.map((category) => ({
    category,
    score: read.scores[category] ?? 0,
  })).toSorted((a, b) => b.score - a.score);
  // `evaluate_all` wants every check to run, so nothing is blocked before the judge.
  const thresholds = applied(rules.thresholds, policy);
  const block = policy.evaluate_all ? null : blocked(thresholds, scores);
  return block ?? allowed(policy, thresholds, read, scores);
}

type Thresholds = CascadeRules["thresholds"];

function applied({ any, ...heads }: Thresholds, policy: Policy): Thresholds {
  return any !== undefined && anyApplies(any, policy) ? { ...heads, any } : heads;
}

/** The highest score of all heads: it is compared with the thresholds of `any`. */
export const anyScore = (scores: Scores): number =>
  Math.max(...TEXT_MODEL_CATEGORIES.map((category) => scores[category] ?? 0));

/**
 * The text model ran and decided: the judge was planned and then skipped (a block term also skips it), or was
 * asked as a sample and did not raise the decision.
 */
export function isDecidedAlone(stages: readonly StageResult[]): boolean {
  const find = (name: StageResult["name"]): StageResult | undefined =>
    stages.find((one) => one.input === "text" && one.name === name);
  const judge = find("judge");
  if (judge === undefined || find("tier0")?.status !== "evaluated") return false;
  const { status, sample } = judge;
  const isKept = (sample?.decided ?? null) !== null && disagreement(judge) !== "missed";
  return status === "not_required" || isKept;
}

/**
 * How the judge contradicts what the text model decided: `missed`, it finds harm in a text that passed;
 * `wrong_block`, it finds none in a text that was blocked. Null: it does not, or did not answer in full.
 */
export function disagreement({ status, sample }: StageResult): "missed" | "wrong_block" | null {
  if (sample === undefined) return null;
  const { decided, harmful } = sample;
  if (decided === "allow" && harmful.length > 0) return "missed";
  const isHarmless = harmful.length === 0 && status === "evaluated";
  return decided === "block" && isHarmless ? "wrong_block" : null;
}

type HeadScores = readonly {
  readonly category: (typeof TEXT_MODEL_CATEGORIES)[number];
  readonly score: number;
}[];

/** @param scores the highest first */
function blocked(thresholds: Thresholds, scores: HeadScores): Cascade | null {
  // A text of a person who may be in danger is never blocked without a judge, whatever else it says.
  const isDistress = scores.some(
    ({ category, score }) => NEVER_BLOCKED.includes(category) && score >= TEXT_MODEL_FLAG,
  );
  if (isDistress) return null;
  for (const { category, score } of scores) {
    const threshold = lowestOf(
      mayBlock(category) ? thresholds[category]?.block_above : null,
      thresholds.any?.block_above,
    );
    if (threshold !== null && score >= threshold) {
      return { kind: "block", category, score, threshold };
    }
  }
  return null;
}

const lowestOf = (...thresholds: readonly (number | null | undefined)[]): number | null =>
  thresholds.reduce<number | null>(
    (least, one) => (one === null || one === undefined ? least : Math.min(least ?? one, one)),
    null,
  );

function allowed(
  policy: Policy,
  thresholds: Thresholds,
  read: StageResult,
  scores: HeadScores,
): Cascade | null {
  // A score without a head (`TEXT_MODEL_SHOWS`) means that harm was seen: the judge must look.
  const others = Object.keys(read.scores).filter((name) => !isHead(name));
  if (others.length > 0) return null;
  const required = requiredOfText(policy);
  const any = thresholds.any?.allow_below ?? null;
  if (any !== null && anyScore(read.scores) < any) {
    return { kind: "allow", calibrated: required.filter((category) => !isHead(category)) };
  }
  const isBelow = ({ category, score }: HeadScores[number]): boolean => {
    const below = thresholds[category]?.allow_below ?? null;
    return below !== null && score < below;
  };
  const decisive = scores.filter(({ category }) => required.includes(category));
  const answersAll = required.every(isHead) && decisive.length > 0;
  return answersAll && decisive.every(isBelow) ? { kind: "allow", calibrated: [] } : null;
}

const isHead = (name: string): boolean =>
  (TEXT_MODEL_CATEGORIES as readonly string[]).includes(name);

/** The reason for a block without a judge. */
export const reasonOfBlock = ({
  category,
  score,
  threshold,
}: Extract<Cascade, { kind: "block" }>): Reason => ({
  kind: "score",
  category,
  input: "text",
  score,
  threshold,
  message: `${category} is ${score} (by a small model, which has false alarms); this policy blocks from ${threshold} without a judge.`,
});

// A random sample of the texts under calibrated thresholds. The judge reads each of them, also those that the
// text model decided alone. Its scores may raise the decision, and never lower it. If it does not answer, the
// decision of the text model stands. So the sample shows how often the text model is wrong
// (`cascade-drift.ts`).

/** The share of texts in the sample if the policy does not name one. */
export const SAMPLE_DECIDED = 0.02;

/** A random draw by the id alone, and not the one that draws for review (`sample_allowed`). */
export const isDrawnForJudge = (policy: Policy, verdictId: string): boolean =>
  policy.tier0 !== undefined &&
  isSampled(`judge ${verdictId}`, policy.sample_decided ?? SAMPLE_DECIDED);

/** The categories of a text in which these scores have an effect under a policy. */
export const harmfulIn = (policy: Policy, scores: Scores): Category[] =>
  JUDGED_CATEGORIES.filter((category) => {
    if (!policy.categories[category].inputs.includes("text")) return false;
    const threshold = lowestThreshold(ruleFor(policy, category));
    return threshold !== null && (scores[category] ?? 0) >= threshold;
  });

/**
 * A stage as evidence for the decision. A judge that was asked as a sample and did not answer in full counts
 * as not asked, unless what it did read is harmful.
 */
export function asEvidence(stage: StageResult): StageResult {
  const { sample, status } = stage;
  if (sample === undefined || sample.decided === null || status === "evaluated") return stage;
  return disagreement(stage) === "missed"
    ? { ...stage, status: "evaluated" }
    : { ...stage, status: "not_required", scores: {} };
}
