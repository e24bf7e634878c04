import * as v from "valibot";
import { mayBlock } from "../../domain/moderation/cascade.ts";
import { forEach, JUDGED_CATEGORIES } from "../../domain/moderation/category.ts";
import { TEXT_MODEL_CATEGORIES } from "../../domain/moderation/text-model.ts";
import { stated } from "../../http/field-errors.ts";
import { threshold } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Where a policy lets the text model decide without a judge: docs/calibration.md.

const cascadeThreshold = v.optional(threshold, null);

const THRESHOLDS = {
  allow_below: v.pipe(
    cascadeThreshold,
    v.description("A score below it needs no judge; null: never. At most `block_above`."),
  ),
  block_above: v.pipe(
    cascadeThreshold,
    v.description("A score from it on blocks, and needs no judge; null: never."),
  ),
};

/** Where a head of the text model decides without a judge. */
export interface ThresholdPair {
  readonly allow_below: number | null;
  readonly block_above: number | null;
}

/**
 * If `allow_below` were higher, a score between the two would do both: block a text, and let the text of a
 * person who may be in danger pass.
 */
const thresholdsInOrder = stated<ThresholdPair>(
  "must have an allow_below of at most its block_above: lower the one or raise the other",
  ({ allow_below: allow, block_above: block }) =>
    allow === null || block === null || allow <= block,
);

const CascadeThresholds = v.pipe(strictObject(THRESHOLDS), v.check(thresholdsInOrder));

/** The categories that `any` is calibrated for. */
export const AnyCategories = v.pipe(
  v.array(v.picklist(JUDGED_CATEGORIES)),
  v.maxLength(JUDGED_CATEGORIES.length),
  v.description(
    "The categories that the examples were labelled for, as the calibration's reply has them. Absent, or without one that the policy requires of a text: `any` decides nothing, and the judge is asked.",
  ),
);

const AnyThresholds = v.pipe(
  strictObject({ ...THRESHOLDS, categories: v.exactOptional(AnyCategories) }),
  v.check(thresholdsInOrder),
);

/** In distress nobody is blocked by a model that cannot tell a cry for help. */
const AllowOnly = v.pipe(
  CascadeThresholds,
  v.check(stated("can only allow", ({ block_above }) => block_above === null)),
);

export const CascadeRules = strictObject({
  model: v.pipe(
    v.string(),
    v.maxLength(64),
    v.description(
      "The version that the thresholds were calibrated for. Another one ignores them: the judge is asked.",
    ),
  ),
  max_miss_rate: v.exactOptional(
    v.pipe(
      v.number(),
      v.minValue(0.001),
      v.maxValue(0.5),
      v.description(
        "The share of errors that the calibration proved, as its reply has it. Where the sample shows more, there is a `policy.drift` event; absent: never.",
      ),
    ),
  ),
  thresholds: v.pipe(
    strictObject({
      ...forEach(TEXT_MODEL_CATEGORIES, (head) =>
        v.exactOptional(mayBlock(head) ? CascadeThresholds : AllowOnly),
      ),
      any: v.exactOptional(AnyThresholds),
    }),
    v.description(
      "By category, or of `any`: the highest of all. A text passes where every required category is below its threshold, or the highest is below that of `any` and `any` names every required category.",
    ),
  ),
});
