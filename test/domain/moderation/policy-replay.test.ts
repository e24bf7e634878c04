import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requiredOfText } from "../../../src/domain/moderation/cascade.ts";
import {
  CATEGORIES,
  type Category,
  forEach,
  JUDGED_CATEGORIES,
  type Scores,
} from "../../../src/domain/moderation/category.ts";
import { judge } from "../../../src/domain/moderation/decision.ts";
import type { CategoryRule, Policy } from "../../../src/domain/moderation/policy.ts";
import { presetPolicy } from "../../../src/domain/moderation/presets.ts";
import { firstPolicy } from "./first-policy.ts";
import {
  compared,
  NOTHING_REPLAYED,
  type PolicyReplay,
  replay,
  together,
} from "../../../src/domain/moderation/policy-replay.ts";
import {
  NO_REVIEW,
  type StageName,
  type StageResult,
  type Verdict,
} from "../../../src/domain/moderation/verdict.ts";

const policy = firstPolicy("embedded");

const withRules = (
  rules: Partial<Record<Category, Partial<CategoryRule>>>,
  fields: Partial<Policy> = {},
): Policy => ({
  ...policy,
  ...fields,
  categories: forEach(CATEGORIES, (category) => ({
    ...policy.categories[category],
    ...rules[category],
  })),
});

const stage = (
  name: StageName,
  scores: Scores,
  fields: Partial<StageResult> = {},
): StageResult => ({
  name,
  input: name === "labels" || name === "vision" ? "images/0" : "text",
  model: null,
  priced_as: null,
  engine: "embedded",
  status: "evaluated",
  scores,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...fields,
});

/** What `judgedBy` made of a text with these scores. */
function aVerdict(
  id: string,
  { toxicity, spam = 0 }: { readonly toxicity: number; readonly spam?: number },
  fields: Partial<Verdict> & { readonly judgedBy?: Policy; readonly terms?: number } = {},
): Verdict {
  const { judgedBy = policy, terms = 0, ...others } = fields;
  const stages = [stage("spam", { spam }), stage("judge", { toxicity })];
  const { opensReview: _, ...decided } = judge(judgedBy, {
    inputs: ["text"],
    stages,
    blockedTerms: Array.from({ length: terms }, (_none, at) => ({
      index: at,
      term: "x",
      category: null,
      spans: [],
    })),
    spamPhrases: 0,
    injection: null,
    labels: [],
  });
  return {
    ...decided,
    id,
    contentId: null,
    userId: null,
    metadata: {},
    language: "en",
    decidedBy: "policy",
    revision: 1,
    stages,
    microNeurons: 0,
    policy: { name: "default", version: 1 },
    review: NO_REVIEW,
    batchId: null,
    test: false,
    contentHash: "",
    createdAtMs: 0,
    ...others,
  };
}

const replayed = (
  verdicts: readonly Verdict[],
  proposed: Policy,
  judgedBy: Policy = policy,
): PolicyReplay =>
  verdicts.reduce(
    (sofar, verdict) => replay(sofar, verdict, compared(judgedBy, proposed)),
    NOTHING_REPLAYED,
  );

