import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import { ON_UNAVAILABLE, type Policy } from "../../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";
import {
  forcedJudgement,
  TEST_INPUTS,
  TEST_OUTCOMES,
} from "../../../src/domain/moderation/test-input.ts";

const policy = defaultPolicy("workers-ai");

describe("a text", () => {
  it.each(TEST_OUTCOMES)("is the test input %s when it is exactly that", (outcome) => {
    expect(TEST_INPUTS.get(`neurogate:test:${outcome}`)).toBe(outcome);
  });

  it.each([
    null,
    "",
    "neurogate:test:",
    "neurogate:test:allow",
    "neurogate:test:approve",
    "neurogate:test:block ",
    " neurogate:test:block",
    "neurogate:test:block\n",
    "Neurogate:test:block",
    "neurogate:test:blocks",
    "neurogate:test:block neurogate:test:block",
    "neurogate:test:bloc\u212a",
    "neurogate\uff1atest\uff1ablock",
    "neurogate:test:constructor",
  ])("is an ordinary one when it is %j", (text) => {
    expect(TEST_INPUTS.has(text)).toBe(false);
  });
});

const noModel = () => {
  throw new Error("no model is looked for");
};

describe("a test input", () => {
  const anyThreshold = fc.option(fc.constantFrom(0, 0.5, 1), { nil: null });
  const anyRule = fc.record({
    inputs: fc.subarray(["text", "image"] as const),
    required: fc.boolean(),
    flag: anyThreshold,
    block: anyThreshold,
    ban: anyThreshold,
  });
  const anyPolicy = fc
    .record({
      rules: fc.array(anyRule, { minLength: CATEGORIES.length, maxLength: CATEGORIES.length }),
      on_unavailable: fc.constantFrom(...ON_UNAVAILABLE),
      evaluate_all: fc.boolean(),
    })
    .map(({ rules, ...rest }): Policy => ({
      ...policy,
      ...rest,
      categories: forEach(
        CATEGORIES,
        (category) => rules[CATEGORIES.indexOf(category)] ?? policy.categories[category],
      ),
    }));
  const anyInputs = fc.constantFrom(
    ["text"] as const,
    ["text", "images/0"] as const,
    ["text", "images/0", "images/1"] as const,
  );

  it("never allows, under no policy and beside no pictures", () => {
    fc.assert(
      fc.property(
        anyPolicy,
        anyInputs,
        fc.constantFrom(...TEST_OUTCOMES),
        (rules, inputs, outcome) => {
          const given = forcedJudgement(rules, inputs, outcome);
          expect(given.approved).toBe(false);
          expect(given.decision).not.toBe("allow");
          if (outcome !== "unavailable") expect(given.decision).toBe(outcome);
          // Nothing of it is said to have been looked at.
          expect(Object.values(given.coverage)).not.toContain("evaluated");
          expect(given.actions.includes("hide_content")).toBe(given.decision === "block");
          expect(given.actions).not.toContain("ban_user");
          expect(given.opensReview).toBe(outcome !== "block");
          expect(given.reasons[0]).toMatchObject({ kind: "test", category: null, input: "text" });
        },
      ),
      { numRuns: 500 },
    );
  });

  it("plans nothing, whatever lies beside it", () => {
    const text = { sentiment: [40], judge: [40] };
    expect(planModeration(policy, [{ text, pictures: 3, test: true }], noModel)).toEqual({
      kind: "planned",
      stages: [],
    });
  });

  it.each([
    ["flag", "flag"],
    ["block", "block"],
    // What such a policy lets through unchecked is at least flagged here.
    ["allow", "flag"],
  ] as const)("unavailable: as if every check failed, under %s", (on_unavailable, decision) => {
    const given = forcedJudgement({ ...policy, on_unavailable }, ["text"], "unavailable");
    expect(given).toMatchObject({
      decision,
      approved: false,
      coverage: { toxicity: "failed", spam: "failed", nsfw: "not_required" },
      opensReview: true,
    });
    const verb = { flag: "flags", block: "blocks", allow: "flags" }[on_unavailable];
    expect(
      given.reasons.map(({ kind, category, message }) => ({ kind, category, message })),
    ).toEqual([
      {
        kind: "test",
        category: null,
        message: "This is the test input for which every check fails.",
      },
      {
        kind: "unavailable",
        category: "spam",
        message: `The check for spam failed; this policy ${verb} what it could not check.`,
      },
      {
        kind: "unavailable",
        category: "toxicity",
        message: `The judge failed; this policy ${verb} what it could not check.`,
      },
    ]);
  });
});
