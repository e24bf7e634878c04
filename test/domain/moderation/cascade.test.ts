import { describe, expect, it } from "vitest";
import {
  type AnyThresholds,
  type Cascade,
  cascadeOf,
  type CascadeHead,
  requiredOfText,
} from "../../../src/domain/moderation/cascade.ts";
import {
  type Category,
  JUDGED_CATEGORIES,
  type Scores,
} from "../../../src/domain/moderation/category.ts";
import type { CategoryRule, Policy } from "../../../src/domain/moderation/policy.ts";
import { presetPolicy } from "../../../src/domain/moderation/presets.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../../src/domain/moderation/text-model.ts";
import type { StageResult } from "../../../src/domain/moderation/verdict.ts";

const preset = presetPolicy("default", "workers-ai");

type Thresholds = Partial<Record<CascadeHead, Partial<AnyThresholds>>>;

const withThresholds = (thresholds: Thresholds, policy: Policy = preset): Policy => ({
  ...policy,
  tier0: {
    model: TEXT_MODEL,
    thresholds: Object.fromEntries(
      Object.entries(thresholds).map(([head, one]) => [
        head,
        { allow_below: null, block_above: null, ...one },
      ]),
    ),
  },
});

/** A policy that requires these categories of a text, and no other of a judge. */
const requiring = (required: readonly Category[], thresholds: Thresholds): Policy => {
  const categories = { ...preset.categories };
  for (const category of JUDGED_CATEGORIES) {
    categories[category] = { ...categories[category], required: required.includes(category) };
  }
  return withThresholds(thresholds, { ...preset, categories });
};

/** A policy that requires nothing of a text but what the model has heads for. */
const headsOnly = (thresholds: Thresholds): Policy => requiring(TEXT_MODEL_CATEGORIES, thresholds);

const read = (scores: Scores, fields: Partial<StageResult> = {}): StageResult => ({
  name: "tier0",
  input: "text",
  model: TEXT_MODEL,
  priced_as: null,
  engine: "embedded",
  status: "evaluated",
  scores: { ...Object.fromEntries(TEXT_MODEL_CATEGORIES.map((name) => [name, 0.05])), ...scores },
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...fields,
});

const ANY = {
  any: { allow_below: 0.2, block_above: 0.95, categories: requiredOfText(preset) },
};
const NOT_FOR_HATE = {
  any: { ...ANY.any, categories: ANY.any.categories.filter((one) => one !== "hate") },
};
const FOR_NO_LIST = { any: { allow_below: 0.2, block_above: 0.95 } };

/** The default policy with a rule for `illicit/violent`, which it does not require. */
const withIllicit = (rule: Partial<CategoryRule>): Policy => {
  const { categories } = preset;
  const illicit = { ...categories["illicit/violent"], ...rule };
  return { ...preset, categories: { ...categories, "illicit/violent": illicit } };
};
const EACH = Object.fromEntries(
  TEXT_MODEL_CATEGORIES.map((category) => [category, { allow_below: 0.2 }]),
);

const kindOf = (cascade: Cascade | null) => cascade?.kind ?? null;

describe("what the text model decides alone", () => {
  it.each<[string, Policy, StageResult, Cascade["kind"] | null]>([
    ["nothing without thresholds", preset, read({}), null],
    ["a text below the threshold of all", withThresholds(ANY), read({}), "allow"],
    ["not one on the threshold", withThresholds(ANY), read({ hate: 0.2 }), null],
    ["a text over it", withThresholds(ANY), read({ toxicity: 0.95 }), "block"],
    ["not what lies between", withThresholds(ANY), read({ toxicity: 0.949 }), null],
    [
      "nothing by another version",
      withThresholds(ANY),
      read({}, { model: "neurogate/tier0@0" }),
      null,
    ],
    [
      "nothing that it did not read whole",
      withThresholds(ANY),
      read({}, { status: "not_evaluated" }),
      null,
    ],
    ["no text in which it sees a child", withThresholds(ANY), read({ "sexual/minors": 0.2 }), null],
    [
      "by categories where it has a head for all that is required",
      headsOnly(EACH),
      read({}),
      "allow",
    ],
    ["not where it has not", withThresholds(EACH), read({}), null],
    ["not with one head too high", headsOnly(EACH), read({ sexual: 0.2 }), null],
    [
      "not with one head that was not calibrated",
      headsOnly({ ...EACH, hate: { allow_below: null } }),
      read({}),
      null,
    ],
    [
      "a category over its own threshold",
      withThresholds({ hate: { block_above: 0.8 } }),
      read({ hate: 0.8 }),
      "block",
    ],
    [
      "not another one",
      withThresholds({ hate: { block_above: 0.8 } }),
      read({ toxicity: 0.99 }),
      null,
    ],
    [
      "nothing by `any` where a category is required that it was not calibrated for",
      withThresholds(ANY, withIllicit({ required: true })),
      read({}),
      null,
    ],
    [
      "no block either",
      withThresholds(ANY, withIllicit({ required: true })),
      read({ toxicity: 0.99 }),
      null,
    ],
    [
      "a text where that category is required of pictures alone",
      withThresholds(ANY, withIllicit({ required: true, inputs: ["image"] })),
      read({}),
      "allow",
    ],
    ["nothing by `any` without a category of a head", withThresholds(NOT_FOR_HATE), read({}), null],
    ["nothing by `any` that names no categories", withThresholds(FOR_NO_LIST), read({}), null],
    ["not where nothing is required either", requiring([], FOR_NO_LIST), read({}), null],
    ["nor a block", withThresholds(FOR_NO_LIST), read({ toxicity: 0.99 }), null],
    [
      "by categories where `any` does not apply",
      headsOnly({ ...EACH, ...FOR_NO_LIST }),
      read({}),
      "allow",
    ],
    [
      "a text under a policy that requires less than `any` was calibrated for",
      headsOnly(ANY),
      read({}),
      "allow",
    ],
    [
      "nobody in distress is blocked",
      withThresholds(ANY),
      read({ toxicity: 0.99, "self-harm": 0.5 }),
      null,
    ],
  ])("%s", (_, policy, stage, expected) => {
    expect(kindOf(cascadeOf(policy, stage))).toBe(expected);
  });

  it("names the categories that were calibrated and not scored", () => {
    const cascade = cascadeOf(withThresholds(ANY), read({}));
    const { categories } = preset;
    expect(cascade).toEqual({
      kind: "allow",
      calibrated: JUDGED_CATEGORIES.filter(
        (category) =>
          categories[category].required &&
          !(TEXT_MODEL_CATEGORIES as readonly Category[]).includes(category),
      ),
    });
    expect(cascade).toMatchObject({ calibrated: expect.arrayContaining(["violence"]) });
  });

  it("blocks by the lower of two thresholds, and names the score", () => {
    const policy = withThresholds({ ...ANY, hate: { block_above: 0.7 } });
    expect(cascadeOf(policy, read({ hate: 0.75, toxicity: 0.8 }))).toEqual({
      kind: "block",
      category: "hate",
      score: 0.75,
      threshold: 0.7,
    });
  });
});