describe("a replay", () => {
  // Under the default policy toxicity and spam block from 0.7; this one blocks toxicity from 0.9 and
  // flags it from 0.6.
  const proposed = withRules({ toxicity: { flag: 0.6, block: 0.9 } });

  it("counts what would change, worked by hand", () => {
    const verdicts = [
      aVerdict("a", { toxicity: 0.1 }), // allow, allow
      aVerdict("b", { toxicity: 0.65 }), // allow, flag
      aVerdict("c", { toxicity: 0.8 }), // block, flag
      aVerdict("d", { toxicity: 0.95 }), // block, block
      aVerdict("e", { toxicity: 0.8, spam: 0.7 }), // block, block: for spam alone
      aVerdict("f", { toxicity: 0.6 }), // allow, flag
    ];
    expect(replayed(verdicts, proposed)).toEqual({
      verdicts: 6,
      changed: 3,
      by: {
        allow: { allow: 1, flag: 2, block: 0 },
        flag: { allow: 0, flag: 0, block: 0 },
        block: { allow: 0, flag: 1, block: 2 },
      },
      examples: [
        { verdictId: "b", from: "allow", to: "flag", categories: ["toxicity"] },
        { verdictId: "c", from: "block", to: "flag", categories: [] },
        { verdictId: "f", from: "allow", to: "flag", categories: ["toxicity"] },
      ],
      agreement: { reviewed: 0, current: 0, proposed: 0 },
      unscorable: {
        verdicts: 0,
        categories: {},
        decisions: { allow: 0, flag: 0, block: 0 },
      },
      notReplayed: [],
    });
  });

  it("holds each policy's own decision against what people decided", () => {
    const byPerson = (id: string, toxicity: number, decision: Verdict["decision"]) =>
      aVerdict(id, { toxicity }, { decidedBy: "review", revision: 2, decision });
    const verdicts = [
      byPerson("a", 0.8, "allow"), // the policy blocks, the proposal flags: neither
      byPerson("b", 0.8, "block"), // the policy
      byPerson("c", 0.65, "flag"), // the proposal
      byPerson("d", 0.1, "allow"), // both
      aVerdict("e", { toxicity: 0.1 }), // nobody looked
    ];
    const { agreement, by, verdicts: counted } = replayed(verdicts, proposed);
    expect(agreement).toEqual({ reviewed: 4, current: 2, proposed: 2 });
    // Moves are of policies: what a person decided is no policy's.
    expect(counted).toBe(5);
    expect(by.block).toEqual({ allow: 0, flag: 2, block: 0 });
  });

  it("changes nothing where nothing is proposed", () => {
    const score = fc.integer({ min: 0, max: 100 }).map((n) => n / 100);
    fc.assert(
      fc.property(score, score, fc.integer({ min: 0, max: 2 }), (toxicity, spam, terms) => {
        const same = replayed([aVerdict("a", { toxicity, spam }, { terms })], policy);
        expect(same).toMatchObject({ verdicts: 1, changed: 0, unscorable: { verdicts: 0 } });
      }),
    );
  });

  it("names at most fifty that would change", () => {
    const many = Array.from({ length: 80 }, (_, at) => aVerdict(`v${at}`, { toxicity: 0.65 }));
    const whole = replayed(many, proposed);
    expect([whole.changed, whole.examples.length]).toEqual([80, 50]);
  });

  it("is the same in parts", () => {
    const verdicts = Array.from({ length: 90 }, (_, at) =>
      aVerdict(`v${at}`, { toxicity: (at % 10) / 10 }, at % 3 === 0 ? { decidedBy: "review" } : {}),
    );
    const strict = withRules({ toxicity: { block: 0.3 }, negativity: { flag: 0.5 } });
    for (const wanted of [proposed, strict]) {
      const parts = [0, 40, 41, 90].map((at, index, all) =>
        replayed(verdicts.slice(at, all[index + 1] ?? at), wanted),
      );
      expect(parts.reduce(together)).toEqual(replayed(verdicts, wanted));
    }
  });

  it("leaves test inputs out", () => {
    const forced = aVerdict("a", { toxicity: 0.1 }, { test: true, decision: "block" });
    expect(replayed([forced], proposed)).toEqual(NOTHING_REPLAYED);
  });
});

/** A judge beside word lists that objected, as it was stored then. */
const old = (toxicity: number, lexicon: number): Verdict => {
  const stages = [
    stage("spam", { spam: 0 }),
    stage("lexicon", { toxicity: lexicon }, { model: "neurogate/lexicon@1" }),
    stage("judge", { ...forEach(JUDGED_CATEGORIES, () => 0), toxicity }),
  ];
  const { opensReview: _, ...decided } = judge(policy, {
    inputs: ["text"],
    stages,
    blockedTerms: [],
    spamPhrases: 0,
    injection: null,
    labels: [],
  });
  return { ...aVerdict(`old-${toxicity}-${lexicon}`, { toxicity }), ...decided, stages };
};

