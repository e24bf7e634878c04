import type { Cascade } from "./cascade.ts";
import { STAGE_OF, STAND_IN_OF } from "./category-stage.ts";
import type { Category, LabelGroup } from "./category.ts";
import type { PictureTextName } from "./picture-text.ts";
import type { InputName } from "./plan-moderation.ts";
import { asksOf, kindOf, type Policy } from "./policy.ts";
import type { BlockedTerm } from "../terms/term-match.ts";
import type { CoverageStatus, StageName, StageResult } from "./verdict.ts";

// What was found out about a content item, and which of it answers for a category.

/** What our own rules found in a text, or in the writing of a picture. */
export interface TextFacts {
  /** The policy's block terms that matched it. */
  readonly blockedTerms: readonly BlockedTerm[];
  readonly spamPhrases: number;
  /** The injection pattern that fired in it, by its id. */
  readonly injection: string | null;
}

/** Everything that is known of one content item. */
export interface Evidence extends TextFacts {
  /** The item's own; `writing` has the others. */
  readonly inputs: readonly InputName[];
  readonly stages: readonly StageResult[];
  /** Pictures with writing, or of which nobody knows whether they have any. */
  readonly writing?: readonly (TextFacts & { readonly input: PictureTextName })[];
  /** The strongest label of each group by picture, for the reason. */
  readonly labels: readonly {
    readonly input: InputName;
    readonly category: LabelGroup;
    readonly label: string;
  }[];
  /** What the text model decided of the text without a judge; absent or null: nothing. */
  readonly cascade?: Cascade | null;
  /** Pictures of more pixels than the picture model here decodes. */
  readonly tooManyPixels?: readonly InputName[];
}

/** A required category that needs no more to approve. */
export const isSatisfied = (status: CoverageStatus): boolean =>
  status === "evaluated" || status === "calibrated";

/** The inputs to which the policy applies a category. */
export const inputsOf = (policy: Policy, evidence: Evidence, category: Category): InputName[] =>
  allInputs(evidence).filter((input) => asksOf(policy, category, input));

/** Writing is judged beside its picture, and stands and falls with what is required of texts. */
export const allInputs = ({ inputs, writing = [] }: Evidence): readonly InputName[] => [
  ...inputs,
  ...writing.map(({ input }) => input),
];

/** What the rules found, by the text that they found it in. */
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
  // Spared with everything that was asked, unless the text passed without it.
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
