import { describe, expect, it } from "vitest";
import { CATALOGUE, resolveModel } from "../../src/domain/catalogue.ts";
import { CATEGORIES, OPENAI_CATEGORIES } from "../../src/domain/category.ts";
import { asks, defaultPolicy, FLAG_ONLY, lowestThreshold } from "../../src/domain/policy.ts";
import { DEFAULT_ROUTING } from "../../src/domain/routing.ts";
import { takesPictures } from "../../src/domain/token-bound.ts";

const policy = defaultPolicy(true);

describe("the default policy", () => {
  const text = { inputs: ["text"], required: false, flag: null, block: null, ban: null };
  const image = { ...text, inputs: ["image"] };

  it("has the contract's rules, field by field", () => {
    const { "sexual/minors": minors, ...rules } = policy.categories;
    expect(minors).toEqual({ ...text, flag: 0.3, block: 0.7 });
    expect(rules).toEqual({
      negativity: text,
      spam: { ...text, required: true, block: 0.7 },
      toxicity: { ...text, required: true, block: 0.7, ban: 0.9 },
      harassment: { ...text, flag: 0.7 },
      "harassment/threatening": { ...text, flag: 0.5, block: 0.8 },
      hate: { ...text, flag: 0.5, block: 0.8 },
      "hate/threatening": { ...text, flag: 0.4, block: 0.7 },
      illicit: { ...text, flag: 0.7 },
      "illicit/violent": { ...text, flag: 0.5, block: 0.8 },
      "self-harm": { ...text, flag: 0.5 },
      "self-harm/instructions": { ...text, flag: 0.5, block: 0.7 },
      "self-harm/intent": { ...text, flag: 0.5 },
      sexual: { ...text, flag: 0.7 },
      violence: { ...text, flag: 0.8 },
      "violence/graphic": { ...text, flag: 0.7 },
      weapons: { ...image, flag: 0.5 },
      alcohol: { ...image, flag: 0.5 },
      swimwear: { ...image, flag: 0.5 },
      nsfw: { ...image, required: true, flag: 0.5, block: 0.7, ban: 0.9 },
    });
    expect(OPENAI_CATEGORIES).toHaveLength(13);
  });

  it("keeps the stored order of categories", () => {
    expect(Object.keys(policy.categories)).toEqual(CATEGORIES);
    expect(CATEGORIES).toHaveLength(20);
  });

  it("has the contract's lists and models", () => {
    expect({ ...policy, categories: {} }).toEqual({
      categories: {},
      routing: DEFAULT_ROUTING,
      spam_phrases: ["buy now", "click here", "limited offer", "act now"],
      terms: { block: [], allow: [] },
      on_unavailable: "flag",
      evaluate_all: false,
      guard: { input: "off", output: "off" },
      models: {
        judge: "@cf/meta/llama-3.1-8b-instruct-fp8",
        judge_fallback: null,
        vision: "@cf/google/gemma-4-26b-a4b-it",
      },
    });
  });

  it("names models that run, the vision model with a bound on pictures", () => {
    for (const id of [policy.models.judge, policy.models.vision]) {
      const resolved = resolveModel(id ?? "", { workersPlan: "free", prices: {} });
      expect(resolved.kind).toBe("found");
    }
    const vision = CATALOGUE.get(policy.models.vision ?? "");
    expect(vision !== undefined && takesPictures(vision)).toBe(true);
  });

  it("asks no vision model where there is none", () => {
    expect(defaultPolicy(false)).toEqual({
      ...policy,
      models: { ...policy.models, vision: null },
    });
  });

  it("never blocks by what may only flag", () => {
    expect(FLAG_ONLY).toEqual(["negativity", "weapons", "alcohol", "swimwear"]);
    for (const category of FLAG_ONLY) {
      expect(policy.categories[category]).toMatchObject({ block: null, ban: null });
    }
  });
});

describe("asks", () => {
  it.each([
    ["text", ["toxicity"], true],
    ["image", ["toxicity"], false],
    ["image", ["toxicity", "nsfw"], true],
    ["text", ["nsfw", "weapons"], false],
    ["text", [], false],
  ] as const)("%s for %j: %s", (kind, categories, expected) => {
    expect(asks(policy, kind, categories)).toBe(expected);
  });

  it("does not ask where a category has no inputs", () => {
    const spam = { ...policy.categories.spam, inputs: [] };
    const none = { ...policy, categories: { ...policy.categories, spam } };
    expect(asks(none, "text", ["spam"])).toBe(false);
  });
});

describe("lowestThreshold", () => {
  const rule = policy.categories.negativity;
  it.each([
    [{}, null],
    [{ flag: 0.7 }, 0.7],
    [{ block: 0.7, ban: 0.9 }, 0.7],
    [{ flag: 0.8, block: 0.7, ban: 0.9 }, 0.7],
    [{ block: 0.9, ban: 0.5 }, 0.5],
    [{ flag: 0, block: 0.7 }, 0],
  ])("of %j is %s", (fields, expected) => {
    expect(lowestThreshold({ ...rule, ...fields })).toBe(expected);
  });
});
