import { describe, expect, it } from "vitest";
import { CATALOGUE, resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import {
  type MeasuredContent,
  planModeration,
} from "../../../src/domain/moderation/plan-moderation.ts";
import {
  type FindModel,
  type PlannedStage,
  rateUnits,
  sumUsage,
} from "../../../src/domain/moderation/stage.ts";
import type { CategoryRule, Policy } from "../../../src/domain/moderation/policy.ts";
import { defaultPolicy } from "../../../src/domain/moderation/presets.ts";
import type { Category } from "../../../src/domain/moderation/category.ts";

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const LLAMA_70B = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
const LLAMA_VISION = "@cf/meta/llama-3.2-11b-vision-instruct";
const KIMI = "@cf/moonshotai/kimi-k2.6";
const RESNET = "@cf/microsoft/resnet-50";

const anyModel: FindModel = (id) => resolveModel(id, { workersPlan: "paid", prices: {} });

const policy = defaultPolicy("workers-ai");

const withModels = (models: Partial<Policy["models"]>): Policy => ({
  ...policy,
  models: { ...policy.models, ...models },
});

const withRules = (rules: Partial<Record<Category, Partial<CategoryRule>>>): Policy => ({
  ...policy,
  categories: Object.fromEntries(
    Object.entries(policy.categories).map(([category, rule]) => [
      category,
      { ...rule, ...rules[category as Category] },
    ]),
  ) as Policy["categories"],
});

const withoutCategories = (wanted: (category: string) => boolean): Policy => ({
  ...policy,
  categories: Object.fromEntries(
    Object.entries(policy.categories).map(([category, rule]) => [
      category,
      wanted(category) ? rule : { ...rule, inputs: [] },
    ]),
  ) as Policy["categories"],
});

/** The contract's text: 43 bytes, 45 as a JSON string. */
const text: MeasuredContent = { text: { sentiment: [43], judge: [45] }, pictures: 0 };
const picture: MeasuredContent = { text: null, pictures: 1 };

function planned(given: Policy, ...contents: MeasuredContent[]): readonly PlannedStage[] {
  const plan = planModeration(given, contents, anyModel);
  if (plan.kind !== "planned") throw new Error(plan.kind);
  return plan.stages;
}

const named = (stages: readonly PlannedStage[]): string[] =>
  stages.map(({ content, name, input }) => `${content} ${name} ${input}`);

function stageOf(stages: readonly PlannedStage[], name: string): PlannedStage {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) throw new Error(`no ${name} was planned`);
  return stage;
}

describe("which stages", () => {
  it.each<[string, Policy, MeasuredContent[], string[]]>([
    ["a text", policy, [text], ["0 sentiment text", "0 judge text"]],
    [
      "a picture",
      policy,
      [picture],
      ["0 labels images/0", "0 vision images/0", "0 judge images/0/text"],
    ],
    [
      "a text and two pictures",
      policy,
      [{ ...text, pictures: 2 }],
      [
        "0 sentiment text",
        "0 judge text",
        "0 labels images/0",
        "0 vision images/0",
        "0 judge images/0/text",
        "0 labels images/1",
        "0 vision images/1",
        "0 judge images/1/text",
      ],
    ],
    [
      "two contents",
      policy,
      [text, picture],
      [
        "0 sentiment text",
        "0 judge text",
        "1 labels images/0",
        "1 vision images/0",
        "1 judge images/0/text",
      ],
    ],
    ["nothing", policy, [{ text: null, pictures: 0 }], []],
    ["no judge", withModels({ judge: null }), [text], ["0 sentiment text"]],
    [
      "no judge, and a picture",
      withModels({ judge: null }),
      [picture],
      ["0 labels images/0", "0 vision images/0"],
    ],
    [
      "of writing what something comes of: sentiment with a threshold",
      withRules({ negativity: { flag: 0.9 } }),
      [picture],
      [
        "0 labels images/0",
        "0 vision images/0",
        "0 sentiment images/0/text",
        "0 judge images/0/text",
      ],
    ],
    ["no vision model", withModels({ vision: null }), [picture], ["0 labels images/0"]],
    ["only spam: rules are free", withoutCategories((c) => c === "spam"), [text, picture], []],
    ["only negativity", withoutCategories((c) => c === "negativity"), [text], ["0 sentiment text"]],
    [
      "one judged category asks the judge",
      withoutCategories((c) => c === "violence/graphic"),
      [text],
      ["0 judge text"],
    ],
    [
      "one label group asks for labels",
      withoutCategories((c) => c === "swimwear"),
      [picture],
      ["0 labels images/0"],
    ],
    ["only nsfw", withoutCategories((c) => c === "nsfw"), [picture], ["0 vision images/0"]],
    [
      "a category that is asked of the other kind of input",
      withRules({ nsfw: { inputs: ["text"] }, negativity: { inputs: ["image"] } }),
      [{ ...text, pictures: 1 }],
      ["0 judge text", "0 labels images/0"],
    ],
  ])("%s", (_, given, contents, expected) => {
    expect(named(planned(given, ...contents))).toEqual(expected);
  });
});

