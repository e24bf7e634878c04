import { describe, expect, it } from "vitest";
import { BLOCK_AT, HEADS } from "../../src/tier0/heads.ts";
import { calibrationsOf, onPolicyScale } from "../../src/tier0/points.ts";
import { readWeights } from "../../src/tier0/weights.ts";
import { theWeights } from "./the-weights.ts";

describe("a policy's scale", () => {
  const weights = readWeights(theWeights());
  const calibrations = weights === null ? [] : calibrationsOf(weights);

  it.each(HEADS.map((head, at) => [head, at] as const))(
    "has the points of %s where presets expect them",
    (head, at) => {
      const by = calibrations[at];
      if (by === undefined) throw new Error("no calibration");
      expect(by.block).toBeGreaterThan(by.flag);
      expect(onPolicyScale(head, by, by.flag)).toBe(0.5);
      expect(onPolicyScale(head, by, by.block)).toBeCloseTo(BLOCK_AT[head], 10);
    },
  );

  it("keeps the order of logits", () => {
    const by = { net: 1, ngrams: 0, bias: 0, flag: -1, block: 2 };
    const scores = [-30, -5, -1.1, -1, -0.9, 0, 2, 5, 30].map((logit) =>
      onPolicyScale("hate", by, logit),
    );
    expect(scores.toSorted((a, b) => a - b)).toEqual(scores);
    expect(new Set(scores).size).toBe(scores.length);
  });
});
