import { describe, expect, it } from "vitest";
import {
  calibrated,
  examplesNeeded,
  halfOf,
  type LabelledScore,
  upperBound,
} from "../../../src/domain/moderation/calibration.ts";

const ONE_IN_A_HUNDRED = { maxMissRate: 0.01, confidence: 0.95 };

describe("the bound of Clopper and Pearson", () => {
  // Worked out from the sum of exact binomial terms.
  it.each([
    [0, 10, 0.95, 0.258_866],
    [0, 299, 0.95, 0.009_969],
    [1, 20, 0.95, 0.216_106],
    [5, 100, 0.95, 0.102_253],
    [5, 100, 0.99, 0.125_852],
    [50, 1000, 0.9, 0.060_025],
    [10, 10, 0.95, 1],
  ])("of %i among %i at %f is %f", (wrong, of, confidence, expected) => {
    expect(upperBound(wrong, of, confidence)).toBeCloseTo(expected, 5);
  });

  it("says how many examples are needed without an error", () => {
    expect(examplesNeeded(ONE_IN_A_HUNDRED)).toBe(299);
    expect(upperBound(0, 299, 0.95)).toBeLessThanOrEqual(0.01);
    expect(upperBound(0, 298, 0.95)).toBeGreaterThan(0.01);
    expect(examplesNeeded({ maxMissRate: 0.05, confidence: 0.9 })).toBe(45);
  });
});

const HALVES = ["choose", "measure"] as const;

/** The same scores on both halves. */
const both = (harmful: boolean, scores: readonly number[]): LabelledScore[] =>
  HALVES.flatMap((half) => scores.map((score) => ({ score, harmful, half })));

const many = (count: number, score: number): number[] => Array.from({ length: count }, () => score);

const flagged = (examples: readonly LabelledScore[]): LabelledScore[] =>
  examples.map((one) => ({ ...one, isRandom: false }));

describe("examples that were not drawn at random", () => {
  const harmless = both(false, many(300, 0.2));

  it("never earn a threshold to let texts pass", () => {
    const head = calibrated(
      [...flagged(both(true, many(300, 0.8))), ...harmless],
      ONE_IN_A_HUNDRED,
    );
    expect(head.allowBelow).toMatchObject({
      status: "not_enough_examples",
      measured: { examples: 0 },
      needed: 299,
    });
    const drawn = both(true, many(299, 0.4));
    const more = calibrated([...flagged(both(true, many(300, 0.1))), ...drawn], ONE_IN_A_HUNDRED);
    expect(more.allowBelow).toMatchObject({ status: "found", threshold: 0.4 });
  });

  it("count as harmless texts that are not to be blocked", () => {
    const harmful = { score: 0.9, harmful: true, half: "choose" } as const;
    const examples = [...flagged(both(false, many(299, 0.6))), { ...harmful, isRandom: false }];
    const head = calibrated(examples, ONE_IN_A_HUNDRED);
    expect(head.blockAbove).toMatchObject({ status: "found", threshold: 0.601 });
    // What would be decided is said of a random part of the texts.
    expect(head.decided.texts).toBe(0);
  });
});

describe("thresholds", () => {
  it("to block are none without a harmful example", () => {
    const harmless = both(false, many(300, 0.2));
    const head = calibrated(harmless, ONE_IN_A_HUNDRED);
    expect(head.blockAbove).toMatchObject({ status: "no_harmful_examples", threshold: null });
    expect(head.decided.blocked).toBe(0);
    const one = calibrated(
      [...harmless, { score: 0.9, harmful: true, half: "choose" }],
      ONE_IN_A_HUNDRED,
    );
    expect(one.blockAbove).toMatchObject({ status: "found", threshold: 0.201 });
  });

  it("are those that let through no more than the rate, on both halves", () => {
    // Of 2,000 texts 13 may be on the wrong side; half of them are when a threshold is chosen.
    const harmful = [...many(4, 0.05), ...many(4, 0.1), ...many(1992, 0.4)];
    const harmless = [...many(1990, 0.2), ...many(4, 0.7), ...many(6, 0.95)];
    const head = calibrated([...both(true, harmful), ...both(false, harmless)], ONE_IN_A_HUNDRED);
    expect(head.allowBelow).toMatchObject({
      status: "found",
      threshold: 0.1,
      measured: { examples: 2000, wrong: 4 },
      needed: 299,
    });
    expect(head.allowBelow.measured.bound).toBeCloseTo(upperBound(4, 2000, 0.95), 10);
    expect(head.blockAbove).toMatchObject({
      status: "found",
      threshold: 0.701,
      measured: { examples: 2000, wrong: 6 },
    });
  });

  it("are not given for too few examples, and say how many are needed", () => {
    const head = calibrated(
      [...both(true, many(298, 0.9)), ...both(false, many(298, 0.1))],
      ONE_IN_A_HUNDRED,
    );
    for (const side of [head.allowBelow, head.blockAbove]) {
      expect(side).toMatchObject({ status: "not_enough_examples", threshold: null, needed: 299 });
      expect(side.measured.bound).toBeNull();
    }
  });

  it("are not given where the half that measures disagrees", () => {
    const examples = HALVES.flatMap((half) =>
      many(400, half === "choose" ? 0.6 : 0.5).map((score) => ({ score, harmful: true, half })),
    );
    const { allowBelow } = calibrated(examples, ONE_IN_A_HUNDRED);
    expect(allowBelow).toMatchObject({ status: "not_within_rate", threshold: null });
    expect(allowBelow.measured).toMatchObject({ examples: 400, wrong: 400, bound: 1 });
  });

  it("are none where no score would pass, or none would be blocked", () => {
    const head = calibrated(
      [...both(true, many(300, 0)), ...both(false, many(300, 1))],
      ONE_IN_A_HUNDRED,
    );
    expect(head.allowBelow).toMatchObject({ status: "not_within_rate", threshold: null });
    expect(head.blockAbove).toMatchObject({ status: "not_within_rate", threshold: null });
  });
});

describe("halves", () => {
  it("are of the text alone, and about as large", () => {
    const texts = Array.from({ length: 4000 }, (_, at) => `A comment, number ${at}`);
    const chosen = texts.filter((text) => halfOf(text) === "choose").length;
    expect(halfOf("A comment")).toBe(halfOf("A comment"));
    expect(chosen).toBeGreaterThan(1850);
    expect(chosen).toBeLessThan(2150);
  });
});
