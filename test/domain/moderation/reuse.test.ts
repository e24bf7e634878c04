import { describe, expect, it } from "vitest";
import { isDecidedAlone } from "../../../src/domain/moderation/cascade.ts";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import { mayBeReused, reusedVerdict } from "../../../src/domain/moderation/reuse.ts";
import {
  NO_REVIEW,
  type Reason,
  type StageResult,
  type Verdict,
} from "../../../src/domain/moderation/verdict.ts";

const STAGE: StageResult = {
  name: "judge",
  input: "text",
  model: "@cf/a/b",
  priced_as: "@cf/a/b",
  engine: "workers-ai",
  status: "evaluated",
  scores: { toxicity: 0.95 },
  latency_ms: 612,
  micro_neurons: 700,
  basis: "measured",
  measurements: null,
};

const REASON: Reason = {
  kind: "score",
  category: "toxicity",
  input: "text",
  score: 0.95,
  threshold: 0.7,
  message: "toxicity is 0.95",
  spans: [{ start: 0, end: 4 }],
};

const VERDICT: Verdict = {
  id: "vrd_1",
  contentId: "post_1",
  userId: "ann",
  metadata: { thread: "t_1" },
  language: "en",
  decision: "block",
  approved: false,
  decidedBy: "policy",
  revision: 1,
  actions: ["hide_content", "warn_user"],
  reasons: [REASON],
  coverage: forEach(CATEGORIES, () => "evaluated"),
  stages: [STAGE],
  microNeurons: 700,
  policy: { name: "default", version: 3 },
  review: NO_REVIEW,
  batchId: "bat_1",
  test: false,
  contentHash: "hash",
  reuse: { key: "k", bans: true },
  createdAtMs: 1,
};

describe("mayBeReused", () => {
  it("holds for what was wholly judged, also while its review is open", () => {
    expect(mayBeReused(VERDICT)).toBe(true);
    const open = { ...NO_REVIEW, state: "open", origin: "policy" } as const;
    expect(mayBeReused({ ...VERDICT, review: open })).toBe(true);
    const skipped: StageResult = { ...STAGE, name: "sentiment", status: "not_required" };
    expect(mayBeReused({ ...VERDICT, stages: [STAGE, skipped] })).toBe(true);
  });

  const { reuse: _reuse, ...withoutKey } = VERDICT;
  it.each<[string, Verdict]>([
    ["has no key", withoutKey],
    [
      "was reused itself",
      { ...VERDICT, reuse: { key: "k", from: { verdictId: "v", microNeurons: 1 } } },
    ],
    ["cost nothing", { ...VERDICT, microNeurons: 0 }],
    ["is a test", { ...VERDICT, test: true }],
    ["is partial", { ...VERDICT, coverage: { ...VERDICT.coverage, weapons: "not_evaluated" } }],
    ["has a stage that failed", { ...VERDICT, stages: [STAGE, { ...STAGE, status: "failed" }] }],
    ["timed out", { ...VERDICT, stages: [{ ...STAGE, status: "timed_out" }] }],
    ["was not read", { ...VERDICT, stages: [{ ...STAGE, status: "not_evaluated" }] }],
    ["was decided by a person", { ...VERDICT, decidedBy: "review" }],
    ["has another revision", { ...VERDICT, revision: 2 }],
    ["was reported", { ...VERDICT, review: { ...NO_REVIEW, state: "open", origin: "report" } }],
    ["was drawn by lot", { ...VERDICT, review: { ...NO_REVIEW, state: "open", origin: "sample" } }],
    ["was appealed", { ...VERDICT, review: { ...NO_REVIEW, state: "claimed", origin: "appeal" } }],
  ])("does not hold for one that %s", (_, verdict) => {
    expect(mayBeReused(verdict)).toBe(false);
  });
});

describe("reusedVerdict", () => {
  const own = {
    id: "vrd_2",
    contentId: null,
    userId: "bob",
    metadata: {},
    batchId: null,
    contentHash: "other",
    createdAtMs: 2,
  };

  it("has what was found, and everything else of its own", () => {
    const reused = reusedVerdict(VERDICT, "k", own);
    expect(reused).toEqual({
      ...VERDICT,
      ...own,
      decidedBy: "policy",
      revision: 1,
      actions: ["hide_content", "ban_user"],
      stages: [{ ...STAGE, latency_ms: 0, micro_neurons: 0, basis: "measured" }],
      microNeurons: 0,
      review: NO_REVIEW,
      test: false,
      reuse: { key: "k", from: { verdictId: "vrd_1", microNeurons: 700 } },
    });
  });

  it("says so where the text model had decided alone", () => {
    const judge: StageResult = { ...STAGE, name: "judge", status: "not_required" };
    const alone = { ...VERDICT, stages: [{ ...STAGE, name: "tier0" as const }, judge] };
    expect(isDecidedAlone(reusedVerdict(alone, "k", own).stages)).toBe(true);
    expect(isDecidedAlone(reusedVerdict(VERDICT, "k", own).stages)).toBe(false);
  });

  it("opens a review where the policy would, whatever became of the first one's", () => {
    const claimed = { ...NO_REVIEW, state: "claimed", origin: "policy", key_id: "key_1" } as const;
    const flagged: Verdict = { ...VERDICT, decision: "flag", review: claimed };
    expect(reusedVerdict(flagged, "k", own).review).toEqual({
      ...NO_REVIEW,
      state: "open",
      origin: "policy",
    });
    const urgent: Verdict = { ...VERDICT, reasons: [{ ...REASON, category: "self-harm" }] };
    expect(reusedVerdict(urgent, "k", own).review).toMatchObject({
      state: "open",
      priority: "urgent",
    });
  });
});
