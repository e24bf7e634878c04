import { describe, expect, it } from "vitest";
import {
  isPictureModel,
  PICTURE_MODEL,
  type PictureClasses,
  pictureScores,
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
