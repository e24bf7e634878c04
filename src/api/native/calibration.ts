import * as v from "valibot";
import type {
  CalibratedHead,
  CalibratedThreshold,
  Calibration,
  CalibrationTerms,
} from "../../domain/moderation/calibration.ts";
import { CASCADE_HEADS, mayBlock } from "../../domain/moderation/cascade.ts";
import { JUDGED_CATEGORIES, forEach } from "../../domain/moderation/category.ts";
import type { PolicyVersion } from "../../domain/moderation/policy.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import {
  type KeptExamples,
  MOST_EXAMPLE_UNITS,
  MOST_KEPT,
} from "../../domain/moderation/labelled-text.ts";
import { TEXT_MODEL_CATEGORIES } from "../../domain/moderation/text-model.ts";
import { stated } from "../../http/field-errors.ts";
import { AnyCategories, CascadeRules } from "./cascade-rules.ts";
import { policyName, time, timeInput } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Thresholds of the text model from a tenant's labelled texts, on the wire.

/** A head needs some 600 harmful texts for 1 % at 95 %, and a tenth of many a forum's reports are. */
export const MOST_EXAMPLES = 10_000;

/** The model reads a megabyte in about a second; what is longer goes in one call after the other. */
export const MAX_CALIBRATION_BYTES = 2_097_152;

const Example = strictObject({
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(MOST_EXAMPLE_UNITS)),
  labels: v.pipe(
    strictObject(forEach(JUDGED_CATEGORIES, () => v.exactOptional(v.boolean()))),
    v.description("A person's label by category; a category that is not named has none."),
  ),
});

const share = (description: string) =>
  v.pipe(v.number(), v.minValue(0.001), v.maxValue(0.5), v.description(description));

const CalibrationFields = strictObject({
  policy: v.optional(
    v.pipe(policyName, v.description("The policy whose terms and required categories are used.")),
    "default",
  ),
  examples: v.optional(v.pipe(v.array(Example), v.maxLength(MOST_EXAMPLES)), []),
  from: v.optional(
    timeInput(
      "With the kept texts of verdicts made at or after it that people decided, and of kept suggestions; absent: only `examples`.",
    ),
  ),
  to: v.optional(timeInput("Made before; absent: now.")),
  max_miss_rate: share(
    "The largest share of harmful texts that may pass, and of harmless ones that may be blocked.",
  ),
  confidence: v.optional(
    v.pipe(
      v.number(),
      v.minValue(0.5),
      v.maxValue(0.999),
      v.description("The confidence that the true share is within the rate."),
    ),
    0.95,
  ),
});

type CalibrationBody = v.InferOutput<typeof CalibrationFields>;

export const CalibrationInput = v.pipe(
  CalibrationFields,
  v.check(
    stated<CalibrationBody>(
      "must have examples or from",
      ({ examples, from }) => examples.length > 0 || from !== undefined,
    ),
  ),
  v.forward(
    v.check(
      stated<CalibrationBody>(
        "needs a from",
        ({ from, to }) => to === undefined || from !== undefined,
      ),
    ),
    ["to"],
  ),
  v.forward(
    v.check(
      stated<CalibrationBody>(
        "must be before to",
        ({ from, to }) => to === undefined || from === undefined || from < to,
      ),
    ),
    ["from"],
  ),
);

const count = v.pipe(v.number(), v.integer());

const Threshold = v.object({
  status: v.pipe(
    v.picklist(["found", "not_enough_examples", "not_within_rate", "no_harmful_examples"]),
    v.description(
      "`not_within_rate`: a threshold that held on one half did not on the other, or none held. `no_harmful_examples`: nothing shows that a block would find harm.",
    ),
  ),
  threshold: v.nullable(v.number()),
  measured: v.object({
    examples: v.pipe(count, v.description("Harmful texts to pass, harmless ones to block.")),
    wrong: count,
    bound: v.pipe(
      v.nullable(v.number()),
      v.description("With the confidence asked for, the true share is at most this."),
    ),
  }),
  needed: v.pipe(count, v.description("Such texts that each half needs at least.")),
});

const Head = v.object({
  allow_below: Threshold,
  block_above: Threshold,
  decided: v.pipe(
    v.object({ texts: count, allowed: count, blocked: count }),
    v.description("What these thresholds would decide of the half on which they were measured."),
  ),
});

