import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CATEGORIES,
  type Category,
  forEach,
  JUDGED_CATEGORIES,
  type Scores,
} from "../../../src/domain/moderation/category.ts";
import { judge, type Judgement } from "../../../src/domain/moderation/decision.ts";
import type { Evidence, TextFacts } from "../../../src/domain/moderation/evidence.ts";
import type { InputName } from "../../../src/domain/moderation/plan-moderation.ts";
import {
  TEXT_MODEL_CATEGORIES,
  TEXT_MODEL_SHOWS,
} from "../../../src/domain/moderation/text-model.ts";
import { PICTURE_MODEL } from "../../../src/domain/moderation/picture-scores.ts";
import {
  type CategoryRule,
  ON_UNAVAILABLE,
  type Policy,
} from "../../../src/domain/moderation/policy.ts";
import { presetPolicy } from "../../../src/domain/moderation/presets.ts";
import { firstPolicy } from "./first-policy.ts";
import {
  CHECK_STATUSES,
  type Decision,
  type StageName,
  type StageResult,
} from "../../../src/domain/moderation/verdict.ts";

const policy = firstPolicy("workers-ai");

const withRules = (rules: Partial<Record<Category, Partial<CategoryRule>>>): Policy => ({
  ...policy,
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
  input: name === "labels" || name === "picture" || name === "vision" ? "images/0" : "text",
  model: null,
  priced_as: null,
  engine: "workers-ai",
  status: "evaluated",
  scores,
  latency_ms: 0,
  micro_neurons: 0,
  basis: "measured",
  measurements: null,
  ...fields,
});

const termOf = (index: number) => ({
  index,
  term: `term ${index}`,
  category: null,
  spans: [{ start: index, end: index + 1 }],
});

const calm: Scores = forEach(JUDGED_CATEGORIES, () => 0);

const textOnly: Evidence = {
  inputs: ["text"],
  stages: [
    stage("sentiment", { negativity: 0.1 }),
    stage("spam", { spam: 0 }),
    stage("judge", calm),
  ],
  blockedTerms: [],
  spamPhrases: 0,
  injection: null,
  labels: [],
};

/** The same evidence with other stages in the place of those of their name and input. */
const replacing = (evidence: Evidence, ...stages: StageResult[]): Evidence => ({
  ...evidence,
  stages: [
    ...evidence.stages.filter(
      (old) => !stages.some((one) => one.name === old.name && one.input === old.input),
    ),
    ...stages,
  ],
});

const messages = ({ reasons }: Judgement): string[] => reasons.map(({ message }) => message);

/** The contract, section 10, example 1. */
const example: Evidence = {
  inputs: ["text", "images/0"],
  stages: [
    stage("sentiment", { negativity: 0.97 }),
    stage("spam", { spam: 0.7 }),
    stage("lexicon", { toxicity: 0.9 }),
    stage("judge", {
      toxicity: 0.82,
      harassment: 0.79,
      "harassment/threatening": 0.03,
      hate: 0.04,
      "hate/threatening": 0.01,
      illicit: 0.05,
      "illicit/violent": 0,
      "self-harm": 0,
      "self-harm/instructions": 0,
      "self-harm/intent": 0,
      sexual: 0.01,
      "sexual/minors": 0,
      violence: 0.02,
      "violence/graphic": 0,
    }),
    stage("labels", { weapons: 0, alcohol: 0.64, swimwear: 0 }),
    stage("vision", { nsfw: 0.02 }),
  ],
  blockedTerms: [],
  spamPhrases: 2,
  injection: null,
  labels: [{ input: "images/0", category: "alcohol", label: "whiskey_jug" }],
};

