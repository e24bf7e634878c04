import { type Category, forEach, JUDGED_CATEGORIES, LABEL_GROUPS } from "./category.ts";
import type { InputKind } from "./policy.ts";
import { TEXT_MODEL_CATEGORIES, TEXT_MODEL_SHOWS } from "./text-model.ts";
import type { StageName } from "./verdict.ts";

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
