import { describe, expect, it } from "vitest";
import { BLOCK_AT, HEADS } from "../../src/tier0/heads.ts";
import {
  calibrationsOf,
  MOST_WINDOWS,
  onPolicyScale,
  windowsOf,
  worthReading,
} from "../../src/tier0/tier0.ts";
import { readWeights } from "../../src/tier0/weights.ts";
import { theWeights } from "./the-weights.ts";

const logits = (of: Partial<Record<number, number>>) =>
  Float64Array.from(HEADS, (_, head) => of[head] ?? 0);

describe("windows", () => {
  it("cover every token, and overlap", () => {
    expect(windowsOf(0)).toEqual([]);
    expect(windowsOf(64)).toEqual([{ from: 0, to: 64 }]);
    expect(windowsOf(65)).toEqual([
      { from: 0, to: 64 },
      { from: 48, to: 65 },
    ]);
    for (const tokens of [1, 64, 100, 112, 113, 1_000]) {
      const windows = windowsOf(tokens);
      expect(windows.at(-1)?.to).toBe(tokens);
      for (const [at, { from }] of windows.entries()) {
        if (at > 0) expect(from).toBeLessThan(windows[at - 1]?.to ?? 0);
      }
    }
  });

  it("are all read while they are few", () => {
    expect(worthReading(Array.from({ length: MOST_WINDOWS }, () => logits({})))).toHaveLength(16);
  });

  it("are chosen for each head: many of one kind do not hide one of another", () => {
    const quick = Array.from({ length: 400 }, (_, at) => logits({ 0: at < 300 ? 9 : 0 }));
    quick[350] = logits({ 5: 1 });
    const chosen = worthReading(quick);
    expect(chosen).toHaveLength(MOST_WINDOWS);
    expect(chosen).toContain(350);
  });
});

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