export const CalibrationOutput = v.object({
  object: v.literal("calibration"),
  policy: v.object({ name: policyName, version: count }),
  model: v.pipe(v.string(), v.description("The version that the thresholds hold for.")),
  max_miss_rate: v.number(),
  confidence: v.number(),
  examples: v.object({
    received: count,
    repeated: v.pipe(count, v.description("The same text again: it counts once.")),
    unread: v.pipe(
      count,
      v.description(
        "Texts that a term decides, or that the model does not answer for: another language.",
      ),
    ),
    used: count,
    sampled: v.pipe(
      count,
      v.description("Of them, from reviews of approved content that was drawn at random."),
    ),
    reviewed: v.pipe(
      count,
      v.description(
        "From other reviews. They never prove an `allow_below`: flagged texts were not missed.",
      ),
    ),
    suggested: v.pipe(count, v.description("From `comments:suggestscore`; as reviews.")),
  }),
  kept: v.pipe(
    v.nullable(
      v.object({
        from: time("Verdicts made at or after."),
        to: time("Verdicts made before."),
        read: v.pipe(
          count,
          v.description(`Kept texts that were read, the newest first; at most ${MOST_KEPT}.`),
        ),
        is_all: v.pipe(
          v.boolean(),
          v.description("False: there are more; ask for a shorter time."),
        ),
      }),
    ),
    v.description("What was read of what is kept; null: no `from`."),
  ),
  heads: v.object({
    ...forEach(TEXT_MODEL_CATEGORIES, () => Head),
    any: v.object({
      ...Head.entries,
      categories: v.pipe(
        AnyCategories,
        v.description(
          "Those that the policy requires of a text: `any` holds for policies that require no other.",
        ),
      ),
    }),
  }),
  tier0: v.pipe(
    v.nullable(CascadeRules),
    v.description(
      "What was found, as a policy's `tier0` takes it; null: nothing. It is not applied: PATCH the policy with it.",
    ),
  ),
});

const toThreshold = ({ status, threshold, measured, needed }: CalibratedThreshold) => ({
  status,
  threshold,
  measured: { ...measured },
  needed,
});

const toHead = ({ allowBelow, blockAbove, decided }: CalibratedHead) => ({
  allow_below: toThreshold(allowBelow),
  block_above: toThreshold(blockAbove),
  decided: { ...decided },
});

export const toCalibration = (
  { name, version }: Pick<PolicyVersion, "name" | "version">,
  { maxMissRate, confidence }: CalibrationTerms,
  { model, examples, heads, categories }: Calibration,
  kept: KeptExamples | null,
): v.InferOutput<typeof CalibrationOutput> => ({
  object: "calibration",
  policy: { name, version },
  model,
  max_miss_rate: maxMissRate,
  confidence,
  examples: { ...examples },
  kept:
    kept === null
      ? null
      : {
          from: isoTime(kept.fromMs),
          to: isoTime(kept.toMs),
          read: kept.examples.length,
          is_all: kept.isAll,
        },
  heads: {
    ...forEach(TEXT_MODEL_CATEGORIES, (head) => toHead(heads[head])),
    any: { ...toHead(heads.any), categories: [...categories] },
  },
  tier0: rulesOf({ model, heads, categories }, maxMissRate),
});

function rulesOf({ model, heads, categories }: Omit<Calibration, "examples">, maxMissRate: number) {
  const found = CASCADE_HEADS.flatMap((head) => {
    const { allowBelow, blockAbove } = heads[head];
    const block = mayBlock(head) ? blockAbove.threshold : null;
    const allow = allowBelow.threshold;
    // Where a head tells texts apart well, both may be proved for the same scores. These block.
    const isBoth = allow !== null && block !== null && allow > block;
    const thresholds = {
      allow_below: isBoth ? block : allow,
      block_above: block,
      ...(head === "any" && { categories: [...categories] }),
    };
    const isFound = thresholds.allow_below !== null || thresholds.block_above !== null;
    return isFound ? [[head, thresholds] as const] : [];
  });
  const thresholds = Object.fromEntries(found);
  return found.length === 0 ? null : { model, max_miss_rate: maxMissRate, thresholds };
}