describe("the contract's example", () => {
  it("is reproduced to the letter", () => {
    expect(judge(policy, example)).toEqual({
      decision: "block",
      approved: false,
      actions: ["hide_content", "warn_user"],
      reasons: [
        {
          kind: "score",
          category: "toxicity",
          input: "text",
          score: 0.82,
          threshold: 0.7,
          message: "toxicity is 0.82; this policy blocks from 0.7.",
        },
        {
          kind: "score",
          category: "spam",
          input: "text",
          score: 0.7,
          threshold: 0.7,
          message: "spam is 0.7 (2 phrases matched); this policy blocks from 0.7.",
        },
        {
          kind: "score",
          category: "harassment",
          input: "text",
          score: 0.79,
          threshold: 0.7,
          message: "harassment is 0.79; this policy flags from 0.7.",
        },
        {
          kind: "label",
          category: "alcohol",
          input: "images/0",
          score: 0.64,
          threshold: 0.5,
          message: "Image label whiskey_jug is in the group alcohol; this policy flags from 0.5.",
        },
      ],
      coverage: forEach(CATEGORIES, () => "evaluated"),
      opensReview: false,
    });
  });

  it("when the judge times out, is flagged and opened", () => {
    const timedOut = stage("judge", {}, { status: "timed_out", basis: "held" });
    const late = judge(policy, {
      ...replacing(example, stage("spam", { spam: 0 }), stage("lexicon", {}), timedOut),
      spamPhrases: 0,
      labels: [],
    });
    expect(late).toMatchObject({ decision: "flag", approved: false, opensReview: true });
    expect(late.coverage.toxicity).toBe("timed_out");
    expect(late.coverage.harassment).toBe("timed_out");
    expect(late.coverage.spam).toBe("evaluated");
    expect(late.reasons).toContainEqual({
      kind: "unavailable",
      category: "toxicity",
      input: "text",
      score: null,
      threshold: null,
      message: "The judge did not answer in time; this policy flags what it could not check.",
    });
  });
});

const judgedAs = (scores: Scores, given: Policy = policy): Judgement =>
  judge(given, replacing(textOnly, stage("judge", { ...calm, ...scores })));

describe("thresholds", () => {
  it.each<[string, Scores, Partial<Judgement>]>([
    ["nothing", {}, { decision: "allow", approved: true, actions: [], reasons: [] }],
    ["just below block", { toxicity: 0.69 }, { decision: "allow", approved: true }],
    [
      "exactly block",
      { toxicity: 0.7 },
      { decision: "block", actions: ["hide_content", "warn_user"] },
    ],
    ["just below ban", { toxicity: 0.89 }, { actions: ["hide_content", "warn_user"] }],
    [
      "exactly ban",
      { toxicity: 0.9 },
      { decision: "block", actions: ["hide_content", "ban_user"] },
    ],
    [
      "exactly flag",
      { hate: 0.7 },
      { decision: "flag", approved: false, actions: [], opensReview: true },
    ],
    ["just below flag", { hate: 0.49 }, { decision: "allow", opensReview: false }],
    ["a block needs no person", { toxicity: 1 }, { opensReview: false }],
  ])("%s", (_, scores, expected) => {
    expect(judgedAs(scores)).toMatchObject(expected);
  });

  it("null is never, also at 1", () => {
    const never = withRules({ toxicity: { block: null, ban: null } });
    expect(judgedAs({ toxicity: 1 }, never)).toMatchObject({ decision: "allow", approved: true });
  });

  it("a threshold of 0 is always", () => {
    expect(judgedAs({}, withRules({ hate: { flag: 0 } })).decision).toBe("flag");
  });

  it.each<[string, Partial<CategoryRule>, number, string]>([
    ["a ban without a block blocks", { block: null, ban: 0.9 }, 0.95, "blocks from 0.9"],
    ["a ban below the block blocks", { block: 0.9, ban: 0.5 }, 0.6, "blocks from 0.5"],
    ["the block's threshold is named", { block: 0.7, ban: 0.9 }, 0.95, "blocks from 0.7"],
  ])("%s", (_, rule, toxicity, words) => {
    const banned = judgedAs({ toxicity }, withRules({ toxicity: rule }));
    expect(banned).toMatchObject({ decision: "block", actions: ["hide_content", "ban_user"] });
    expect(messages(banned)).toEqual([`toxicity is ${toxicity}; this policy ${words}.`]);
  });

  it("a ban needs a judge's word: phrases of a list block", () => {
    const rules = withRules({ spam: { ban: 0.7 } });
    const listed = judge(rules, replacing(textOnly, stage("spam", { spam: 1 })));
    expect(listed).toMatchObject({ decision: "block", actions: ["hide_content", "warn_user"] });
  });

  it("a score that the policy does not ask for does nothing", () => {
    const quiet = withRules({ toxicity: { inputs: [], required: false } });
    const other = judgedAs({ toxicity: 1 }, quiet);
    expect(other).toMatchObject({ decision: "allow", approved: true, reasons: [] });
    expect(other.coverage.toxicity).toBe("not_required");
  });

  it("sentiment alone does nothing", () => {
    const sad = replacing(textOnly, stage("sentiment", { negativity: 1 }));
    expect(judge(policy, sad)).toMatchObject({ decision: "allow", approved: true });
  });

  it.each([
    [1, 0.35, "spam is 0.35 (1 phrase matched); this policy flags from 0.3."],
    [2, 0.7, "spam is 0.7 (2 phrases matched); this policy blocks from 0.7."],
    [3, 1, "spam is 1 (3 phrases matched); this policy blocks from 0.7."],
  ])("%s phrases of spam", (spamPhrases, spam, message) => {
    const evidence = { ...replacing(textOnly, stage("spam", { spam })), spamPhrases };
    const spammed = judge(withRules({ spam: { flag: 0.3 } }), evidence);
    expect(messages(spammed)).toEqual([message]);
  });

  it("worst first, then by score", () => {
    const { reasons } = judgedAs({
      harassment: 0.99,
      violence: 0.8,
      toxicity: 0.71,
      "sexual/minors": 0.8,
    });
    expect(reasons.map(({ category }) => category)).toEqual([
      "sexual/minors",
      "toxicity",
      "harassment",
      "violence",
    ]);
  });
});