describe("bounds", () => {
  it("of the contract's text, by hand", () => {
    const stages = planned(policy, text);
    // 43 bytes + [CLS] + [SEP] = 45 tokens x 2,394
    expect(stageOf(stages, "sentiment")).toMatchObject({
      model: DISTILBERT,
      units: { input_token: 45 },
      bound: 107_730,
    });
    // 45 + prompt 640 + template 40 + 2 messages x 8 = 741 x 13,778, and 256 x 26,128
    expect(stageOf(stages, "judge")).toMatchObject({
      model: LLAMA,
      units: { input_token: 741, output_token: 256 },
      calls: [{ ownTokens: 696, bound: 16_898_266 }],
      bound: 16_898_266,
    });
  });

  it("of a picture, by hand", () => {
    const stages = planned(withModels({ vision: LLAMA_VISION }), picture);
    expect(stageOf(stages, "labels")).toMatchObject({
      model: RESNET,
      units: { image: 1 },
      bound: 228_055,
    });
    // prompt 643 + template 40 + 2 messages x 8 + picture 6,405 = 7,104 x 4,410, 512 x 61,493
    expect(stageOf(stages, "vision")).toMatchObject({
      model: LLAMA_VISION,
      units: { input_token: 7104, output_token: 512 },
      calls: [{ ownTokens: 643, bound: 62_813_056 }],
      bound: 62_813_056,
    });
    // Its writing: 1,280 + prompt 640 + template 40 + 2 messages x 8 = 1,976 x 13,778, 256 x 26,128
    expect(stageOf(stages, "judge")).toMatchObject({
      model: LLAMA,
      input: "images/0/text",
      units: { input_token: 1976, output_token: 256 },
      bound: 33_914_096,
    });
  });

  it("of a long text: one call for each window, and never beyond what a model reads", () => {
    const stages = planned(policy, {
      text: { sentiment: [510, 511, 20], judge: [12_000, 40_000] },
      pictures: 0,
    });
    const sentiment = stageOf(stages, "sentiment");
    // 512, 512 again (the model reads no more), 22 tokens x 2,394
    expect(sentiment.calls.map(({ bound }) => bound)).toEqual([1_225_728, 1_225_728, 52_668]);
    expect(sentiment).toMatchObject({ units: { input_token: 1046 }, bound: 2_504_124 });
    const judge = stageOf(stages, "judge");
    // 12,696 tokens, and the context window of 32,000
    expect(judge.units).toEqual({ input_token: 44_696, output_token: 512 });
    expect(judge.bound).toBe(44_696 * 13_778 + 512 * 26_128);
  });

  it("with a fallback is the dearer one's, whichever that is", () => {
    // 741 x 26,668 + 256 x 204,805
    const dear = 72_191_068;
    const up = stageOf(planned(withModels({ judge_fallback: LLAMA_70B }), text), "judge");
    expect(up).toMatchObject({ model: LLAMA, fallbacks: [LLAMA_70B], bound: dear });
    expect(up.calls).toMatchObject([{ bound: dear, units: { input_token: 741 } }]);
    const other = withModels({ judge: LLAMA_70B, judge_fallback: LLAMA });
    const down = stageOf(planned(other, text), "judge");
    expect(down).toMatchObject({ model: LLAMA_70B, fallbacks: [LLAMA], bound: dear });
  });

  it("of a judge whose tokenizer was not measured takes our prompt's bytes", () => {
    const kimi = CATALOGUE.get(KIMI);
    const judge = stageOf(planned(withModels({ judge: KIMI }), text), "judge");
    const { templateTokens = 0, messageTokens = 0 } = kimi?.bounds ?? {};
    const own = 2138 + templateTokens + 2 * messageTokens;
    expect(judge.calls).toMatchObject([{ ownTokens: own, units: { input_token: 45 + own } }]);
  });
});

