import { describe, expect, it } from "vitest";
import { CATEGORIES, forEach, type Scores } from "../../../src/domain/moderation/category.ts";
import {
  CHECK_STATUSES,
  type CheckStatus,
  isPartial,
  scoresOf,
  type StageName,
  type StageResult,
  worst,
} from "../../../src/domain/moderation/verdict.ts";

describe("worst", () => {
  it("is failed, timed_out, not_evaluated, evaluated, not_required, in that order", () => {
    expect(CHECK_STATUSES).toEqual([
      "failed",
      "timed_out",
      "not_evaluated",
      "evaluated",
      "not_required",
    ]);
    for (const [at, status] of CHECK_STATUSES.entries()) {
      for (const other of CHECK_STATUSES.slice(at)) {
        expect(worst([status, other])).toBe(status);
        expect(worst([other, status])).toBe(status);
      }
    }
    expect(worst([])).toBe("not_required");
  });
});

const unmadeStatuses: readonly CheckStatus[] = ["failed", "timed_out", "not_evaluated"];

const stage = (
  name: StageName,
  scores: Scores,
  fields: Partial<StageResult> = {},
): StageResult => ({
  name,
  input: "text",
  model: null,
  priced_as: null,
  engine: "rules",
  status: "evaluated",
  scores,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...fields,
});

describe("isPartial", () => {
  const ALL = forEach(CATEGORIES, (): CheckStatus => "evaluated");

  it.each(CHECK_STATUSES.map((status) => [status, unmadeStatuses.includes(status)] as const))(
    "a category that is %s: %s",
    (status, partial) => {
      expect(isPartial({ coverage: { ...ALL, hate: status } })).toBe(partial);
    },
  );
});

describe("scoresOf", () => {
  it("is the maximum over inputs, in any order", () => {
    const stages = [
      stage("vision", { nsfw: 0.2 }, { input: "images/0" }),
      stage("vision", { nsfw: 0.9 }, { input: "images/1" }),
      stage("vision", { nsfw: 0 }, { input: "images/2" }),
      stage("judge", { toxicity: 0 }),
    ];
    expect(scoresOf(stages)).toEqual({ nsfw: 0.9, toxicity: 0 });
    expect(scoresOf(stages.toReversed())).toEqual({ nsfw: 0.9, toxicity: 0 });
  });

  it("leaves out what was not evaluated, and the lexicon's second opinion", () => {
    const stages = [
      stage("judge", {}, { status: "timed_out" }),
      stage("lexicon", { toxicity: 1 }),
      stage("spam", { spam: 0.35 }),
    ];
    expect(scoresOf(stages)).toEqual({ spam: 0.35 });
    expect(scoresOf([])).toEqual({});
  });
});