const skipped = (name: StageName): StageResult => stage(name, {}, { status: "not_required" });

describe("terms", () => {
  it("block, by their index, and spare the stages that then need no check", () => {
    const evidence = {
      ...replacing(textOnly, skipped("judge"), skipped("sentiment")),
      blockedTerms: [termOf(0), termOf(7)],
    };
    const blocked = judge(policy, evidence);
    expect(blocked).toMatchObject({
      decision: "block",
      approved: false,
      actions: ["hide_content", "warn_user"],
      opensReview: false,
    });
    expect(blocked.coverage).toMatchObject({ toxicity: "not_required", spam: "evaluated" });
    expect(blocked.reasons).toEqual(
      [0, 7].map((index) => ({
        kind: "term",
        category: null,
        input: "text",
        score: null,
        threshold: null,
        message: `Block term ${index} of this policy matched.`,
        term: `term ${index}`,
        spans: [{ start: index, end: index + 1 }],
      })),
    );
  });
});

const lexicon = (score: number, judged: Scores | null = calm): Judgement =>
  judge(
    policy,
    replacing(
      textOnly,
      stage("lexicon", { toxicity: score }),
      judged === null
        ? stage("judge", {}, { status: "failed" })
        : stage("judge", { ...calm, ...judged }),
    ),
  );

describe("the second opinion", () => {
  it("flags what the judge lets pass", () => {
    const contradicted = lexicon(0.7, { toxicity: 0.1 });
    expect(contradicted).toMatchObject({ decision: "flag", approved: false, opensReview: true });
    expect(contradicted.reasons).toEqual([
      {
        kind: "score",
        category: "toxicity",
        input: "text",
        score: 0.7,
        threshold: 0.7,
        message:
          "The word lists score toxicity 0.7 and the judge scores 0.1: a person should look.",
      },
    ]);
  });

  it("flags beside a judge that gave no score", () => {
    expect(messages(lexicon(0.8, null))).toEqual([
      "The word lists score toxicity 0.8 and the judge gave no score: a person should look.",
      "The judge failed; this policy flags what it could not check.",
    ]);
  });

  it.each<[string, number, Scores, string]>([
    ["says nothing below the threshold", 0.69, {}, "allow"],
    ["says nothing when the judge agrees", 0.9, { toxicity: 0.7 }, "block"],
    ["never blocks", 1, {}, "flag"],
  ])("%s", (_, score, judged, decision) => {
    const given = lexicon(score, judged);
    expect(given.decision).toBe(decision);
    expect(given.reasons.length).toBe(decision === "allow" ? 0 : 1);
  });

  it("is asked of each category that the text model scores", () => {
    const read = { ...calm, hate: 0.9, "self-harm": 0.5, harassment: 0.69 };
    const contradicted = judge(
      policy,
      replacing(textOnly, stage("tier0", read), stage("judge", { ...calm, "self-harm": 0.5 })),
    );
    expect(contradicted.decision).toBe("flag");
    expect(messages(contradicted)).toEqual([
      "The small text model scores hate 0.9 and the judge scores 0: a person should look.",
      "self-harm is 0.5; this policy flags from 0.5.",
    ]);
  });

  it("is no score of its own, and nothing to a policy without a threshold", () => {
    const never = withRules({ toxicity: { block: null, ban: null } });
    const evidence = replacing(textOnly, stage("lexicon", { toxicity: 1 }));
    expect(judge(never, evidence)).toMatchObject({ decision: "allow", approved: true });
  });
});

