import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addLine,
  addRefused,
  type DayTotals,
  NO_TOTALS,
  countsOfLine,
  countVerdicts,
  keptCounts,
} from "../../../src/domain/ledger/day-totals.ts";
import {
  type Item,
  type JournalLine,
  makeHold,
  post,
  heldItem,
} from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";
import {
  NO_REVIEW,
  type StageResult,
  type Verdict,
} from "../../../src/domain/moderation/verdict.ts";
import { foldLines } from "../../../src/domain/usage/usage-fold.ts";
import { itemOf, stageOf, unasked } from "./ledger-fixtures.ts";

const lineOf = (
  items: readonly Item[],
  { drawnBefore = 0, rate = "0.011" }: { drawnBefore?: number; rate?: string } = {},
): JournalLine =>
  post(
    makeHold({
      callId: "jnl_01",
      requestId: "req_01",
      route: "POST /v1/verdicts",
      keyId: null,
      userId: null,
      day: 20_777,
      admittedAtMs: 0,
      deadlineMs: 90_000,
      priceBook: "2026-09",
      stages: [stageOf(1_000_000)],
    }),
    items,
    null,
    {
      terms: {
        plan: "paid",
        daily: microNeurons(100),
        overageCap: "unlimited",
        overageUsdPer1000: rate,
      },
      drawn: {
        quota: microNeurons(drawnBefore),
        granted: microNeurons(0),
        overage: microNeurons(0),
      },
      nowMs: 1,
    },
  );

const totalOf = ({ models }: DayTotals): number =>
  Object.values(models).reduce((total, each) => total + each.microNeurons, 0);

describe("addLine", () => {
  it("adds up by what ran, on which engine, at whose price", () => {
    const labels = { model: "@cf/microsoft/resnet-50", pricedAs: "@cf/microsoft/resnet-50" };
    const first = lineOf([
      itemOf(30, { calls: 2, units: { input_token: 20, output_token: 3 } }),
      itemOf(5, { ...labels, task: "image_classification", units: { image: 1 }, basis: "counted" }),
      unasked,
    ]);
    const second = lineOf([
      itemOf(40, { basis: "held", failed: true }),
      itemOf(7, { basis: "estimated", engine: "embedded", model: "neurogate/lexicon@1" }),
    ]);
    const totals = addLine(addLine(NO_TOTALS, first), second);
    const llama = "@cf/meta/llama-3.1-8b-instruct-fp8";
    expect(totals).toEqual({
      calls: 2,
      overrun: 0,
      models: {
        [`workers-ai|${llama}|${llama}`]: {
          model: llama,
          engine: "workers-ai",
          pricedAs: llama,
          task: "text_generation",
          engineRequests: 3,
          failed: 1,
          units: { input_token: 30, output_token: 3 },
          microNeurons: 70,
          estimated: 0,
          held: 40,
        },
        "workers-ai|@cf/microsoft/resnet-50|@cf/microsoft/resnet-50": {
          model: "@cf/microsoft/resnet-50",
          engine: "workers-ai",
          pricedAs: "@cf/microsoft/resnet-50",
          task: "image_classification",
          engineRequests: 1,
          failed: 0,
          units: { image: 1 },
          microNeurons: 5,
          estimated: 0,
          held: 0,
        },
        [`embedded|neurogate/lexicon@1|${llama}`]: {
          model: "neurogate/lexicon@1",
          engine: "embedded",
          pricedAs: llama,
          task: "text_generation",
          engineRequests: 1,
          failed: 0,
          units: { input_token: 10 },
          microNeurons: 7,
          estimated: 7,
          held: 0,
        },
      },
      overageByRate: {},
      refused: {},
    });
    expect(NO_TOTALS.models).toEqual({});
  });

  it("keeps overage by the rate at which it was drawn", () => {
    const lines = [
      lineOf([itemOf(30)], { drawnBefore: 90 }),
      lineOf([itemOf(5)], { drawnBefore: 100 }),
      lineOf([itemOf(8)], { drawnBefore: 100, rate: "0.02" }),
      lineOf([itemOf(8)], { rate: "0.03" }),
    ];
    const { overageByRate } = lines.reduce(addLine, NO_TOTALS);
    expect(overageByRate).toEqual({ "0.011": 25, "0.02": 8 });
  });

  it("counts a call that was voided, and what a call ran over", () => {
    const over = lineOf([itemOf(1_000_000, { overrun: microNeurons(9) })]);
    const totals = [lineOf([unasked]), over].reduce(addLine, NO_TOTALS);
    expect(totals).toMatchObject({ calls: 2, overrun: 9 });
  });

  it("is the sum of its lines, whatever the order", () => {
    const item = fc.record({
      amount: fc.nat(500_000),
      model: fc.constantFrom("a", "b", "c|d", "__proto__", "constructor", null),
    });
    const anyLine = fc
      .array(item, { maxLength: 4 })
      .map((items) => lineOf(items.map(({ amount, model }) => itemOf(amount, { model }))));
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 10 }), (lines) => {
        const items = lines.flatMap((line) => line.items.filter(({ model }) => model !== null));
        const totals = lines.reduce(addLine, NO_TOTALS);
        expect(totals.calls).toBe(lines.length);
        expect(totalOf(totals)).toBe(items.reduce((sum, each) => sum + each.microNeurons, 0));
        expect(lines.toReversed().reduce(addLine, NO_TOTALS)).toEqual(totals);
      }),
    );
  });
});

describe("addRefused", () => {
  it("counts by kind, and nothing else", () => {
    const once = addRefused(NO_TOTALS, "rate_limited", 3);
    const totals = addRefused(addRefused(once, "rate_limited", 9), "quota_exceeded", 1);
    expect(totals).toEqual({ ...NO_TOTALS, refused: { rate_limited: 12, quota_exceeded: 1 } });
  });
});

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

  it("counts the texts of the sample that were decided, and by category the judge's objections", () => {
    const sampled = (
      sample: NonNullable<StageResult["sample"]>,
      status: StageResult["status"] = "evaluated",
    ) => verdict({ stages: [stage("tier0"), stage("judge", { sample, status })] });
    const verdicts = [
      sampled({ decided: "allow", harmful: [] }),
      sampled({ decided: "allow", harmful: ["hate", "violence"] }),
      sampled({ decided: "block", blockedFor: "hate", harmful: [] }),
      sampled({ decided: "block", blockedFor: "hate", harmful: ["toxicity"] }),
      // These say nothing: no answer, no decision, and somebody else's scores.
      sampled({ decided: "allow", harmful: [] }, "failed"),
      sampled({ decided: null, harmful: ["hate"] }),
      verdict({ reuse: REUSED, stages: sampled({ decided: "allow", harmful: ["hate"] }).stages }),
    ];
    expect(countVerdicts(verdicts, [])).toMatchObject({
      compared: 4,
      "disagreed:hate": 2,
      "disagreed:violence": 1,
    });
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
