import { describe, expect, it } from "vitest";
import {
  type CheckAnswer,
  type CheckSums,
  foundIn,
  isAskedAgain,
  NOTHING_CHECKED,
  withTenant,
} from "../../../src/domain/tenant/tenant-check.ts";

const counted = (
  violations: readonly number[],
  isComplete = true,
): Exclude<CheckAnswer, "gone" | "unanswered"> => ({
  counts: violations.map((count, at) => ({
    number: at + 1,
    name: `n${at + 1}`,
    checked: at === 0 ? null : 10,
    violations: count,
  })),
  isComplete,
  checkedToMs: isComplete ? null : 5,
  countedAtMs: 7,
  deliveries: { waiting: 2, failed: 1 },
});

const again = (kind: Parameters<typeof isAskedAgain>[0]) =>
  [1, 2, 3].map((tries) => isAskedAgain(kind, tries));

describe("what a look found", () => {
  it.each([
    ["nothing", counted([0, 0]), null],
    ["something that is not zero", counted([0, 3]), "broken"],
    ["something, before it was done", counted([1, 0], false), "broken"],
    ["nothing so far", counted([0, 0], false), "unfinished"],
    ["no answer", "unanswered" as const, "unanswered"],
  ])("is %s", (_, answer, kind) => {
    expect(foundIn(answer)).toBe(kind);
  });

  it("is asked for three times, unless it is certain", () => {
    expect(again("unanswered")).toEqual([true, true, false]);
    expect(again("unfinished")).toEqual([true, true, false]);
    expect(again("broken")).toEqual([false, false, false]);
    expect(again(null)).toEqual([false, false, false]);
  });
});

describe("the sums of a pass", () => {
  it("add up what each tenant counted", () => {
    const answers = [
      counted([0, 0]),
      counted([2, 1]),
      counted([0, 0], false),
      "unanswered",
    ] as const;
    const sums = answers.reduce<CheckSums>(withTenant, NOTHING_CHECKED);
    expect(sums).toEqual({
      checked: 4,
      found: { broken: 1, unfinished: 1, unanswered: 1 },
      counts: [
        { number: 1, name: "n1", checked: null, violations: 2 },
        { number: 2, name: "n2", checked: 30, violations: 1 },
      ],
      deliveries: { waiting: 6, failed: 3 },
    });
  });

  it("know a count that not every tenant has", () => {
    const sums = [counted([0]), counted([0, 4])].reduce<CheckSums>(withTenant, NOTHING_CHECKED);
    expect(sums.counts.map(({ number, violations }) => [number, violations])).toEqual([
      [1, 0],
      [2, 4],
    ]);
  });
});