const alone = (scores: Scores, fields: Partial<StageResult> = {}): Judgement =>
  judge(policy, {
    ...textOnly,
    stages: [
      ...textOnly.stages.filter(({ name }) => name !== "judge" && name !== "lexicon"),
      stage("tier0", scores, { model: "neurogate/tier0@1", ...fields }),
    ],
  });

describe("the text model where no judge was planned", () => {
  const none = { toxicity: 0, harassment: 0, "harassment/threatening": 0, hate: 0, "self-harm": 0 };

  it("answers in its place, and approves", () => {
    const answered = alone(none);
    expect(answered).toMatchObject({ decision: "allow", approved: true, reasons: [] });
    expect(answered.coverage).toMatchObject({ toxicity: "evaluated", violence: "not_evaluated" });
  });

  it("blocks, and advises no ban however sure it is", () => {
    const blocked = alone({ ...none, toxicity: 1 });
    expect(blocked).toMatchObject({ decision: "block", actions: ["hide_content", "warn_user"] });
    expect(messages(blocked)).toEqual([
      "toxicity is 1 (by a small model, which has false alarms); this policy blocks from 0.7.",
    ]);
  });

  it.each(["failed", "not_evaluated"] as const)("approves nothing when it %s", (status) => {
    expect(alone({}, { status, model: null })).toMatchObject({ decision: "flag", approved: false });
  });
});

describe("somebody in danger", () => {
  it.each(["self-harm", "self-harm/intent"] as const)("is never blocked for %s", (category) => {
    const rules = withRules({ [category]: { flag: 0.5, block: 0.6, ban: 0.7 } });
    const stages = stage("judge", { ...calm, [category]: 1 });
    expect(judge(rules, replacing(textOnly, stages))).toMatchObject({
      decision: "flag",
      actions: ["offer_help"],
      opensReview: true,
    });
  });

  it("is blocked for what tells others how", () => {
    const stages = stage("judge", { ...calm, "self-harm/instructions": 1 });
    expect(judge(policy, replacing(textOnly, stages)).decision).toBe("block");
  });
});

describe("injection", () => {
  it("makes it at least a flag", () => {
    const injected = judge(policy, { ...textOnly, injection: "ignore_instructions" });
    expect(injected).toMatchObject({ decision: "flag", approved: false, opensReview: true });
    expect(injected.reasons).toEqual([
      {
        kind: "injection",
        category: null,
        input: "text",
        score: null,
        threshold: null,
        message:
          "The text matches the injection pattern ignore_instructions: a person should look.",
      },
    ]);
  });

  it("does not soften a block", () => {
    const evidence = replacing(textOnly, stage("judge", { ...calm, toxicity: 0.8 }));
    expect(judge(policy, { ...evidence, injection: "fence" }).decision).toBe("block");
  });
});

describe("a label's reason", () => {
  it("names a label that we know, whatever else the engine called it", () => {
    const named = {
      ...example,
      labels: [
        {
          input: "images/0" as const,
          category: "alcohol" as const,
          label: "<script>, Whiskey Jug",
        },
      ],
    };
    const reason = judge(policy, named).reasons.find(({ kind }) => kind === "label");
    expect(reason?.message).toBe(
      "Image label whiskey_jug is in the group alcohol; this policy flags from 0.5.",
    );
  });
});

