import { describe, expect, it } from "vitest";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import { isRandom, reviewedText } from "../../../src/domain/moderation/labelled-text.ts";
import { NO_REVIEW, type Reason, type Verdict } from "../../../src/domain/moderation/verdict.ts";

const reason = (fields: Partial<Reason>): Reason => ({
  kind: "score",
  category: "hate",
  input: "text",
  score: 0.6,
  threshold: 0.5,
  message: "",
  ...fields,
});

const decided = (decision: Verdict["decision"], fields: Partial<Verdict> = {}): Verdict => ({
  id: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: "en",
  decision,
  approved: decision === "allow",
  decidedBy: "review",
  revision: 2,
  actions: [],
  reasons: [],
  coverage: forEach(CATEGORIES, () => "evaluated"),
  stages: [],
  microNeurons: 0,
  policy: { name: "default", version: 1 },
  review: { ...NO_REVIEW, state: "done", origin: "policy" },
  batchId: null,
  test: false,
  contentHash: "",
  createdAtMs: 0,
  ...fields,
});

const SAMPLE = { review: { ...NO_REVIEW, state: "done", origin: "sample" } } as const;
const TEXT = { text: "Nobody wants you here.", pictures: [] };

describe("a person's decision", () => {
  it("to allow says that nothing in the text is harmful", () => {
    const example = reviewedText(decided("allow"), TEXT);
    expect(example).toMatchObject({ text: TEXT.text, source: "review", harmful: false });
    expect(example?.labels).toMatchObject({ toxicity: false, violence: false });
  });

  it("to block says what the policy named, and nothing of the rest", () => {
    const reasons = [
      reason({}),
      reason({ category: "toxicity", input: "images/0/text" }),
      reason({ category: "violence", kind: "unavailable" }),
      reason({ category: "spam" }),
    ];
    expect(reviewedText(decided("block", { reasons }), TEXT)).toEqual({
      text: TEXT.text,
      source: "review",
      harmful: true,
      labels: { hate: true },
    });
    expect(reviewedText(decided("flag"), TEXT)).toMatchObject({ harmful: true, labels: {} });
  });

  it("is of a random text where it was drawn", () => {
    expect(reviewedText(decided("allow", SAMPLE), TEXT)?.source).toBe("sample");
    expect(["sample", "given"].map((source) => isRandom({ source } as never))).toEqual([
      true,
      true,
    ]);
    expect(["review", "suggestion"].map((source) => isRandom({ source } as never))).toEqual([
      false,
      false,
    ]);
  });

  it.each([
    ["is not made", decided("allow", { decidedBy: "policy" }), TEXT],
    ["is doubted again", decided("allow", { review: { ...NO_REVIEW, state: "open" } }), TEXT],
    ["is of a test input", decided("allow", { test: true }), TEXT],
    ["is of pictures too", decided("allow"), { ...TEXT, pictures: [null] }],
    ["is of no text", decided("allow"), { text: null, pictures: [] }],
    ["is of a very long text", decided("allow"), { ...TEXT, text: "a".repeat(10_001) }],
  ])("says nothing where it %s", (_, verdict, content) => {
    expect(reviewedText(verdict, content)).toBeNull();
  });
});
