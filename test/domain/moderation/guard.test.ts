import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import { CATEGORIES, forEach } from "../../../src/domain/moderation/category.ts";
import {
  gatherWindows,
  GUARD_MODES,
  guardModes,
  guardPolicy,
  isWithheld,
  OUTPUT_OVERLAP_TOKENS,
  OUTPUT_WINDOW_TOKENS,
  type OutputWindow,
  outputWindows,
  planGuard,
  windowContent,
} from "../../../src/domain/moderation/guard.ts";
import type { Policy } from "../../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";
import type { FindModel } from "../../../src/domain/moderation/stage.ts";
import type {
  CheckFailure,
  CheckStatus,
  StageResult,
} from "../../../src/domain/moderation/verdict.ts";
import { cleanForJudge, judgedJson } from "../../../src/domain/moderation/judge.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";

const POLICY = defaultPolicy("embedded");

const find: FindModel = (id) => resolveModel(id, { workersPlan: "paid", prices: {} });

const PROMPT = { text: { sentiment: [40], judge: [60] }, pictures: 0 };

function planned(policy: Policy, fields: Partial<Parameters<typeof planGuard>[1]>) {
  const call = {
    modes: { input: "block", output: "block" } as const,
    prompt: PROMPT,
    choices: 1,
    maxTokens: 1024,
    ...fields,
  };
  const plan = planGuard(policy, call, find);
  if (plan.kind !== "planned") throw new Error(plan.kind);
  return plan.stages;
}

describe("the mode of a guard", () => {
  it("is the stricter of the policy's and the call's, for each side by itself", () => {
    for (const [at, a] of GUARD_MODES.entries()) {
      for (const [other, b] of GUARD_MODES.entries()) {
        const strict = GUARD_MODES[Math.max(at, other)];
        const policy: Policy = { ...POLICY, guard: { input: a, output: b } };
        expect(guardModes(policy, { input: b, output: a })).toEqual({
          input: strict,
          output: strict,
        });
      }
    }
  });

  it("is the call's where a policy is older than guards", () => {
    const { guard, ...old } = POLICY;
    expect(guard).toEqual({ input: "off", output: "off" });
    expect(guardModes(old, { input: "score", output: "off" })).toEqual({
      input: "score",
      output: "off",
    });
  });
});

describe("the windows of an answer", () => {
  it("cover what so many tokens usually are, and are bounded", () => {
    expect(outputWindows(1)).toBe(1);
    expect(outputWindows(320)).toBe(1);
    expect(outputWindows(321)).toBe(2);
    expect(outputWindows(1024)).toBe(4);
    expect(outputWindows(1_000_000)).toBe(16);
    expect(OUTPUT_WINDOW_TOKENS - OUTPUT_OVERLAP_TOKENS).toBe(1920);
  });

  it("are content items of their own, after the prompt", () => {
    expect(windowContent({ choice: 0, window: 0 }, 1024)).toBe(1);
    expect(windowContent({ choice: 0, window: 3 }, 1024)).toBe(4);
    expect(windowContent({ choice: 1, window: 0 }, 1024)).toBe(5);
  });
});

describe("the plan of a guard", () => {
  it("has a judge for the prompt and one for each window, at their bounds", () => {
    const stages = planned(POLICY, {});
    expect(stages.map(({ content, name }) => [content, name])).toEqual([
      [0, "judge"],
      [1, "judge"],
      [2, "judge"],
      [3, "judge"],
      [4, "judge"],
    ]);
    const [prompt, window] = stages;
    // A window holds 2,048 - 60 tokens more than this prompt: at 13,778 uN each.
    expect((window?.bound ?? 0) - (prompt?.bound ?? 0)).toBe((2048 - 60) * 13_778);
  });

  it("has windows for each of several answers", () => {
    expect(planned(POLICY, { choices: 3 })).toHaveLength(13);
  });

  it.each([
    [{ input: "score", output: "off" } as const, [0]],
    [{ input: "off", output: "score" } as const, [1, 2, 3, 4]],
    [{ input: "off", output: "off" } as const, []],
  ])("of %j looks at %j", (modes, contents) => {
    expect(planned(POLICY, { modes }).map(({ content }) => content)).toEqual(contents);
  });

  it("asks a classifier only where its score can do something", () => {
    const negativity = { ...POLICY.categories.negativity, flag: 0.9 };
    const policy = { ...POLICY, categories: { ...POLICY.categories, negativity } };
    const names = planned(policy, { maxTokens: 1 }).map(({ name, calls }) => [name, calls.length]);
    expect(names).toEqual([
      ["sentiment", 1],
      ["judge", 1],
      ["sentiment", 5],
      ["judge", 1],
    ]);
    expect(guardPolicy(POLICY).categories.negativity.inputs).toEqual([]);
    expect(guardPolicy(POLICY).categories.toxicity).toEqual(POLICY.categories.toxicity);
  });
});

const covered = (toxicity: CheckStatus) => ({
  ...forEach(CATEGORIES, (): CheckStatus => "evaluated"),
  toxicity,
});

const judgeStage = (kind: CheckFailure["kind"]): StageResult => ({
  name: "judge",
  input: "text",
  model: null,
  priced_as: null,
  engine: "embedded",
  status: "not_evaluated",
  scores: {},
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  failure: { kind },
});