describe("verdicts of before there were presets", () => {
  const verdicts = [old(0, 0), old(0.1, 0.9), old(0.65, 0), old(0.95, 0)];

  it("are decided as they were by the policy that they name", () => {
    expect(verdicts.map(({ decision }) => decision)).toEqual(["allow", "flag", "allow", "block"]);
    expect(replayed(verdicts, policy)).toMatchObject({ verdicts: 4, changed: 0 });
  });

  it.each([
    ["strict", { allow: 1, flag: 1, block: 2 }],
    ["free", { allow: 1, flag: 2, block: 1 }],
  ] as const)("are judged anew by %s", (preset, decisions) => {
    const proposed = presetPolicy(preset, "workers-ai");
    const { by, verdicts: count, unscorable } = replayed(verdicts, proposed);
    expect([count, unscorable.verdicts]).toEqual([4, 0]);
    const sum = (to: "allow" | "flag" | "block") => by.allow[to] + by.flag[to] + by.block[to];
    expect({ allow: sum("allow"), flag: sum("flag"), block: sum("block") }).toEqual(decisions);
  });
});

describe("what scores cannot tell", () => {
  it("is counted apart where the proposal needs what nobody asked for", () => {
    // Negativity was no concern of the policy, and nothing was asked for it.
    const judgedBy = withRules({ negativity: { inputs: [] } });
    const verdicts = [
      aVerdict("a", { toxicity: 0.1 }, { judgedBy }),
      aVerdict("b", { toxicity: 0.8 }, { judgedBy }),
    ];
    const required = withRules({ negativity: { inputs: ["text"], required: true } });
    expect(replayed(verdicts, required, judgedBy)).toMatchObject({
      verdicts: 0,
      changed: 0,
      unscorable: {
        verdicts: 2,
        categories: { negativity: 2 },
        // What `on_unavailable` makes of it, and what blocks anyway.
        decisions: { allow: 0, flag: 1, block: 1 },
      },
    });
    const flagging = withRules({ negativity: { inputs: ["text"], flag: 0.5 } });
    expect(replayed(verdicts, flagging, judgedBy).unscorable.verdicts).toBe(2);
    // A category that does nothing is not missed.
    const idle = withRules({ negativity: { inputs: ["text"] } });
    expect(replayed(verdicts, idle, judgedBy)).toMatchObject({ verdicts: 2, changed: 0 });
  });

  it("is no reason to guess a picture that nothing looked at", () => {
    const judgedBy = withRules({
      nsfw: { required: false },
      weapons: { inputs: [] },
      alcohol: { inputs: [] },
      swimwear: { inputs: [] },
    });
    const text = aVerdict("a", { toxicity: 0.1 }, { judgedBy });
    const beside = { ...text, coverage: { ...text.coverage, nsfw: "not_evaluated" } } as const;
    const proposed = withRules({ weapons: { flag: 0.5 } });
    expect(replayed([beside], proposed, judgedBy).unscorable).toMatchObject({
      verdicts: 1,
      categories: { weapons: 1 },
    });
    // Without pictures there is nothing to miss.
    expect(replayed([text], proposed, judgedBy)).toMatchObject({ verdicts: 1, changed: 0 });
  });

  it("stays what it was where a check failed then", () => {
    const failed = aVerdict("a", { toxicity: 0 });
    const stages = failed.stages.map((one): StageResult =>
      one.name === "judge" ? { ...one, status: "failed", scores: {} } : one,
    );
    const lax = withRules({ toxicity: { required: false } });
    const strict = withRules({}, { on_unavailable: "block" });
    const verdict: Verdict = { ...failed, stages, decision: "flag", approved: false };
    expect(replayed([verdict], lax).by.flag).toEqual({ allow: 1, flag: 0, block: 0 });
    expect(replayed([verdict], strict).by.flag).toEqual({ allow: 0, flag: 0, block: 1 });
  });

  it("is said: terms, phrases and models; a term that matched keeps blocking", () => {
    const termed = aVerdict("a", { toxicity: 0.1 }, { terms: 1 });
    const proposed = withRules(
      { negativity: { inputs: ["text"], required: true } },
      {
        terms: { block: ["other"], allow: [] },
        spam_phrases: ["act now"],
        models: { ...policy.models, judge: "@cf/meta/llama-3.3-70b-instruct-fp8-fast" },
      },
    );
    expect(replayed([termed], proposed)).toMatchObject({
      verdicts: 1,
      changed: 0,
      by: { block: { block: 1 } },
      notReplayed: ["terms", "spam_phrases", "models"],
    });
    expect(replayed([termed], withRules({})).notReplayed).toEqual([]);
  });
});

