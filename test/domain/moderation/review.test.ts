import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import { isoTime } from "../../../src/domain/ledger/period.ts";
import {
  CLAIM_MS,
  review,
  type ReviewAct,
  verdictAt,
} from "../../../src/domain/moderation/review.ts";
import { isSampled } from "../../../src/domain/text/hash.ts";
import {
  DECISIONS,
  NO_REVIEW,
  type Review,
  type Verdict,
} from "../../../src/domain/moderation/verdict.ts";
import { itemIds } from "../../../src/domain/runs/item-ids.ts";

// What people may do with a verdict in each state, then random crowds of them.

const NOW = Date.UTC(2036, 10, 20);
const ME = "key_me";
const OTHER = "key_other";

const OF_POLICY: Verdict = {
  id: "vrd_1",
  contentId: null,
  userId: null,
  metadata: {},
  language: null,
  decision: "block",
  approved: false,
  decidedBy: "policy",
  revision: 1,
  actions: ["hide_content", "ban_user"],
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
};

const inReview = (fields: Partial<Review>): Verdict => ({
  ...OF_POLICY,
  review: { ...NO_REVIEW, origin: "policy", ...fields },
});

const until = (ms: number) => ({ claim_expires_at: isoTime(NOW + ms) });
const STATES = {
  none: OF_POLICY,
  open: inReview({ state: "open" }),
  mine: inReview({ state: "claimed", key_id: ME, ...until(1) }),
  "the other's": inReview({ state: "claimed", key_id: OTHER, ...until(1) }),
  "the platform's": inReview({ state: "claimed", key_id: null, ...until(1) }),
  "the other's until now": inReview({ state: "claimed", key_id: OTHER, ...until(0) }),
  done: inReview({ state: "done", key_id: OTHER }),
} as const;

const OPEN: ReviewAct = { state: "open", origin: "appeal", note: "Why?" };
const CLAIM: ReviewAct = { state: "claimed" };
const DECIDE: ReviewAct = { state: "done", decision: "allow", revision: 1, note: null };

const isDone = (verdict: Verdict, act: ReviewAct): boolean =>
  review(verdict, act, { keyId: ME, nowMs: NOW }).kind === "reviewed";

describe("what may be done", () => {
  it.each([
    ["none", [true, false, false]],
    ["open", [false, true, true]],
    ["mine", [false, true, true]],
    ["the other's", [false, false, false]],
    ["the platform's", [false, false, false]],
    ["the other's until now", [false, true, true]],
    ["done", [true, false, false]],
  ] as const)("with one that is: %s", (state, allowed) => {
    expect([OPEN, CLAIM, DECIDE].map((act) => isDone(STATES[state], act))).toEqual(allowed);
  });

  it("depends on the revision that was looked at", () => {
    for (const revision of [0, 2, 3]) {
      expect(isDone(STATES.open, { ...DECIDE, revision })).toBe(false);
    }
  });
});

describe("what comes of it", () => {
  it("a claim lasts fifteen minutes, and claiming again extends it", () => {
    const again = review(STATES.mine, CLAIM, { keyId: ME, nowMs: NOW });
    expect(again).toMatchObject({ verdict: { review: { key_id: ME, ...until(CLAIM_MS) } } });
  });

  it("an appeal changes no decision", () => {
    const opened = review(STATES.done, OPEN, { keyId: ME, nowMs: NOW });
    const appealed = { ...NO_REVIEW, state: "open", origin: "appeal", note: "Why?" };
    expect(opened).toEqual({ kind: "reviewed", verdict: { ...STATES.done, review: appealed } });
  });

  it.each([
    ["allow", true, []],
    ["flag", false, []],
    // A ban that a person agrees with stays.
    ["block", false, ["hide_content", "ban_user"]],
  ] as const)("%s", (decision, approved, actions) => {
    const decided = review(STATES.mine, { ...DECIDE, decision }, { keyId: ME, nowMs: NOW });
    expect(decided).toMatchObject({
      verdict: { decision, approved, actions, decidedBy: "review", revision: 2 },
    });
  });
});