describe("what could not be checked", () => {
  it("a high score in one window counts although another failed", () => {
    const partial = stage("judge", { toxicity: 0.95 }, { status: "failed" });
    const half = judge(policy, replacing(textOnly, partial));
    expect(half).toMatchObject({
      decision: "block",
      actions: ["hide_content", "ban_user"],
      opensReview: true,
    });
    expect(half.coverage.toxicity).toBe("failed");
    expect(messages(half)).toEqual([
      "toxicity is 0.95; this policy blocks from 0.7.",
      "The judge failed; this policy flags what it could not check.",
    ]);
  });

  it("a low score in one window is no approval of the other", () => {
    const partial = stage("judge", calm, { status: "timed_out" });
    expect(judge(policy, replacing(textOnly, partial))).toMatchObject({
      decision: "flag",
      approved: false,
    });
  });

  it.each([
    ["failed", "The judge failed"],
    ["timed_out", "The judge did not answer in time"],
    ["not_evaluated", "Nothing here could judge toxicity in this text"],
  ] as const)("%s", (status, words) => {
    const evidence = replacing(textOnly, stage("judge", {}, { status }));
    // What broke is never let through; what nothing here can judge is as the policy says.
    const allowed = status === "not_evaluated";
    const cases: [Partial<Policy>, string, Decision][] = [
      [{ on_unavailable: "flag" }, "flags", "flag"],
      [{ on_unavailable: "block" }, "blocks", "block"],
      allowed
        ? [{ on_unavailable: "allow" }, "allows", "allow"]
        : [{ on_unavailable: "allow" }, "flags", "flag"],
      allowed
        ? [{ on_unavailable: "block", unevaluated: "allow" }, "allows", "allow"]
        : [{ on_unavailable: "block", unevaluated: "allow" }, "blocks", "block"],
      allowed
        ? [{ on_unavailable: "flag", unevaluated: "block" }, "blocks", "block"]
        : [{ on_unavailable: "flag", unevaluated: "block" }, "flags", "flag"],
    ];
    for (const [rules, verb, decision] of cases) {
      const given = judge({ ...policy, ...rules }, evidence);
      expect(given).toMatchObject({ decision, approved: false, opensReview: true });
      expect(messages(given)).toEqual([`${words}; this policy ${verb} what it could not check.`]);
    }
  });

  it("a picture that nobody can judge for nsfw", () => {
    const unseen = judge(policy, {
      ...textOnly,
      inputs: ["images/0"],
      stages: [stage("labels", { weapons: 0, alcohol: 0, swimwear: 0 })],
    });
    expect(unseen).toMatchObject({ decision: "flag", approved: false });
    expect(messages(unseen)).toEqual([
      "Nothing here could judge nsfw in this image; this policy flags what it could not check.",
    ]);
    const labelsOnly = withRules({ nsfw: { required: false } });
    const labelled = {
      ...textOnly,
      inputs: ["images/0"],
      stages: [stage("labels", { weapons: 0, alcohol: 0, swimwear: 0 })],
    } as const;
    const allowed = judge(labelsOnly, labelled);
    expect(allowed).toMatchObject({ decision: "allow", approved: false });
    expect(allowed.coverage.nsfw).toBe("not_evaluated");
    // Whoever trusts in labels alone says that they are the check.
    const byLabels = withRules({ nsfw: { required: false }, weapons: { required: true } });
    expect(judge(byLabels, labelled)).toMatchObject({ decision: "allow", approved: true });
  });

  it("a picture that is too large for the picture model, with what to do", () => {
    const small = stage("vision", { nsfw: 0 });
    const large = stage("vision", {}, { input: "images/1", status: "not_evaluated" });
    const given = judge(policy, {
      ...textOnly,
      inputs: ["images/0", "images/1"],
      stages: [small, large],
      tooManyPixels: ["images/1"],
    });
    expect(given).toMatchObject({ decision: "flag", approved: false });
    expect(messages(given)).toEqual([
      "This picture has more than 4 megapixels, the most that the picture model here looks at (send a smaller one); this policy flags what it could not check.",
    ]);
  });

  it("names the check of a picture that failed, and the picture", () => {
    const failed = judge(policy, {
      ...textOnly,
      inputs: ["images/0", "images/1"],
      stages: [
        stage("vision", { nsfw: 0 }),
        stage("vision", {}, { input: "images/1", status: "failed" }),
      ],
    });
    expect(failed.coverage.nsfw).toBe("failed");
    expect(failed.reasons).toMatchObject([
      {
        input: "images/1",
        message: "The check for nsfw failed; this policy flags what it could not check.",
      },
    ]);
  });

  it.each([
    ["flag", "flag"],
    ["allow", "flag"],
    ["block", "block"],
  ] as const)("a picture of which nothing could be read, under %s", (on_unavailable, decision) => {
    const rules = withRules({ nsfw: { inputs: [] } });
    const picture = (status: "failed" | "not_evaluated") =>
      judge(
        { ...rules, on_unavailable },
        { ...textOnly, inputs: ["images/0"], stages: [stage("labels", {}, { status })] },
      );
    expect(picture("failed")).toMatchObject({
      decision,
      approved: false,
      reasons: [{ kind: "unavailable", category: null, input: "images/0" }],
    });
    // What was read and could not be judged, with nothing required, is as the policy wants it.
    expect(picture("not_evaluated")).toMatchObject({ decision: "allow", approved: false });
  });

  it("an input of which nothing is required is not approved by another one", () => {
    const beside: Evidence = {
      ...textOnly,
      inputs: ["text", "images/0"],
      stages: [...textOnly.stages, stage("labels", { weapons: 0, alcohol: 0, swimwear: 0 })],
    };
    expect(judge(policy, textOnly).approved).toBe(true);
    const labelsOnly = withRules({ nsfw: { inputs: [], required: false } });
    expect(judge(labelsOnly, beside)).toMatchObject({ decision: "allow", approved: false });
  });

  it("is one reason, however many of a judge's categories are required", () => {
    const strict = presetPolicy("strict", "workers-ai");
    const { reasons, coverage } = judge(
      strict,
      replacing(textOnly, stage("judge", {}, { status: "failed" })),
    );
    expect(reasons).toMatchObject([{ kind: "unavailable", category: "toxicity" }]);
    expect(coverage).toMatchObject({ toxicity: "failed", "sexual/minors": "failed" });
  });

  it("a category that no stage answers for in such an input is never approved", () => {
    const odd = withRules({ nsfw: { inputs: ["text"] } });
    expect(judge(odd, textOnly)).toMatchObject({ decision: "flag", approved: false });
  });

  it("a stage that answered without this category has not evaluated it", () => {
    const { toxicity: _, ...others } = calm;
    const given = judge(policy, replacing(textOnly, stage("judge", others)));
    expect(given.coverage).toMatchObject({ toxicity: "not_evaluated", hate: "evaluated" });
    expect(given.approved).toBe(false);
  });
});

