import {
  type Category,
  forEach,
  JUDGED_CATEGORIES,
  LABEL_GROUPS,
  type LabelGroup,
} from "./category.ts";
import type { PictureTextName } from "./picture-text.ts";
import type { InputName } from "./plan-moderation.ts";
import { asksOf, type InputKind, kindOf, type Policy } from "./policy.ts";
import type { BlockedTerm } from "./term-match.ts";
import { TEXT_MODEL_CATEGORIES, TEXT_MODEL_SHOWS } from "./text-model.ts";
import type { CheckStatus, StageName, StageResult } from "./verdict.ts";

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
  /** Pictures of more pixels than the picture model here decodes. */
  readonly tooManyPixels?: readonly InputName[];
}

/** Which stage answers for a category in such an input. */
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

/** Which stage answers in its place, where nothing else was asked. */
export const STAND_IN_OF: Readonly<Record<InputKind, Partial<Record<Category, StageName>>>> = {
  text: forEach([...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS], () => "tier0" as const),
  image: { nsfw: "picture" },
};

export const unmade = (status: CheckStatus): status is "failed" | "timed_out" | "not_evaluated" =>
  status !== "evaluated" && status !== "not_required";

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
export function statusOf(evidence: Evidence, category: Category, input: InputName): CheckStatus {
  const stage = stageFor(evidence, category, input);
  if (stage === undefined) return "not_evaluated";
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
  return find(STAGE_OF[kind][category]) ?? find(STAND_IN_OF[kind][category]);
}