describe("somebody in distress", () => {
  const reason = {
    kind: "score",
    category: "self-harm",
    input: "text",
    score: 0.9,
    threshold: 0.7,
    message: "",
  } as const;
  const flagged: Verdict = {
    ...STATES.mine,
    decision: "flag",
    actions: ["offer_help"],
    reasons: [reason],
    review: { ...STATES.mine.review, priority: "urgent" },
  };

  it.each([
    ["allow", ["offer_help"]],
    ["flag", ["offer_help"]],
    ["block", ["hide_content", "offer_help"]],
  ] as const)(
    "is offered help and not warned, also when a person decides: %s",
    (decision, advised) => {
      const decided = review(flagged, { ...DECIDE, decision }, { keyId: ME, nowMs: NOW });
      expect(decided).toMatchObject({ verdict: { actions: advised } });
    },
  );

  it("stays urgent when it is opened again", () => {
    const decided = review(flagged, DECIDE, { keyId: ME, nowMs: NOW });
    if (decided.kind !== "reviewed") throw new Error(decided.detail);
    const opened = review(decided.verdict, OPEN, { keyId: ME, nowMs: NOW });
    expect(opened).toMatchObject({ verdict: { review: { state: "open", priority: "urgent" } } });
  });
});

const anyStep = fc.record({
  act: fc.oneof(
    fc.constant(OPEN),
    fc.constant(CLAIM),
    fc.record({
      state: fc.constant("done" as const),
      decision: fc.constantFrom(...DECISIONS),
      revision: fc.integer({ min: 1, max: 4 }),
      note: fc.constant(null),
    }),
  ),
  keyId: fc.constantFrom(null, ME, OTHER),
  waitMs: fc.constantFrom(0, 1, CLAIM_MS - 1, CLAIM_MS),
});

describe("any crowd of people", () => {
  it("decides a revision once, and never what somebody else holds", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        let verdict: Verdict = STATES.open;
        let nowMs = NOW;
        let holder: { readonly keyId: string | null; readonly untilMs: number } | null = null;
        const decided: number[] = [];
        for (const { act, keyId, waitMs } of steps) {
          nowMs += waitMs;
          if (holder !== null && holder.untilMs <= nowMs) holder = null;
          const held = holder !== null && holder.keyId !== keyId;
          const outcome = review(verdict, act, { keyId, nowMs });
          if (outcome.kind !== "reviewed") {
            expect(outcome.detail).not.toBe("");
            continue;
          }
          expect(held).toBe(false);
          if (act.state === "claimed") holder = { keyId, untilMs: nowMs + CLAIM_MS };
          if (act.state === "done") {
            decided.push(act.revision);
            holder = null;
          }
          const before = verdict;
          ({ verdict } = outcome);
          expect(verdict.revision - before.revision).toBe(act.state === "done" ? 1 : 0);
          if (act.state !== "done") expect(verdict.decision).toBe(before.decision);
          expect(verdict.approved).toBe(
            act.state === "done" ? act.decision === "allow" : before.approved,
          );
          // What is stored says the same at any later look, however late that is.
          expect(verdictAt(verdict, nowMs)).toEqual(verdict);
        }
        expect(decided).toEqual(decided.map((_, at) => at + 1));
      }),
    );
  });
});

const BATCH = "bat_01KDTESTTESTTESTTESTTEST00";

/** As the items of one batch are called. */
const ids = Array.from({ length: 4000 }, (_none, at) => itemIds(BATCH, "01KDTEST00", at).verdictId);

it("draws about the share, also within one batch, by the id alone", () => {
  const drawn = ids.filter((id) => isSampled(id, 0.1));
  expect(drawn.length).toBeGreaterThan(330);
  expect(drawn.length).toBeLessThan(470);
  expect(ids.filter((id) => isSampled(id, 0.1))).toEqual(drawn);
});

it("draws nothing and all at the ends", () => {
  expect(ids.some((id) => isSampled(id, 0))).toBe(false);
  expect(ids.every((id) => isSampled(id, 1))).toBe(true);
});