describe("where a policy lets the text model decide alone", () => {
  const model = "neurogate/tier0@1";
  const heads = ["toxicity", "harassment", "harassment/threatening", "hate", "self-harm", "sexual"];
  const read = (toxicity: number) =>
    stage(
      "tier0",
      { ...Object.fromEntries(heads.map((name) => [name, 0.01])), toxicity },
      { model },
    );
  const base = presetPolicy("default", "workers-ai");
  const categories = requiredOfText(base);
  const calibratedPolicy = (block_above: number | null): Policy => ({
    ...base,
    tier0: { model, thresholds: { any: { allow_below: 0.1, block_above, categories } } },
  });
  const judgedAs = (
    toxicity: number,
    byModel: number,
    injection: string | null = null,
  ): Verdict => {
    const calm = Object.fromEntries(JUDGED_CATEGORIES.map((name) => [name, 0]));
    const stages = [
      stage("spam", { spam: 0 }),
      read(byModel),
      stage("judge", { ...calm, toxicity }, { model: "@cf/judge" }),
    ];
    const one = aVerdict("vrd_1", { toxicity: 0 }, { judgedBy: base });
    const { opensReview: _, ...decided } = judge(base, {
      inputs: ["text"],
      stages,
      blockedTerms: [],
      spamPhrases: 0,
      injection,
      labels: [],
    });
    return { ...one, ...decided, stages };
  };

  it.each([
    ["passes what the judge blocked", 0.9, 0.05, 0.95, "block", "allow"],
    ["blocks what the judge passed", 0, 0.96, 0.95, "flag", "block"],
    ["leaves to the judge what lies between", 0.9, 0.5, 0.95, "block", "block"],
  ] as const)("%s", (_, byJudge, byModel, above, from, to) => {
    const verdict = judgedAs(byJudge, byModel);
    expect(verdict.decision).toBe(from);
    const then = replay(NOTHING_REPLAYED, verdict, compared(base, calibratedPolicy(above)));
    expect(then.by[from][to]).toBe(1);
  });

  it.each([
    ["passes nothing that may be an attack on the judge", 0.05, calibratedPolicy(0.95), "flag"],
    ["blocks it all the same", 0.96, calibratedPolicy(0.95), "block"],
    [
      "blocks nothing before all is evaluated",
      0.96,
      { ...calibratedPolicy(0.95), evaluate_all: true },
      "flag",
    ],
  ] as const)("%s", (_, byModel, proposed, to) => {
    const then = replay(
      NOTHING_REPLAYED,
      judgedAs(0, byModel, "a pattern"),
      compared(base, proposed),
    );
    expect(then.by.flag[to]).toBe(1);
  });

  it("cannot say what a judge would have said who was not asked", () => {
    const asked = judgedAs(0, 0.05);
    const stages = asked.stages.map((one) =>
      one.name === "judge" ? { ...one, status: "not_required" as const, scores: {} } : one,
    );
    const alone: Verdict = { ...asked, stages };
    const same = replay(
      NOTHING_REPLAYED,
      alone,
      compared(calibratedPolicy(0.9), calibratedPolicy(0.8)),
    );
    expect([same.verdicts, same.unscorable.verdicts]).toEqual([1, 0]);
    const without = replay(NOTHING_REPLAYED, alone, compared(calibratedPolicy(0.9), base));
    expect(without.unscorable.verdicts).toBe(1);
    expect(without.unscorable.categories).toMatchObject({ toxicity: 1 });
  });
});
