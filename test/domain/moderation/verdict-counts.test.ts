import { describe, expect, it } from "vitest";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import { addLine, NO_TOTALS } from "../../../src/domain/ledger/day-totals.ts";
import { heldItem, makeHold, post } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";
import { foldLines } from "../../../src/domain/usage/usage-fold.ts";
import {
  NO_REVIEW,
  type StageResult,
  type Verdict,
} from "../../../src/domain/moderation/verdict.ts";
import {
  countsOfLine,
  countVerdicts,
  keptCounts,
} from "../../../src/domain/moderation/verdict-counts.ts";

const planned = (content: number, name: PlannedStage["name"], bound: number): PlannedStage => ({
  content,
  name,
  input: "text",
  model: "@cf/a/b",
  fallbacks: [],
  task: "text_generation",
  rateClass: "text_generation",
  calls: [],
  units: {},
  bound: microNeurons(bound),
});

const stage = (name: StageResult["name"], fields: Partial<StageResult> = {}): StageResult => ({
  name,
  input: "text",
  model: null,
  priced_as: null,
  engine: "workers-ai",
  status: "evaluated",
  scores: {},
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...fields,
});

const verdict = (fields: Partial<Verdict> = {}): Verdict => ({
  id: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  decision: "allow",
  approved: true,
  decidedBy: "policy",
  revision: 1,
  actions: [],
  reasons: [],
  coverage: forEach(CATEGORIES, () => "evaluated"),
  stages: [],
  microNeurons: 0,
  policy: { name: "default", version: 1 },
  review: NO_REVIEW,
  batchId: null,
  test: false,
  contentHash: "",
  createdAtMs: 0,
  ...fields,
});

const REUSED = { key: "k", from: { verdictId: "vrd_0", microNeurons: 700 } };

describe("countVerdicts", () => {
  it("counts what was made and what was reused, at what that had cost", () => {
    const verdicts = [verdict(), verdict({ reuse: REUSED }), verdict({ reuse: { key: "k" } })];
    expect(countVerdicts(verdicts, [])).toEqual({ made: 3, reused: 1, saved: 700 });
  });

  it("counts no test input, and nothing where there is nothing", () => {
    expect(countVerdicts([verdict({ test: true })], [])).toEqual({});
    expect(countVerdicts([], [planned(0, "generate", 9)])).toEqual({});
  });

  it("counts what was planned and not required, at its bound, of its own content", () => {
    const notAsked = stage("judge", { status: "not_required" });
    const plan = [planned(0, "judge", 500), planned(1, "judge", 60), planned(1, "sentiment", 7)];
    const verdicts = [
      verdict({ stages: [stage("judge")] }),
      verdict({ stages: [notAsked, stage("sentiment", { status: "not_required" })] }),
    ];
    expect(countVerdicts(verdicts, plan)).toEqual({ made: 2, spared: 2, spared_at_most: 67 });
    // Never planned: a second opinion that a term made needless would have cost nothing.
    expect(countVerdicts([verdict({ stages: [notAsked] })], [])).toEqual({ made: 1 });
  });

  it.each(["not_evaluated", "failed", "timed_out"] as const)(
    "counts a stage that is %s as no saving",
    (status) => {
      const stages = [stage("judge", { status }), stage("tier0", { status })];
      expect(countVerdicts([verdict({ stages })], [planned(0, "judge", 9)])).toEqual({ made: 1 });
    },
  );

  it("counts models inside the Worker where they judge alone", () => {
    const alone = verdict({ stages: [stage("tier0"), stage("picture", { input: "images/0" })] });
    expect(countVerdicts([alone], [])).toEqual({ made: 1, free: 2 });
    const beside = verdict({ stages: [stage("judge"), stage("tier0")] });
    expect(countVerdicts([beside], [planned(0, "judge", 9)])).toEqual({ made: 1 });
  });
});

describe("a line", () => {
  const hold = makeHold({
    callId: "jnl_1",
    requestId: "req_1",
    route: "POST /v1/verdicts",
    keyId: null,
    userId: null,
    day: 20_000,
    admittedAtMs: 20_000 * 86_400_000,
    deadlineMs: 0,
    priceBook: "1",
    stages: [planned(0, "judge", 500)],
  });
  const terms = {
    plan: "free",
    daily: microNeurons(1000),
    overageCap: "unlimited",
    overageUsdPer1000: "0.011",
  } as const;
  const at = { terms, drawn: NOTHING_DRAWN, nowMs: 20_000 * 86_400_000 };
  const line = (verdictId: string | null, counts = {}) => ({
    ...post(hold, hold.stages.map(heldItem), verdictId, at),
    ...(keptCounts(counts, verdictId) !== undefined && { verdicts: counts }),
  });

  it("keeps what its verdict's id does not say", () => {
    expect(keptCounts({ made: 1 }, "vrd_1")).toBeUndefined();
    expect(keptCounts({}, null)).toBeUndefined();
    expect(keptCounts({}, "vrd_1")).toEqual({});
    expect(keptCounts({ made: 2 }, null)).toEqual({ made: 2 });
    expect(keptCounts({ made: 1, reused: 1, saved: 7 }, "vrd_1")).toBeDefined();
  });

  it("counts its charge with its verdicts, and none where there are none", () => {
    expect(countsOfLine(line("vrd_1", { made: 1 }))).toEqual({ made: 1, micro_neurons: 500 });
    expect(countsOfLine(line(null, { made: 3 }))).toEqual({ made: 3, micro_neurons: 500 });
    expect(countsOfLine(line(null))).toEqual({});
    // A test input.
    expect(countsOfLine(line("vrd_1", {}))).toEqual({});
    expect(countsOfLine({ ...line("vrd_1", { made: 1 }), outcome: "expired" })).toEqual({});
  });

  it("adds up alike in the books of the day and in the hours", () => {
    const lines = [
      line("vrd_1", { made: 1 }),
      line(null, { made: 3, reused: 2, saved: 900 }),
      line(null),
    ];
    const sums = { made: 4, micro_neurons: 1000, reused: 2, saved: 900 };
    expect(lines.reduce(addLine, NO_TOTALS).verdicts).toEqual(sums);
    expect([...foldLines(lines).calls.values()].map(({ verdicts }) => verdicts)).toEqual([sums]);
  });
});