/** A picture of which that model says this. */
const seen = (nsfw: number, model: string | null) =>
  judge(policy, {
    ...textOnly,
    inputs: ["images/0"],
    stages: [stage(model === PICTURE_MODEL ? "picture" : "vision", { nsfw }, { model })],
  });

describe("the small picture model", () => {
  it("flags and blocks, and says what it is", () => {
    expect(seen(0.49, PICTURE_MODEL)).toMatchObject({ decision: "allow", approved: true });
    expect(seen(0.5, PICTURE_MODEL)).toMatchObject({ decision: "flag", approved: false });
    const blocked = seen(0.7, PICTURE_MODEL);
    expect(blocked).toMatchObject({ decision: "block", actions: ["hide_content", "warn_user"] });
    expect(messages(blocked)).toEqual([
      "nsfw is 0.7 (by a small model, which has false alarms); this policy blocks from 0.7.",
    ]);
  });

  it("never advises to ban anybody, however sure it is", () => {
    const sure = seen(1, PICTURE_MODEL);
    expect(sure).toMatchObject({ decision: "block", actions: ["hide_content", "warn_user"] });
    expect(seen(1, "@cf/google/gemma-4-26b-a4b-it").actions).toContain("ban_user");
    const banOnly = judge(withRules({ nsfw: { flag: null, block: null, ban: 0.9 } }), {
      ...textOnly,
      inputs: ["images/0"],
      stages: [stage("picture", { nsfw: 0.95 }, { model: PICTURE_MODEL })],
    });
    expect(banOnly).toMatchObject({ decision: "block", actions: ["hide_content", "warn_user"] });
  });

  it("does not answer for a vision model that failed", () => {
    const given = judge(policy, {
      ...textOnly,
      inputs: ["images/0"],
      stages: [
        stage("picture", { nsfw: 0 }, { model: PICTURE_MODEL }),
        stage("vision", {}, { status: "failed" }),
      ],
    });
    expect(given).toMatchObject({ decision: "flag", approved: false });
    expect(given.coverage.nsfw).toBe("failed");
  });
});

