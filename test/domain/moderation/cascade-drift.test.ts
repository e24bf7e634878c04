import { describe, expect, it } from "vitest";
import { lowerBound, upperBound } from "../../../src/domain/moderation/calibration.ts";
import {
  addDrift,
  brokenPromises,
  driftOf,
  NO_DRIFT,
} from "../../../src/domain/moderation/cascade-drift.ts";
import type { Policy } from "../../../src/domain/moderation/policy.ts";
import { presetPolicy } from "../../../src/domain/moderation/presets.ts";
import { TEXT_MODEL } from "../../../src/domain/moderation/text-model.ts";
import type { DecidedSample, StageResult } from "../../../src/domain/moderation/verdict.ts";

const policy: Policy = {
  ...presetPolicy("default", "workers-ai"),
  tier0: { model: TEXT_MODEL, thresholds: { any: { allow_below: 0.2, block_above: 0.9 } } },
};

const stages = (sample: DecidedSample, status: StageResult["status"] = "evaluated") => [
  {
    name: "judge",
    input: "text",
    model: "@cf/a/b",
    priced_as: "@cf/a/b",
    engine: "workers-ai",
    status,
    scores: {},
    latency_ms: 0,
    micro_neurons: 10,
    basis: "measured",
    measurements: null,
    sample,
  } satisfies StageResult,
];

describe("what a text of the sample adds", () => {
  it("is a miss where it passed, by category and of any", () => {
    // Nothing was promised of `illicit`: it is not required, and has no threshold.
    const sample = { decided: "allow", harmful: ["hate", "illicit"] } as const;
    expect(driftOf(policy, stages(sample))).toEqual({
      harmful: { hate: 1, any: 1 },
      missed: { hate: 1, any: 1 },
      harmless: 0,
      blocked: {},
    });
  });

  it("is a wrong block where the judge finds nothing", () => {
    const sample = { decided: "block", blockedFor: "toxicity", harmful: [] } as const;
    expect(driftOf(policy, stages(sample))).toEqual({
      harmful: {},
      missed: {},
      harmless: 1,
      blocked: { toxicity: 1, any: 1 },
    });
  });

  it("counts what was left to the judge, and right blocks, as examples", () => {
    const left = driftOf(policy, stages({ decided: null, harmful: ["hate"] }));
    expect(left).toMatchObject({ harmful: { hate: 1, any: 1 }, missed: {} });
    const right = driftOf(
      policy,
      stages({ decided: "block", blockedFor: "hate", harmful: ["hate"] }),
    );
    expect(right).toMatchObject({ harmful: { hate: 1, any: 1 }, missed: {}, blocked: {} });
  });

  it("is nothing where the judge did not answer", () => {
    expect(driftOf(policy, stages({ decided: "allow", harmful: [] }, "failed"))).toBeNull();
    expect(driftOf(policy, [])).toBeNull();
  });

  it("adds up", () => {
    const one = { harmful: { any: 1 }, missed: {}, harmless: 2, blocked: { any: 1 } };
    expect(addDrift(addDrift(NO_DRIFT, one), one)).toEqual({
      harmful: { any: 2 },
      missed: {},
      harmless: 4,
      blocked: { any: 2 },
    });
  });
});

describe("the lower bound", () => {
  it("is that of Clopper and Pearson", () => {
    // All of 20: the bound is the 20th root of 1 %.
    expect(lowerBound(20, 20, 0.99)).toBeCloseTo(0.01 ** (1 / 20), 6);
    expect(lowerBound(0, 20, 0.99)).toBe(0);
    // The other side of the other count.
    expect(lowerBound(7, 50, 0.95)).toBeCloseTo(1 - upperBound(43, 50, 0.95), 6);
  });
});

const drift = (missed: number, harmful: number) => ({
  ...NO_DRIFT,
  harmful: { any: harmful },
  missed: { any: missed },
});

describe("a broken promise", () => {
  it("is one whose lower bound is over the promised rate", () => {
    // 4 of 50 are at least 1.7 % with 99 %, 5 at least 2.6 %.
    expect(brokenPromises(drift(4, 50), 0.02)).toEqual([]);
    expect(brokenPromises(drift(5, 50), 0.02)).toEqual([
      { kind: "missed", category: "any", examples: 50, wrong: 5, bound: lowerBound(5, 50, 0.99) },
    ]);
    expect(brokenPromises(drift(5, 50), 0.05)).toEqual([]);
  });

  it("needs enough texts", () => {
    expect(brokenPromises(drift(19, 19), 0.02)).toEqual([]);
    expect(brokenPromises(drift(20, 20), 0.02)).toHaveLength(1);
  });

  it("is found of blocks too, among harmless texts", () => {
    const wrong = { ...NO_DRIFT, harmless: 100, blocked: { toxicity: 9, any: 9 } };
    expect(brokenPromises(wrong, 0.02).map(({ kind, category }) => [kind, category])).toEqual([
      ["wrong_block", "toxicity"],
      ["wrong_block", "any"],
    ]);
  });
});
