import { describe, expect, it } from "vitest";
import {
  type HeadScores,
  type ListedWords,
  ofEnglish,
  ofJudge,
  scoreOf,
} from "../../../src/domain/moderation/comment-attributes.ts";

const heads = (some: Partial<HeadScores>): HeadScores => ({
  toxicity: 0,
  hate: 0,
  insult: 0,
  threat: 0,
  sexual: 0,
  ...some,
});

const plain: ListedWords = { profanity: "none", lewdness: "none" };

const explicit = (some: Partial<HeadScores>, lewdness: ListedWords["lewdness"]): number =>
  scoreOf("SEXUALLY_EXPLICIT", ofEnglish(heads(some), { ...plain, lewdness }));

describe("SEXUALLY_EXPLICIT", () => {
  it("is in the range of the worst word, at the place that toxicity gives it", () => {
    for (const [lewdness, least, middle, most] of [
      ["lewd", 0.5, 0.75, 1],
      ["coarse", 0.2, 0.35, 0.5],
      ["none", 0, 0.05, 0.1],
    ] as const) {
      expect([0, 0.5, 1].map((toxicity) => explicit({ toxicity }, lewdness))).toEqual([
        least,
        middle,
        most,
      ]);
    }
  });

  it("is never below the head's score", () => {
    expect(explicit({ sexual: 0.9 }, "none")).toBe(0.9);
    expect(explicit({ sexual: 0.9, toxicity: 0.2 }, "lewd")).toBe(0.9);
  });
});

const attack = (hate: number, toxicity: number): number =>
  scoreOf("IDENTITY_ATTACK", ofEnglish(heads({ hate, toxicity }), plain));

describe("IDENTITY_ATTACK", () => {
  it("needs hate and toxicity, in equal parts", () => {
    expect(attack(0.9, 0.4)).toBe(0.6);
    expect(attack(0.4, 0.9)).toBe(0.6);
    expect(attack(1, 0)).toBe(0);
    expect(attack(0.5, 0.5)).toBe(0.5);
  });
});

describe("a judge's scores", () => {
  it("are the attributes as they are: a judge may score no toxicity, and the lists are English", () => {
    const scores = ofJudge(heads({ hate: 0.8, sexual: 0.7 }));
    expect(scoreOf("IDENTITY_ATTACK", scores)).toBe(0.8);
    expect(scoreOf("SEXUALLY_EXPLICIT", scores)).toBe(0.7);
    expect(scoreOf("PROFANITY", scores)).toBe(0);
  });
});
