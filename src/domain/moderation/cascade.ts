import { NEVER_BLOCKED } from "./advice.ts";
import { type Category, JUDGED_CATEGORIES, type Scores } from "./category.ts";
import type { Policy } from "./policy.ts";
import { TEXT_MODEL_CATEGORIES, TEXT_MODEL_FLAG } from "./text-model.ts";
import type { Reason, StageResult } from "./verdict.ts";

// Where the text model inside the Worker decides without a judge: beyond thresholds that a tenant has
// calibrated on texts of its own (`calibration.ts`). Nothing is skipped without them.

/** Null: never. */
export interface CascadeThresholds {
  /** A score below it needs no judge. */
  readonly allow_below: number | null;
  /** A score from it on blocks, and needs no judge. */
  readonly block_above: number | null;
}

/** A category that the text model has a head for, or the highest of its heads. */
export const CASCADE_HEADS = [...TEXT_MODEL_CATEGORIES, "any"] as const;
export type CascadeHead = (typeof CASCADE_HEADS)[number];

export interface CascadeRules {
  /** The version that the thresholds were calibrated for: by any other they are ignored. */
  readonly model: string;
  readonly thresholds: Readonly<Partial<Record<CascadeHead, CascadeThresholds>>>;
}

/** Instructions alone may be blocked, and nobody in distress is: such a text goes on to the judge. */
export const mayBlock = (head: CascadeHead): boolean =>
  head === "any" || !NEVER_BLOCKED.includes(head);

/** What a judge of text must answer for under a policy. */
export const requiredOfText = ({ categories }: Policy): readonly Category[] =>
  JUDGED_CATEGORIES.filter(
    (category) => categories[category].required && categories[category].inputs.includes("text"),
  );

/** What the text model decides by itself. */
export type Cascade =
  | {
      readonly kind: "allow";
      /** Required categories that it has no head for: the calibration was of texts labelled for them. */
      readonly calibrated: readonly Category[];
    }
  | {
      readonly kind: "block";
      /** Of the head that is furthest over its threshold. */
      readonly category: Category;
      readonly score: number;
      readonly threshold: number;
    };

/**
 * @param read what the text model says of the text
 * @returns null: the judge is to be asked
 */
export function cascadeOf(policy: Policy, read: StageResult): Cascade | null {
  const rules = policy.tier0;
  if (rules === undefined || read.model !== rules.model || read.status !== "evaluated") return null;
  const scores = TEXT_MODEL_CATEGORIES.map((category) => ({
    category,
    score: read.scores[category] ?? 0,
  })).toSorted((a, b) => b.score - a.score);
  // What is to be evaluated all the same is not blocked before it is.
  const block = policy.evaluate_all ? null : blocked(rules, scores);
  return block ?? allowed(policy, rules, read, scores);
}

/** The highest of all heads: what the thresholds of `any` are held against. */
export const anyScore = (scores: Scores): number =>
  Math.max(...TEXT_MODEL_CATEGORIES.map((category) => scores[category] ?? 0));

/** The judge was planned, and spared since the text model had decided: a term spares that too. */
export function isDecidedAlone(stages: readonly StageResult[]): boolean {
  const isThere = (name: StageResult["name"], status: StageResult["status"]): boolean =>
    stages.some((one) => one.input === "text" && one.name === name && one.status === status);
  return isThere("judge", "not_required") && isThere("tier0", "evaluated");
}

type HeadScores = readonly {
  readonly category: (typeof TEXT_MODEL_CATEGORIES)[number];
  readonly score: number;
}[];

/** @param scores the highest first */
function blocked({ thresholds }: CascadeRules, scores: HeadScores): Cascade | null {
  // Who may be in danger is never blocked unseen, whatever else the text is.
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
  { thresholds }: CascadeRules,
  read: StageResult,
  scores: HeadScores,
): Cascade | null {
  // It shows a category that it cannot rule out.
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
  const asked = scores.filter(({ category }) => required.includes(category));
  const answersAll = required.every(isHead) && asked.length > 0;
  return answersAll && asked.every(isBelow) ? { kind: "allow", calibrated: [] } : null;
}

const isHead = (name: string): boolean =>
  (TEXT_MODEL_CATEGORIES as readonly string[]).includes(name);

/** Why a text is blocked that no judge saw. */
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