describe("a model that cannot run", () => {
  const found = { content: text, given: policy };
  it.each<[string, Policy, MeasuredContent, object]>([
    ["is not there", withModels({ judge: "@cf/none" }), text, { kind: "model_not_found" }],
    ["names none of ours", withModels({ judge: "__proto__" }), text, { kind: "model_not_found" }],
    [
      "is retired",
      withModels({ judge: "@cf/meta/llama-3-8b-instruct" }),
      text,
      { kind: "model_retired", replacement: LLAMA },
    ],
    [
      "a fallback is not there",
      withModels({ judge_fallback: "@cf/none" }),
      text,
      {
        kind: "model_not_found",
        model: "@cf/none",
      },
    ],
    [
      "does not chat",
      withModels({ judge: RESNET }),
      text,
      {
        kind: "unbounded_usage",
        detail: `${RESNET} cannot be asked for a judge check with a known bound.`,
      },
    ],
    [
      "a fallback does not chat",
      withModels({ judge_fallback: DISTILBERT }),
      text,
      {
        kind: "unbounded_usage",
        detail: `${DISTILBERT} cannot be asked for a judge check with a known bound.`,
      },
    ],
    [
      "takes no pictures that we can bound",
      withModels({ vision: LLAMA }),
      picture,
      {
        kind: "unbounded_usage",
        detail: `${LLAMA} cannot be asked for a vision check with a known bound.`,
      },
    ],
  ])("%s", (_, given, content, expected) => {
    expect(planModeration(given, [content], anyModel)).toMatchObject(expected);
  });

  it("says what the finder says, also of the models that policies do not name", () => {
    const refuse: FindModel = (id) =>
      id === DISTILBERT ? { kind: "model_not_allowed", model: id } : anyModel(id);
    expect(planModeration(found.given, [found.content], refuse)).toEqual({
      kind: "model_not_allowed",
      model: DISTILBERT,
    });
  });

  it("does not matter where nothing would ask it", () => {
    const plan = planModeration(withModels({ vision: "@cf/none" }), [text], anyModel);
    expect(plan.kind).toBe("planned");
  });
});

describe("rateUnits", () => {
  it("takes one request, and a unit of its class for each engine call", () => {
    const four = planned(withModels({ vision: null }), { text: null, pictures: 4 });
    expect(rateUnits(four)).toEqual({ requests: 1, image_classification: 4 });
    // Judge and vision model are both text generation, and so is the judge of the picture's writing.
    expect(rateUnits(planned(policy, { ...text, pictures: 1 }))).toEqual({
      requests: 1,
      text_classification: 1,
      text_generation: 3,
      image_classification: 1,
    });
    const long = planned(policy, {
      text: { sentiment: [510, 510], judge: [1, 2, 3] },
      pictures: 0,
    });
    expect(rateUnits(long)).toEqual({ requests: 1, text_classification: 2, text_generation: 3 });
    expect(rateUnits([])).toEqual({ requests: 1 });
  });

  it("counts a model with its own limit by itself, and no fallback", () => {
    const stages = planned(withModels({ judge: KIMI, judge_fallback: LLAMA }), text);
    expect(rateUnits(stages)).toEqual({ requests: 1, text_classification: 1, [KIMI]: 1 });
  });
});

describe("sumUsage", () => {
  it("adds by unit", () => {
    expect(sumUsage([])).toEqual({});
    expect(sumUsage([{ input_token: 1, image: 2 }, {}, { input_token: 3 }])).toEqual({
      input_token: 4,
      image: 2,
    });
  });
});
