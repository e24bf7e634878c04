import { describe, expect, it } from "vitest";
import {
  CATALOGUE,
  CATALOGUE_VERSION,
  type Model,
  PRICE_UNITS,
  rateClassOf,
  resolveModel,
  pictureUsage,
  priceOf,
  type Usage,
} from "../../../src/domain/catalogue/catalogue.ts";
import { MODEL_TASKS } from "../../../src/domain/catalogue/model-task.ts";
import data from "../../../src/domain/catalogue/workers-ai-2026-09.json";
import { DEFAULT_RATES } from "../../../src/domain/ledger/rate-limit.ts";
import { rateLimitFor, withDefaults } from "../../../src/domain/tenant/settings.ts";

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0";
const KIMI = "@cf/moonshotai/kimi-k2.6";

const models = [...CATALOGUE.values()];
const paid = { workersPlan: "paid", prices: {} } as const;

function model(id: string): Model {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

/** One of each unit that a call of the task is charged by. */
const usageOf = (each: Model): Usage => {
  switch (each.task) {
    case "text_generation":
    case "image_to_text":
    case "translation":
      return { input_token: 1, cached_input_token: 1, output_token: 1 };
    case "text_classification":
    case "text_embeddings":
      return { input_token: 1 };
    case "image_classification":
      return { image: 1 };
    case "text_to_image":
      return pictureUsage(each, {
        pictures: 1,
        size: { width: 1024, height: 1024 },
        steps: 4,
        inputs: [],
      });
    case "text_to_speech":
      return "audio_minute" in each.prices ? { audio_ms: 1 } : { input_character: 1 };
    default:
      return { audio_ms: 1 };
  }
};

describe("the data", () => {
  it("holds the 112 published models, each once", () => {
    expect(data.models).toHaveLength(112);
    expect(CATALOGUE.size).toBe(112);
    expect(CATALOGUE_VERSION).toBe("2026-09");
    expect([data.usd_per_1000_neurons, data.free_neurons_per_day]).toEqual(["0.011", 10_000]);
  });

  it("counts the tasks as published", () => {
    const counts = Object.fromEntries(
      MODEL_TASKS.map((task) => [task, models.filter((each) => each.task === task).length]),
    );
    // `other`: three decision models, a prompt guard and a turn detector.
    expect(counts).toEqual({
      text_generation: 69,
      text_classification: 2,
      text_embeddings: 7,
      image_classification: 1,
      object_detection: 1,
      image_to_text: 3,
      text_to_image: 11,
      speech_to_text: 6,
      text_to_speech: 4,
      translation: 2,
      summarization: 1,
      other: 5,
    });
  });

  it("prices in known units and whole µN", () => {
    const prices = models.flatMap((each) => Object.entries(each.prices));
    expect(prices.length).toBeGreaterThan(100);
    for (const [unit, price] of prices) {
      expect(PRICE_UNITS).toContain(unit);
      expect(Number.isSafeInteger(price) && price >= 0, `${unit} ${price}`).toBe(true);
    }
  });

  it.each<[string, Record<string, number>]>([
    [DISTILBERT, { input_token: 2394 }],
    ["@cf/microsoft/resnet-50", { image: 228_055 }],
    [LLAMA, { input_token: 13_778, output_token: 26_128 }],
    ["@cf/meta/llama-3.2-11b-vision-instruct", { input_token: 4410, output_token: 61_493 }],
    [KIMI, { input_token: 86_364, cached_input_token: 14_545, output_token: 363_636 }],
    ["@cf/black-forest-labs/flux-1-schnell", { tile_512: 4_800_000, step: 9_600_000 }],
    ["@cf/deepgram/nova-3", { input_audio_minute: 472_730_000 }],
    ["@cf/deepgram/flux", {}],
    [SDXL, { step: 0 }],
  ])("keeps the published prices of %s", (id, prices) => {
    expect(model(id).prices).toEqual(prices);
  });

  it.each([
    ["@cf/cloudflare/clef", 65_536],
    ["@cf/cloudflare/clef-flash", 24_576], // 24 x 1,024
    ["@cf/cloudflare/clef-omni", 65_536], // 64 x 1,024
    [LLAMA, 32_000],
    [DISTILBERT, null],
  ])("gives the context of %s as a number", (id, tokens) => {
    expect(model(id).contextTokens).toBe(tokens);
  });

  it("sources every bound", () => {
    for (const { id, bounds } of models) {
      const { source, maxInputTokens: _, imageTokens, ...added } = bounds;
      const needed =
        imageTokens !== null || Object.values(added).some((tokens) => (tokens ?? 0) > 0);
      expect(source !== null && source.length > 10, id).toBe(needed);
    }
  });

  it.each([
    ["@cf/google/gemma-4-26b-a4b-it", 1120 + 2],
    ["@cf/meta/llama-3.2-11b-vision-instruct", 4 * 1601 + 1],
    ["@cf/meta/llama-4-scout-17b-16e-instruct", 17 * 144 + 16 + 3],
    ["@cf/mistralai/mistral-small-3.1-24b-instruct", 55 * 55 + 55],
    ["@cf/moondream/moondream3.1-9B-A2B", 1024],
    [LLAMA, null],
  ])("bounds a picture for %s", (id, tokens) => {
    expect(model(id).bounds.imageTokens).toBe(tokens);
  });

  it("merges a model's own bounds over its task's", () => {
    expect(model("@cf/openai/gpt-oss-20b").bounds).toMatchObject({
      templateTokens: 128,
      messageTokens: 16,
      toolTokens: 512,
    });
    expect(model(DISTILBERT).bounds).toMatchObject({ specialTokens: 2, maxInputTokens: 512 });
  });
});

describe("rates", () => {
  it.each([
    [LLAMA, "text_generation", 300],
    [DISTILBERT, "text_classification", 2000],
    ["@cf/baai/bge-base-en-v1.5", "text_embeddings", 3000],
    ["@cf/baai/bge-large-en-v1.5", "@cf/baai/bge-large-en-v1.5", 1500],
    [
      "@cf/runwayml/stable-diffusion-v1-5-img2img",
      "@cf/runwayml/stable-diffusion-v1-5-img2img",
      1500,
    ],
    [KIMI, KIMI, 20],
    // No rate is published for speech: the contract's default of the task.
    ["@cf/myshell-ai/melotts", "text_to_speech", 300],
  ])("%s counts in %s, %i a minute", (id, rateClass, limit) => {
    expect(rateClassOf(model(id))).toBe(rateClass);
    const settings = withDefaults({ plan: "free", daily_neurons: 1 });
    expect(rateLimitFor(settings, rateClassOf(model(id)), 0)).toBe(limit);
  });

  it("makes a class of exactly the models whose limit is not their task's", () => {
    for (const each of models) {
      const differs = each.rpm !== null && each.rpm !== DEFAULT_RATES[each.task];
      expect(each.ownRpm, each.id).toBe(differs);
      if (each.requiresWorkersPaid) expect(each.rpm, each.id).toBe(20);
    }
  });
});

describe("resolveModel", () => {
  it("gives every model exactly one answer, by its row", () => {
    const counts: Record<string, number> = {};
    for (const { id, retiredOn, prices, replacement } of models) {
      const resolved = resolveModel(id, paid);
      const amounts = Object.values(prices);
      const priced = amounts.length > 0 && !amounts.includes(0);
      if (retiredOn !== null) {
        expect(resolved).toEqual({ kind: "model_retired", model: id, replacement });
      } else if (priced) {
        expect(resolved).toEqual({ kind: "found", model: model(id) });
      } else {
        expect(resolved).toEqual({ kind: "unpriced_model", model: id });
      }
      counts[resolved.kind] = (counts[resolved.kind] ?? 0) + 1;
    }
    expect(counts).toEqual({ found: 55, unpriced_model: 20, model_retired: 37 });
  });

  it("replaces every retired model by a live, priced one, or by none", () => {
    const without: string[] = [];
    for (const { id, retiredOn, replacement } of models) {
      if (retiredOn === null) expect(replacement, id).toBeNull();
      else if (replacement === null) without.push(id);
      else expect(resolveModel(replacement, paid).kind, id).toBe("found");
    }
    // Nothing else summarises.
    expect(without).toEqual(["@cf/facebook/bart-large-cnn"]);
  });

  it.each([
    ["@cf/moonshotai/kimi-k2.5", KIMI],
    ["@cf/meta/llama-3.1-8b-instruct", LLAMA],
    ["@cf/google/gemma-3-12b-it", "@cf/google/gemma-4-26b-a4b-it"],
    ["@cf/defog/sqlcoder-7b-2", "@cf/qwen/qwen2.5-coder-32b-instruct"],
    ["@cf/unum/uform-gen2-qwen-500m", "@cf/moondream/moondream3.1-9B-A2B"],
  ])("%s is replaced by %s", (id, replacement) => {
    expect(model(id).replacement).toBe(replacement);
  });

  it.each(["@cf/meta/llama-9", "", "__proto__", "constructor", "toString"])(
    "does not know %j",
    (id) => {
      expect(resolveModel(id, paid)).toEqual({ kind: "model_not_found", model: id });
    },
  );

  it("refuses models of the Workers Paid plan on the free one only", () => {
    const refused = models.filter(
      ({ id }) =>
        resolveModel(id, { workersPlan: "free", prices: {} }).kind === "model_not_allowed",
    );
    expect(refused.map(({ id }) => id)).toEqual([
      "@cf/deepseek-ai/deepseek-v4-flash-0731",
      "@cf/deepseek-ai/deepseek-v4-pro-0813",
      KIMI,
      "@cf/moonshotai/kimi-k2.7-code",
      "@cf/zai-org/glm-5.2",
      "@cf/zai-org/glm-5.3",
      "@cf/zai-org/glm-5.3-flash",
    ]);
    expect(resolveModel(KIMI, { workersPlan: null, prices: {} }).kind).toBe("found");
  });

  it("takes the platform's price where none or 0 is published", () => {
    expect(resolveModel(SDXL, paid).kind).toBe("unpriced_model");
    const resolved = resolveModel(SDXL, { ...paid, prices: { [SDXL]: { step: 7 } } });
    expect(resolved).toMatchObject({ kind: "found", model: { id: SDXL, prices: { step: 7 } } });
    expect(model(SDXL).prices).toEqual({ step: 0 });
  });

  it("replaces the whole price table", () => {
    const resolved = resolveModel(KIMI, {
      ...paid,
      prices: { [KIMI]: { input_token: 1, output_token: 2 } },
    });
    expect(resolved).toMatchObject({ kind: "found" });
    expect(resolved.kind === "found" && resolved.model.prices).toEqual({
      input_token: 1,
      output_token: 2,
    });
  });

  it.each([
    ["nothing", {}],
    ["a price of 0", { input_token: 1, output_token: 0 }],
    ["no price for output", { input_token: 1 }],
  ])("an override with %s leaves a text model unpriced", (_, prices) => {
    expect(resolveModel(LLAMA, { ...paid, prices: { [LLAMA]: prices } }).kind).toBe(
      "unpriced_model",
    );
  });

  it.each([{ input_token: 7 }, { input_tile_512: 7 }, { subsequent_megapixel: 7 }])(
    "an override with %j alone leaves a picture model unpriced: its pictures would be free",
    (prices) => {
      const resolved = resolveModel(SDXL, { ...paid, prices: { [SDXL]: prices } });
      expect(resolved.kind).toBe("unpriced_model");
      const both = { [SDXL]: { ...prices, image: 7 } };
      expect(resolveModel(SDXL, { ...paid, prices: both }).kind).toBe("found");
    },
  );

  it("keeps a retired model retired, whatever its price", () => {
    const id = "@cf/microsoft/phi-2";
    const prices = { [id]: { input_token: 1, output_token: 1 } };
    expect(resolveModel(id, { ...paid, prices }).kind).toBe("model_retired");
  });

  it("finds only models whose task's usage has a price", () => {
    const found = models.filter(({ id }) => resolveModel(id, paid).kind === "found");
    for (const each of found) expect(priceOf(each, usageOf(each)), each.id).toBeGreaterThan(0);
  });
});
