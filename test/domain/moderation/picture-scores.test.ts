import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isPictureModel,
  PICTURE_MODEL,
  type PictureClasses,
  pictureScores,
  scaleScore,
  type ScorePoints,
  worseScores,
} from "../../../src/domain/moderation/picture-scores.ts";

const classes = (some: Partial<PictureClasses>): PictureClasses => ({
  drawing: 0,
  hentai: 0,
  neutral: 0,
  porn: 0,
  sexy: 0,
  ...some,
});

describe("what a picture is scored", () => {
  it("adds photographs and drawings", () => {
    expect(pictureScores(classes({ porn: 0.3, hentai: 0.2 })).nsfw).toBe(0.5);
    expect(pictureScores(classes({ porn: 0.5, hentai: 0.3 })).nsfw).toBe(0.7);
    expect(pictureScores(classes({ hentai: 0.8 })).nsfw).toBe(0.7);
  });

  it("never counts people who pose", () => {
    expect(pictureScores(classes({ sexy: 0.89, porn: 0.11 }))).toEqual({
      nsfw: 0.11,
      suggestive: 0.835,
    });
  });

  it("is at most 1, whatever the sum of rounded shares", () => {
    expect(pictureScores(classes({ porn: 0.7, hentai: 0.300_000_1 })).nsfw).toBe(1);
  });

  it("is the worse of two looks, score by score", () => {
    const a = { nsfw: 0.1, suggestive: 0.9 };
    expect(worseScores(a, { nsfw: 0.4, suggestive: 0.2 })).toEqual({ nsfw: 0.4, suggestive: 0.9 });
  });

  it("is known by its model's name, of any version", () => {
    expect(isPictureModel(PICTURE_MODEL)).toBe(true);
    expect(isPictureModel("neurogate/nsfw-mobilenet-v2@2")).toBe(true);
    expect(isPictureModel("neurogate/lexicon@1")).toBe(false);
    expect(isPictureModel("@cf/google/gemma-4-26b-a4b-it")).toBe(false);
    expect(isPictureModel(null)).toBe(false);
  });
});

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