describe("approved", () => {
  const statuses = [...CHECK_STATUSES, "absent"] as const;

  it("never without a required check: every status, required or not, every on_unavailable", () => {
    let approvals = 0;
    for (const status of statuses)
      for (const required of [true, false])
        for (const on_unavailable of ON_UNAVAILABLE) {
          const judgeStage = status === "absent" ? [] : [stage("judge", calm, { status })];
          const others = textOnly.stages.filter(({ name }) => name !== "judge");
          const rules = withRules({ toxicity: { required } });
          const evidence = { ...textOnly, stages: [...others, ...judgeStage] };
          const { approved, decision } = judge({ ...rules, on_unavailable }, evidence);
          expect(approved).toBe(status === "evaluated" || !required);
          if (approved) expect(decision).toBe("allow");
          approvals += approved ? 1 : 0;
        }
    expect(approvals).toBe((1 + statuses.length) * ON_UNAVAILABLE.length);
  });

  const inputs: readonly InputName[] = ["text", "images/0", "images/1"];
  const anyThreshold = fc.option(fc.constantFrom(0, 0.5, 0.7, 1), { nil: null });
  const anyRule = fc.record({
    inputs: fc.subarray(["text", "image"] as const),
    required: fc.boolean(),
    flag: anyThreshold,
    block: anyThreshold,
    ban: anyThreshold,
  });
  const anyPolicy = fc
    .record({
      rules: fc.array(anyRule, { minLength: CATEGORIES.length, maxLength: CATEGORIES.length }),
      on_unavailable: fc.constantFrom(...ON_UNAVAILABLE),
    })
    .map(({ rules, on_unavailable }): Policy => ({
      ...policy,
      on_unavailable,
      categories: forEach(
        CATEGORIES,
        (category) => rules[CATEGORIES.indexOf(category)] ?? policy.categories[category],
      ),
    }));
  const anyScores = fc.dictionary(fc.constantFrom(...CATEGORIES), fc.constantFrom(0, 0.6, 1));
  const anyStage = (name: StageName, input: InputName) =>
    fc.option(
      fc
        .record({
          status: fc.constantFrom("evaluated" as const, "evaluated" as const, ...CHECK_STATUSES),
          scores: anyScores,
        })
        .map(({ status, scores }) => stage(name, scores as Scores, { input, status })),
      { nil: null },
    );
  const anyEvidence = fc
    .record({
      inputs: fc.subarray([...inputs], { minLength: 1 }),
      stages: fc.tuple(
        ...(["sentiment", "spam", "lexicon", "tier0", "judge"] as const).map((n) =>
          anyStage(n, "text"),
        ),
        ...(["images/0", "images/1"] as const).flatMap((input) => [
          anyStage("labels", input),
          anyStage("picture", input),
          anyStage("vision", input),
        ]),
      ),
      blockedTerms: fc.constantFrom([], [], [], [termOf(3)]),
      injection: fc.constantFrom(null, null, null, "fence"),
    })
    .map(({ stages, ...rest }): Evidence => ({
      ...rest,
      spamPhrases: 0,
      labels: [],
      stages: stages.filter((one) => one !== null),
    }));

  const answers: Readonly<Record<string, readonly Category[]>> = {
    sentiment: ["negativity"],
    spam: ["spam"],
    judge: JUDGED_CATEGORIES,
    tier0: [...TEXT_MODEL_CATEGORIES, ...TEXT_MODEL_SHOWS],
    labels: ["weapons", "alcohol", "swimwear"],
    picture: ["nsfw"],
    vision: ["nsfw"],
  };

  /** By the words of the contract, without the code's help. */
  function isChecked({ stages }: Evidence, category: Category, input: InputName): boolean {
    return stages.some(
      (one) =>
        one.input === input &&
        one.status === "evaluated" &&
        // The picture model counts only where no vision model was asked.
        !(one.name === "picture" && stages.some((o) => o.name === "vision" && o.input === input)) &&
        // And so the text model, where no judge was.
        !(one.name === "tier0" && stages.some((o) => o.name === "judge")) &&
        (answers[one.name] ?? []).includes(category) &&
        one.scores[category] !== undefined,
    );
  }

  it("only when it is allowed and every required check was evaluated, for any evidence", () => {
    fc.assert(
      fc.property(anyPolicy, anyEvidence, (rules, evidence) => {
        const given = judge(rules, evidence);
        const checked = CATEGORIES.every((category) => {
          const rule = rules.categories[category];
          return evidence.inputs
            .filter((input) => rule.inputs.includes(input === "text" ? "text" : "image"))
            .every((input) => !rule.required || isChecked(evidence, category, input));
        });
        // And something was required of each input.
        const isAsked = evidence.inputs.every((input) =>
          CATEGORIES.some((category) => {
            const { required, inputs: of } = rules.categories[category];
            return required && of.includes(input === "text" ? "text" : "image");
          }),
        );
        expect(given.approved).toBe(given.decision === "allow" && checked && isAsked);
        if (evidence.blockedTerms.length > 0) expect(given.decision).toBe("block");
        if (evidence.injection !== null) expect(given.decision).not.toBe("allow");
        expect(given.actions.includes("hide_content")).toBe(given.decision === "block");
        if (given.actions.includes("ban_user")) expect(given.decision).toBe("block");
        if (given.decision === "flag") expect(given.opensReview).toBe(true);
        if (given.decision !== "allow") expect(given.reasons.length).toBeGreaterThan(0);
        expect(Object.keys(given.coverage)).toEqual(CATEGORIES);
      }),
      { numRuns: 500 },
    );
  });
});

