import { type Judgement, judge } from "./decision.ts";
import type { InputName } from "./plan-moderation.ts";
import type { Policy } from "./policy.ts";
import { type Reason, STAGE_NAMES, type StageResult } from "./verdict.ts";

// Texts that force an outcome, for callers' own tests. Anyone may write them, so they only make an outcome
// worse: none of them allows, whatever the policy.

export const TEST_OUTCOMES = ["block", "flag", "unavailable"] as const;
export type TestOutcome = (typeof TEST_OUTCOMES)[number];

/** The outcome that each test input forces: a text that is exactly one of the keys. */
export const TEST_INPUTS: ReadonlyMap<string | null, TestOutcome> = new Map(
  TEST_OUTCOMES.map((outcome) => [`neurogate:test:${outcome}`, outcome]),
);

const MESSAGES: Readonly<Record<TestOutcome, string>> = {
  block: "This is the test input that is always blocked.",
  flag: "This is the test input that is always flagged.",
  unavailable: "This is the test input for which every check fails.",
};

/** The judgement of a test input: neither the text nor a picture beside it is checked. */
export function forcedJudgement(
  policy: Policy,
  inputs: readonly InputName[],
  outcome: TestOutcome,
): Judgement {
  const judged = judge(policy, {
    inputs,
    stages: outcome === "unavailable" ? inputs.flatMap(failedStages) : [],
    blockedTerms: [],
    spamPhrases: 0,
    injection: null,
    labels: [],
  });
  const blocked = outcome === "block" || (outcome === "unavailable" && judged.decision === "block");
  const forced: Reason = {
    kind: "test",
    category: null,
    input: "text",
    score: null,
    threshold: null,
    message: MESSAGES[outcome],
  };
  return {
    decision: blocked ? "block" : "flag",
    approved: false,
    actions: blocked ? ["hide_content", "warn_user"] : [],
    reasons: [forced, ...(outcome === "unavailable" ? judged.reasons : [])],
    coverage: judged.coverage,
    opensReview: outcome !== "block",
  };
}

const failedStages = (input: InputName): StageResult[] =>
  STAGE_NAMES.map((name) => ({
    name,
    input,
    model: null,
    priced_as: null,
    engine: "none",
    status: "failed",
    scores: {},
    latency_ms: 0,
    micro_neurons: 0,
    basis: "measured",
    measurements: null,
  }));
