import { expect, it } from "vitest";
import { toRow, toVerdict } from "../../durable-objects/tenant/verdicts/verdict-row.ts";
import { CATEGORIES, forEach } from "../../src/domain/moderation/category.ts";
import type { StageResult, Verdict } from "../../src/domain/moderation/verdict.ts";

// What is stored is what is read, also from rows of before the body was short.

const STAGE: StageResult = {
  name: "judge",
  input: "text",
  model: "@cf/meta/llama-3.1-8b-instruct-fp8",
  priced_as: "@cf/meta/llama-3.1-8b-instruct-fp8",
  engine: "workers-ai",
  status: "evaluated",
  scores: { toxicity: 0.8, harassment: 0 },
  latency_ms: 10,
  micro_neurons: 6_483_068,
  basis: "measured",
  measurements: null,
  failure: null,
};

const VERDICT: Verdict = {
  id: "vrd_1",
  contentId: "post_1",
  userId: null,
  metadata: {},
  language: null,
  decision: "allow",
  approved: true,
  decidedBy: "policy",
  revision: 1,
  actions: [],
  reasons: [],
  coverage: forEach(CATEGORIES, () => "not_required"),
  stages: [STAGE],
  microNeurons: 6_483_068,
  policy: { name: "default", version: 1 },
  review: {
    state: "none",
    origin: null,
    priority: "normal",
    key_id: null,
    claim_expires_at: null,
    note: null,
  },
  batchId: null,
  test: false,
  contentHash: "f0894d58",
  createdAtMs: 1_796_000_000_000,
};

const OTHERS: readonly Partial<Verdict>[] = [
  {},
  { stages: [{ ...STAGE, instructions: "judge@2" }] },
  { metadata: { thread: "t_55" }, language: "en", test: true, batchId: "bat_1" },
  { decidedBy: "review", revision: 3, decision: "block", actions: ["hide_content", "warn_user"] },
  {
    reasons: [
      {
        kind: "score",
        category: "toxicity",
        input: "text",
        score: 0.8,
        threshold: 0.7,
        message: "toxicity is 0.80, at or above 0.70",
      },
      { kind: "term", category: null, input: "text", score: null, threshold: null, message: "" },
    ],
  },
  {
    reasons: [
      {
        kind: "score",
        category: "harassment",
        input: "text",
        score: 0.999,
        threshold: 0.7,
        message:
          "The small text model scores harassment 0.999 and the judge scores 0: a person should look.",
        spans: [
          { start: 4, end: 16 },
          { start: 25, end: 29 },
        ],
      },
      {
        kind: "term",
        category: null,
        input: "text",
        score: null,
        threshold: null,
        message: "Block term 2 of this policy matched.",
        spans: [],
        term: "; this policy blocks from \ue000",
      },
    ],
  },
  {
    review: {
      state: "claimed",
      origin: "report",
      priority: "urgent",
      key_id: "key_1",
      claim_expires_at: "2026-11-20T10:00:00.000Z",
      note: "seen",
    },
  },
  { coverage: { ...VERDICT.coverage, toxicity: "failed", spam: "evaluated" } },
  { stages: [] },
  { stages: [{ ...STAGE, model: null, priced_as: null }] },
  { stages: [{ ...STAGE, model: "neurogate/tier0@1" }] },
  { stages: [{ ...STAGE, model: "neurogate/tier0@1", priced_as: null, basis: "held" }] },
  { stages: [{ ...STAGE, status: "failed", failure: { kind: "refused", upstream_status: 429 } }] },
  {
    stages: [
      {
        ...STAGE,
        measurements: {
          format: "png",
          width: 8,
          height: 1,
          brightness: 90,
          contrast: 0,
          colourfulness: 0,
        },
      },
    ],
  },
];

it.each(OTHERS)("is read as it was: %j", (other) => {
  const verdict = { ...VERDICT, ...other };
  expect(toVerdict(toRow(verdict, "call"))).toEqual(verdict);
});

it("is short where messages and names are the usual ones", () => {
  const reason = {
    kind: "score",
    category: "toxicity",
    input: "text",
    score: 0.8,
    threshold: 0.7,
    message: "toxicity is 0.8; this policy blocks from 0.7.",
  } as const;
  const { body } = toRow({ ...VERDICT, reasons: [reason] }, "call");
  // As stored: none of these may ever mean something else.
  expect(body).toContain('"toxicity is 0.8\ue0030.7."');
  expect(body).toContain('["judge","text","\ue009",1,"\ue005",3,[-1,-1,0.8,0]');
});

it("is read from a row whose spans have names", () => {
  const spans = [{ start: 4, end: 16 }];
  const message = "toxicity is 0.8; this policy blocks from 0.7.";
  const tuple = ["score", 2, "text", 0.8, 0.7, message, { spans, term: "x" }];
  const row = toRow(VERDICT, "call");
  const body = JSON.stringify({ ...(JSON.parse(row.body) as object), reasons: [tuple] });
  expect(toVerdict({ ...row, body }).reasons).toEqual([
    {
      kind: "score",
      category: CATEGORIES[2],
      input: "text",
      score: 0.8,
      threshold: 0.7,
      message,
      spans,
      term: "x",
    },
  ]);
});

it("is read from a row whose body has names for all", () => {
  const { scores: _scores, status: _status, failure: _failure, ...stage } = STAGE;
  const reason = {
    kind: "score",
    category: "toxicity",
    input: "text",
    score: 0.8,
    threshold: 0.7,
    message: "toxicity is 0.80, at or above 0.70",
  } as const;
  const body = JSON.stringify({
    metadata: {},
    language: "en",
    by: "policy",
    revision: 1,
    actions: ["hide_content"],
    reasons: [reason],
    coverage: "4".repeat(CATEGORIES.length),
    stages: [[stage, 3, [0.8, null, 0]]],
    amount: 6_483_068,
    review: { origin: null, key_id: null, claim_expires_at: null, note: null },
    hash: "f0894d58",
  });
  const second = CATEGORIES[2] ?? "toxicity";
  const { failure: _none, ...read } = STAGE;
  expect(toVerdict({ ...toRow(VERDICT, "call"), body })).toEqual({
    ...VERDICT,
    language: "en",
    actions: ["hide_content"],
    reasons: [reason],
    stages: [{ ...read, scores: { [CATEGORIES[0] ?? ""]: 0.8, [second]: 0 } }],
  });
});