describe("writing in a picture", () => {
  const INPUT = "images/0/text";
  const written = (scores: Scores, fields: Partial<StageResult> = {}): StageResult =>
    stage("judge", scores, { input: INPUT, ...fields });
  const rules = withRules({ toxicity: { required: true }, nsfw: { required: true } });
  const withWriting = (stages: StageResult[], facts: Partial<TextFacts> = {}): Evidence => ({
    inputs: ["images/0"],
    stages: [stage("labels", {}), stage("vision", { nsfw: 0 }), ...stages],
    blockedTerms: [],
    spamPhrases: 0,
    injection: null,
    labels: [],
    writing: [{ input: INPUT, blockedTerms: [], spamPhrases: 0, injection: null, ...facts }],
  });
  const spam = stage("spam", { spam: 0 }, { input: INPUT });
  const labelled = stage("labels", { weapons: 0, alcohol: 0, swimwear: 0 });

  it("is approved where its required checks were made", () => {
    const evidence = replacing(withWriting([written(calm), spam]), labelled);
    expect(judge(rules, evidence)).toMatchObject({ decision: "allow", approved: true });
  });

  it.each(["failed", "timed_out", "not_evaluated"] as const)("is not where one %s", (status) => {
    const evidence = replacing(withWriting([written({}, { status }), spam]), labelled);
    const made = judge(rules, evidence);
    expect(made).toMatchObject({ decision: "flag", approved: false });
    expect(made.coverage.toxicity).toBe(status);
    expect(made.reasons).toMatchObject([{ kind: "unavailable", input: INPUT }]);
  });

  it("blocks by its scores and its terms, which have no places there", () => {
    const rude = judge(rules, withWriting([written({ ...calm, toxicity: 0.9 }), spam]));
    expect(rude).toMatchObject({ decision: "block", reasons: [{ input: INPUT, score: 0.9 }] });
    const term = judge(rules, withWriting([written(calm), spam], { blockedTerms: [termOf(2)] }));
    expect(term).toMatchObject({ decision: "block", reasons: [{ kind: "term", input: INPUT }] });
    expect(term.reasons[0]?.spans).toBeUndefined();
  });

  it("is flagged where it gives orders, or where the text model contradicts its judge", () => {
    const orders = judge(rules, withWriting([written(calm), spam], { injection: "fence" }));
    expect(orders).toMatchObject({ decision: "flag", reasons: [{ kind: "injection" }] });
    const second = stage("tier0", { toxicity: 0.9 }, { input: INPUT });
    const other = judge(rules, withWriting([written(calm), spam, second]));
    expect(other).toMatchObject({ decision: "flag", reasons: [{ input: INPUT, score: 0.9 }] });
  });

  it("is not asked for what nothing comes of", () => {
    const idle = withRules({ negativity: { required: false, flag: null, block: null, ban: null } });
    const evidence = withWriting([written(calm), spam]);
    expect(judge(idle, evidence).coverage.negativity).toBe("not_required");
    const flagging = withRules({ negativity: { flag: 0.9 } });
    expect(judge(flagging, evidence).coverage.negativity).toBe("not_evaluated");
  });
});
