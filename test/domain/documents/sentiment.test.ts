import { describe, expect, it } from "vitest";
import { positiveOf, sentimentOf } from "../../../src/domain/documents/sentiment.ts";

const label = (name: string, score: number) => ({ name, score });

describe("positiveOf", () => {
  it.each([
    ["both labels", [label("POSITIVE", 0.875), label("NEGATIVE", 0.125)], 0.875],
    ["labels of another order and case", [label("negative", 0.75), label("positive", 0.25)], 0.25],
    ["one label", [label("NEGATIVE", 0.25)], 0.75],
    ["labels that do not add up to 1", [label("POSITIVE", 0), label("NEGATIVE", 0)], 0.5],
    ["no label", [], null],
    ["labels of another question", [label("SPAM", 0.9), label("POSITIVE", 0.1)], null],
  ])("reads %s", (_, labels, positive) => {
    expect(positiveOf(labels)).toBe(positive);
  });
});

describe("sentimentOf", () => {
  it("weighs the windows by their tokens", () => {
    const windows = [
      { positive: 1, tokens: 300 },
      { positive: 0, tokens: 100 },
    ];
    expect(sentimentOf(windows)).toEqual({ label: "positive", score: 0.75 });
  });

  it("is none without an answer", () => {
    expect(sentimentOf([])).toBeNull();
  });
});