describe("what is withheld", () => {
  it("is what is blocked, under a guard that blocks", () => {
    const verdict = { decision: "block", coverage: covered("evaluated"), stages: [] } as const;
    expect(isWithheld("block", POLICY, verdict)).toBe(true);
    expect(isWithheld("score", POLICY, verdict)).toBe(false);
    expect(isWithheld("block", POLICY, { ...verdict, decision: "flag" })).toBe(false);
  });

  it.each(["failed", "timed_out", "not_evaluated"] as const)(
    "is also what a required check did not see (%s); nothing that broke is let through",
    (status) => {
      const verdict = { decision: "flag", coverage: covered(status), stages: [] } as const;
      expect(isWithheld("block", POLICY, verdict)).toBe(true);
      expect(isWithheld("score", POLICY, verdict)).toBe(false);
      const lax: Policy = { ...POLICY, on_unavailable: "allow" };
      expect(isWithheld("block", lax, verdict)).toBe(status !== "not_evaluated");
    },
  );

  it.each([
    ["language", false],
    ["unknown_words", false],
    // Padding must not be a way past a guard.
    ["too_long", true],
    ["no_judge", true],
  ] as const)("is not what no judge here can read (%s: %s)", (kind, withheld) => {
    const stages = [judgeStage(kind)];
    const verdict = { decision: "flag", coverage: covered("not_evaluated"), stages } as const;
    expect(isWithheld("block", POLICY, verdict)).toBe(withheld);
    // A second input that is too long is no matter of language.
    const both = { ...verdict, stages: [...stages, judgeStage("too_long")] };
    expect(isWithheld("block", POLICY, both)).toBe(true);
  });

  it.each([
    ["language", false],
    ["unknown_words", false],
    ["too_long", true],
  ] as const)(
    "is the same where the small text model is all there is (%s: %s)",
    (kind, withheld) => {
      const stages = [{ ...judgeStage(kind), name: "tier0" as const }];
      const verdict = { decision: "flag", coverage: covered("not_evaluated"), stages } as const;
      expect(isWithheld("block", POLICY, verdict)).toBe(withheld);
    },
  );

  it("is nothing for a check that is not required", () => {
    const coverage = { ...covered("evaluated"), violence: "failed" as const };
    expect(isWithheld("block", POLICY, { decision: "allow", coverage, stages: [] })).toBe(false);
  });
});

const judged = (text: string): number => tokensAtMost(judgedJson(cleanForJudge(text)));

function gathered(pieces: readonly string[]): OutputWindow[] {
  const gatherer = gatherWindows();
  const windows = pieces.flatMap((piece) => [...gatherer.push(piece)]);
  const last = gatherer.end();
  return last === null ? windows : [...windows, last];
}

const PROSE = "It was a bright cold day in April, and the clocks were striking thirteen. ";

describe("windows of a streamed text", () => {
  it("hold back a short text to its end", () => {
    const gatherer = gatherWindows();
    expect(gatherer.push("Hello ")).toEqual([]);
    expect(gatherer.push("there.")).toEqual([]);
    expect(gatherer.end()).toEqual({ index: 0, text: "Hello there.", fresh: "Hello there." });
    expect(gatherer.end()).toBeNull();
  });

  it("are none for no text", () => {
    expect(gathered([])).toEqual([]);
    expect(gathered(["", ""])).toEqual([]);
  });

  it("are full before the text ends, and begin with the end of the one before", () => {
    const windows = gathered(Array.from({ length: 100 }, () => PROSE));
    expect(windows.length).toBeGreaterThan(3);
    for (const [at, { index, text }] of windows.entries()) {
      expect(index).toBe(at);
      const before = windows[at - 1];
      if (before !== undefined) expect(text.startsWith(before.text.slice(-64))).toBe(true);
    }
    expect(windows[0]?.text.length).toBeGreaterThan(OUTPUT_WINDOW_TOKENS * 0.8);
  });

  it("lose nothing, repeat nothing, and each fits what was held for it", () => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
      { weight: 1, arbitrary: fc.constantFrom("\uFDFA".repeat(150), '"\\\n'.repeat(300)) },
      { weight: 1, arbitrary: fc.constantFrom("x".repeat(5000), "\u200B".repeat(4000)) },
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const windows = gathered(pieces);
        expect(windows.map(({ fresh }) => fresh).join("")).toBe(pieces.join(""));
        for (const { text, fresh } of windows) {
          expect(text.endsWith(fresh)).toBe(true);
          expect(fresh).not.toBe("");
          expect(judged(text)).toBeLessThanOrEqual(OUTPUT_WINDOW_TOKENS);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keep a phrase whole that a seam would cut, however it arrives", () => {
    const text = PROSE.repeat(60);
    for (const size of [1, 7, 1000]) {
      const pieces = text.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];
      const windows = gathered(pieces);
      for (let at = 0; at + 40 < text.length; at += 97) {
        const phrase = text.slice(at, at + 40);
        expect(windows.some((window) => window.text.includes(phrase))).toBe(true);
      }
    }
  });
});
