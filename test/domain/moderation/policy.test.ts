import { describe, expect, it } from "vitest";
import { CATALOGUE, resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import { CATEGORIES } from "../../../src/domain/moderation/category.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import {
  asks,
  FLAG_ONLY,
  lowestThreshold,
  type Policy,
} from "../../../src/domain/moderation/policy.ts";
import { defaultPolicy, presetPolicy, PRESETS } from "../../../src/domain/moderation/presets.ts";
import { DEFAULT_ROUTING } from "../../../src/domain/generation/routing.ts";
import { takesPictures } from "../../../src/domain/generation/token-bound.ts";

const policy = defaultPolicy("workers-ai");

describe("the default policy", () => {
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
    expect(defaultPolicy("openai")).toEqual({
      ...policy,
      models: { ...policy.models, vision: null },
    });
    expect(defaultPolicy("embedded").models).toEqual({ ...policy.models, vision: null });
  });

  it("never blocks by what may only flag", () => {
    expect(FLAG_ONLY).toEqual(["negativity", "weapons", "alcohol", "swimwear"]);
    for (const category of FLAG_ONLY) {
      expect(policy.categories[category]).toMatchObject({ block: null, ban: null });
    }
  });
});

/** The contract's table: required, flag, block, ban; a category without a row is not asked for. */
const TABLES = {
  default: {
    negativity: "no - - -",
    spam: "yes - 0.7 -",
    toxicity: "yes - 0.7 0.9",
    harassment: "yes 0.7 - -",
    "harassment/threatening": "yes 0.5 0.8 -",
    hate: "yes 0.5 0.8 -",
    "hate/threatening": "yes 0.4 0.7 -",
    illicit: "no 0.7 - -",
    "illicit/violent": "no 0.5 0.8 -",
    "self-harm": "yes 0.5 - -",
    "self-harm/instructions": "yes 0.5 0.7 -",
    "self-harm/intent": "yes 0.5 - -",
    sexual: "yes 0.7 - -",
    "sexual/minors": "yes 0.3 0.7 -",
    violence: "yes 0.8 - -",
    "violence/graphic": "no 0.7 - -",
    weapons: "no 0.7 - -",
    alcohol: "no - - -",
    swimwear: "no - - -",
    nsfw: "yes 0.5 0.7 0.9",
  },
  strict: {
    negativity: "no - - -",
    spam: "yes 0.35 0.7 -",
    toxicity: "yes 0.4 0.6 0.9",
    harassment: "yes 0.5 0.8 -",
    "harassment/threatening": "yes 0.3 0.6 -",
    hate: "yes 0.3 0.6 -",
    "hate/threatening": "yes 0.3 0.5 -",
    illicit: "no 0.5 0.8 -",
    "illicit/violent": "no 0.3 0.6 -",
    "self-harm": "yes 0.3 - -",
    "self-harm/instructions": "yes 0.3 0.5 -",
    "self-harm/intent": "yes 0.3 - -",
    sexual: "yes 0.4 0.7 -",
    "sexual/minors": "yes 0.2 0.5 -",
    violence: "yes 0.5 0.8 -",
    "violence/graphic": "no 0.5 0.8 -",
    weapons: "no 0.5 - -",
    alcohol: "no 0.5 - -",
    swimwear: "no 0.5 - -",
    nsfw: "yes 0.3 0.5 0.9",
  },
  free: {
    spam: "yes - 0.7 -",
    toxicity: "yes 0.5 0.9 -",
    harassment: "yes 0.5 - -",
    "harassment/threatening": "no 0.5 0.9 -",
    hate: "yes 0.5 0.9 -",
    "self-harm": "yes 0.5 - -",
    sexual: "yes 0.5 - -",
    "sexual/minors": "no 0.3 - -",
    nsfw: "no 0.5 0.7 -",
  },
} as const;

const tableOf = ({ categories }: Policy): Record<string, string> =>
  Object.fromEntries(
    CATEGORIES.flatMap((category) => {
      const { inputs, required, flag, block, ban } = categories[category];
      if (inputs.length === 0) return [];
      const row = [required ? "yes" : "no", ...[flag, block, ban].map((at) => at ?? "-")];
      return [[category, row.join(" ")]];
    }),
  );

const onFreePlan = (id: string) => resolveModel(id, { workersPlan: "free", prices: {} });

describe("a preset", () => {
  it.each(PRESETS)("%s has the contract's table", (preset) => {
    expect(tableOf(presetPolicy(preset, "workers-ai"))).toEqual(TABLES[preset]);
    expect(tableOf(presetPolicy(preset, "openai"))).toEqual(TABLES[preset]);
  });

  it.each(["default", "strict"] as const)(
    "%s requires of the embedded engine what it evaluates, with the same thresholds",
    (preset) => {
      const { categories } = presetPolicy(preset, "embedded");
      expect(CATEGORIES.filter((category) => categories[category].required)).toEqual([
        "spam",
        "toxicity",
        "harassment",
        "harassment/threatening",
        "hate",
        "self-harm",
        "sexual",
        "nsfw",
      ]);
      const everywhere = presetPolicy(preset, "workers-ai").categories;
      for (const category of CATEGORIES) {
        const { required } = categories[category];
        expect(categories[category]).toEqual({ ...everywhere[category], required });
      }
    },
  );

  it("asks nothing that costs, as free, wherever it runs", () => {
    for (const engine of ["workers-ai", "openai", "embedded"] as const) {
      const free = presetPolicy("free", engine);
      const contents = [{ text: { sentiment: [510], judge: [12_000] }, pictures: 8 }];
      expect(planModeration(free, contents, onFreePlan)).toEqual({ kind: "planned", stages: [] });
      expect(free).toMatchObject({ on_unavailable: "flag", unevaluated: "allow" });
    }
  });

  it("takes pictures for what is of pictures, and texts for the rest", () => {
    for (const preset of PRESETS) {
      const { categories } = presetPolicy(preset, "workers-ai");
      for (const category of CATEGORIES) {
        const ofPictures = ["weapons", "alcohol", "swimwear", "nsfw"].includes(category);
        const { inputs } = categories[category];
        if (inputs.length > 0) expect(inputs).toEqual([ofPictures ? "image" : "text"]);
      }
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
