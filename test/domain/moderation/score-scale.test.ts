import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ScorePoints, scaleScore } from "../../../src/domain/moderation/picture-scores.ts";

const POINTS = { flag: 0.5, block: 0.8 };

describe("a score on the scale of policies", () => {
  it.each([
    [0, 0],
    [0.25, 0.25],
    [0.499_999, 0.499],
    [0.5, 0.5],
    [0.65, 0.6],
    [0.799_999, 0.699],
    [0.8, 0.7],
    [0.9, 0.85],
    [1, 1],
  ])("%f is %f", (raw, score) => {
    expect(scaleScore(raw, POINTS)).toBeCloseTo(score, 10);
  });

  it("blocks elsewhere where the default policy does", () => {
    expect(scaleScore(0.8, POINTS, 0.9)).toBe(0.9);
    expect(scaleScore(0.799, POINTS, 0.9)).toBeLessThan(0.9);
  });

  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const points: fc.Arbitrary<ScorePoints> = fc
    .tuple(fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 98 }))
    .filter(([a, b]) => a !== b)
    .map(([a, b]) => ({ flag: Math.min(a, b) / 100, block: Math.max(a, b) / 100 }));

  it("reaches a threshold exactly where the model reaches its point", () => {
    fc.assert(
      fc.property(unit, points, (raw, at) => {
        const score = scaleScore(raw, at);
        expect(score >= 0.5).toBe(raw >= at.flag);
        expect(score >= 0.7).toBe(raw >= at.block);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("never falls where the raw score rises", () => {
    fc.assert(
      fc.property(unit, unit, points, (a, b, at) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(scaleScore(low, at)).toBeLessThanOrEqual(scaleScore(high, at));
      }),
    );
  });
});
