import type { Cascade } from "./cascade.ts";
import {
  type Category,
  forEach,
  JUDGED_CATEGORIES,
  LABEL_GROUPS,
  type LabelGroup,
} from "./category.ts";
import { asksOf, type InputKind, kindOf, type PictureTextName, type Policy } from "./policy.ts";
import type { InputName } from "./plan-moderation.ts";
import type { BlockedTerm } from "../terms/term-match.ts";
import type { CoverageStatus, StageName, StageResult } from "./verdict.ts";
import { TEXT_MODEL_CATEGORIES, TEXT_MODEL_SHOWS } from "./text-model.ts";

// What is known of a content item, and which stage answers for a category.

/** What our own rules found in a text, or in the writing of a picture. */
export interface TextFacts {
  /** The policy's block terms that matched. */
  readonly blockedTerms: readonly BlockedTerm[];
  readonly spamPhrases: number;
  /** The id of the injection pattern that matched; null: none did. */
  readonly injection: string | null;
}

/** Everything that is known of one content item. */
export interface Evidence extends TextFacts {
  /** The inputs of the item itself; `writing` has the texts in its pictures. */
  readonly inputs: readonly InputName[];
  readonly stages: readonly StageResult[];
  /** Pictures that have writing, or may have some. */
  readonly writing?: readonly (TextFacts & { readonly input: PictureTextName })[];
  /** The strongest label of each group, by picture: the reason names it. */
  readonly labels: readonly {
    readonly input: InputName;
    readonly category: LabelGroup;
    readonly label: string;
  }[];
  /** The decision of the text model without a judge; absent or null: none. */
  readonly cascade?: Cascade | null;
  /** Pictures with more pixels than the picture model here decodes. */
  readonly tooManyPixels?: readonly InputName[];
}

/** A required category with this status does not prevent an approval. */
export const isSatisfied = (status: CoverageStatus): boolean =>
  status === "evaluated" || status === "calibrated";

/** The inputs to which the policy applies a category. */
export const inputsOf = (policy: Policy, evidence: Evidence, category: Category): InputName[] =>
  allInputs(evidence).filter((input) => asksOf(policy, category, input));

/** The writing of a picture is an input of its own, under the rules for texts. */
export const allInputs = ({ inputs, writing = [] }: Evidence): readonly InputName[] => [
  ...inputs,
  ...writing.map(({ input }) => input),
];

/** What the rules found, with the text in which they found it. */
export const factsOf = (
  evidence: Evidence,
): readonly (TextFacts & { readonly input: "text" | PictureTextName })[] => [
  { ...evidence, input: "text" },
  ...(evidence.writing ?? []),
];

/** How the check of a category in an input ended. */
export function statusOf(evidence: Evidence, category: Category, input: InputName): CoverageStatus {
  const stage = stageFor(evidence, category, input);
  const { cascade = null } = evidence;
  const isPassed = cascade?.kind === "allow" && input === "text";
  if (isPassed && cascade.calibrated.includes(category)) return "calibrated";
  if (stage === undefined) return "not_evaluated";
  // A stage that was skipped counts as not evaluated, unless it was skipped because the text passed.
  if (isPassed && stage.status === "not_required") return "not_evaluated";
  if (stage.status !== "evaluated") return stage.status;
  return stage.scores[category] === undefined ? "not_evaluated" : "evaluated";
}

export function stageFor(
  { stages }: Evidence,
  category: Category,
  input: InputName,
): StageResult | undefined {
  const kind = kindOf(input);
  const find = (name: StageName | undefined): StageResult | undefined =>
    stages.find((stage) => stage.input === input && stage.name === name);
  const first = find(STAGE_OF[kind][category]);
  if (first !== undefined && first.status !== "not_required") return first;
  return find(STAND_IN_OF[kind][category]) ?? first;
}

/** The stage that scores a category in an input of this kind. */
export const STAGE_OF: Readonly<Record<InputKind, Partial<Record<Category, StageName>>>> = {
  text: {
    negativity: "sentiment",
    spam: "spam",
    ...forEach(JUDGED_CATEGORIES, () => "judge" as const),
  },
  image: {
    ...forEach(LABEL_GROUPS, () => "labels" as const),
    nsfw: "vision",
  },
};

/** The stage that replaces it when it did not run. */
export const STAND_IN_OF: Readonly<Record<InputKind, Partial<Record<Category, StageName>>>> = {
  text: forEach([...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS], () => "tier0" as const),
  image: { nsfw: "picture" },
};
