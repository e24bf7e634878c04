import { describe, expect, it } from "vitest";
import {
  CATALOGUE,
  type Model,
  type PriceOverrides,
  resolveModel,
} from "../../../src/domain/catalogue/catalogue.ts";
import type { CallEnd, FindModel } from "../../../src/domain/moderation/stage.ts";
import { generationCharge } from "../../../src/domain/generation/generation-charge.ts";
import { type Measured, planGeneration } from "../../../src/domain/generation/plan-generation.ts";
import { tokensAtMost } from "../../../src/domain/generation/token-bound.ts";

// The small tasks against figures worked by hand from the catalogue.

const DISTILBERT = "@cf/huggingface/distilbert-sst-2-int8";
const RERANKER = "@cf/baai/bge-reranker-base";
const RESNET = "@cf/microsoft/resnet-50";
const DETR = "@cf/facebook/detr-resnet-50";
const MOONDREAM = "@cf/moondream/moondream3.1-9B-A2B";
const LLAVA = "@cf/llava-hf/llava-1.5-7b-hf";
const M2M100 = "@cf/meta/m2m100-1.2b";
const INDIC = "@cf/ai4bharat/indictrans2-en-indic-1B";

/** As a platform may price what has no published price. */
const PRICES = {
  [DETR]: { image: 1000 },
  [LLAVA]: { input_token: 10, output_token: 20 },
};

const priced =
  (prices: PriceOverrides): FindModel =>
  (id) =>
    resolveModel(id, { workersPlan: "free", prices });

const find = priced(PRICES);

const plan = (measured: Measured, ...ids: readonly [string, ...string[]]) =>
  planGeneration(measured, ids, { find, defaultMaxTokens: 1024, fitTo: null });

function stageOf(measured: Measured, ...ids: readonly [string, ...string[]]) {
  const planned = plan(measured, ...ids);
  if (planned.kind !== "planned") throw new Error(planned.kind);
  return planned.stage;
}

function modelOf(id: string): Model {
  const found = find(id);
  if (found.kind !== "found") throw new Error(found.kind);
  return found.model;
}

function chargeOf(
  measured: Measured,
  id: string,
  end: Partial<Extract<CallEnd, { kind: "answered" }>> & { outputText?: string | null } = {},
) {
  const [call] = stageOf(measured, id).calls;
  if (call === undefined) throw new Error("no call is planned");
  const answered = { kind: "answered", usage: null, simulated: false, ...end } as const;
  return generationCharge(answered, call, { kind: measured.kind, model: modelOf(id) });
}

const classify = (text: string): Measured => ({
  kind: "classification",
  text: tokensAtMost(text),
});

const translate = (
  texts: readonly string[],
  target = "de",
  source = "en",
): Extract<Measured, { kind: "translation" }> => ({
  kind: "translation",
  texts: texts.map(tokensAtMost),
  source,
  target,
});

const look = (question: string, maxTokens: number | null, pictures = 1): Measured => ({
  kind: "caption",
  text: tokensAtMost(question),
  pictures,
  maxTokens,
});

describe("classification", () => {
  it("is held at its bytes and 2 special tokens, and estimated at half", () => {
    // 31 bytes: 33 x 2,394 held; 2 + 16 tokens charged.
    const measured = classify("Nice to meet you all here today");
    expect(stageOf(measured, DISTILBERT)).toMatchObject({
      bound: 79_002,
      units: { input_token: 33 },
      rateClass: "text_classification",
      maxTokens: null,
    });
    expect(chargeOf(measured, DISTILBERT)).toEqual({
      microNeurons: 43_092,
      overrun: 0,
      units: { input_token: 18 },
      basis: "estimated",
    });
  });

  it("is held at 512 tokens whatever comes", () => {
    for (const text of ["a".repeat(2_000_000), "\ufdfa".repeat(1000), "\u0000".repeat(9000)]) {
      expect(stageOf(classify(text), DISTILBERT).bound).toBe(512 * 2394);
    }
  });

  it("is not what a model is for that ranks, nor the other way round", () => {
    expect(plan(classify("a"), RERANKER)).toEqual({
      kind: "invalid_request",
      errors: [{ path: ["model"], detail: "must be a model that gives labels" }],
    });
    expect(plan({ kind: "reranking", query: 1, contexts: [1] }, DISTILBERT)).toEqual({
      kind: "invalid_request",
      errors: [{ path: ["model"], detail: "must be a model that ranks texts" }],
    });
    expect(plan(classify("a"), RESNET)).toMatchObject({ kind: "invalid_request" });
  });
});

describe("reranking", () => {
  it("reads the query again with each context", () => {
    // (4 + 10 + 4) + (4 + 11 + 4) = 37 tokens held; 8 special and 15 of 29 charged.
    const measured: Measured = { kind: "reranking", query: 4, contexts: [10, 11] };
    expect(stageOf(measured, RERANKER).bound).toBe(37 * 283);
    expect(chargeOf(measured, RERANKER)).toMatchObject({
      microNeurons: 23 * 283,
      units: { input_token: 23 },
      basis: "estimated",
    });
  });

  it("is held at 512 tokens a pair", () => {
    const contexts = Array.from({ length: 100 }, () => 1_000_000);
    expect(stageOf({ kind: "reranking", query: 9, contexts }, RERANKER).bound).toBe(51_200 * 283);
  });
});

const callsOf = (measured: Measured, id: string) =>
  stageOf(measured, id).calls.map(({ units, ownTokens }) => ({ ...units, ownTokens }));

describe("a list that is longer than an engine call takes", () => {
  it("is planned as several calls, each at what it reads and writes itself", () => {
    const contexts = Array.from({ length: 101 }, (_, at) => (at < 100 ? 10 : 20));
    // Each pair has 4 tokens of the model's own.
    expect(callsOf({ kind: "reranking", query: 5, contexts }, RERANKER)).toEqual([
      { input_token: 100 * (4 + 5 + 10), ownTokens: 400 },
      { input_token: 4 + 5 + 20, ownTokens: 4 },
    ]);
    const texts = Array.from({ length: 201 }, () => "ab");
    const each = { input_token: 600, output_token: 100 * 256, ownTokens: 400 };
    expect(callsOf(translate(texts, "hi"), INDIC)).toEqual([
      each,
      each,
      { input_token: 6, output_token: 256, ownTokens: 4 },
    ]);
  });
});

describe("a picture", () => {
  it("is counted", () => {
    expect(stageOf({ kind: "labels" }, RESNET).bound).toBe(228_055);
    expect(chargeOf({ kind: "labels" }, RESNET)).toEqual({
      microNeurons: 228_055,
      overrun: 0,
      units: { image: 1 },
      basis: "counted",
    });
    expect(chargeOf({ kind: "objects" }, DETR)).toMatchObject({
      microNeurons: 1000,
      basis: "counted",
    });
  });

  it("has no price for objects unless the platform sets one, by the picture", () => {
    const terms = { find: priced({}), defaultMaxTokens: 1, fitTo: null };
    expect(planGeneration({ kind: "objects" }, [DETR], terms)).toEqual({
      kind: "unpriced_model",
      model: DETR,
    });
    const byToken = { ...terms, find: priced({ [DETR]: { input_token: 5 } }) };
    expect(planGeneration({ kind: "objects" }, [DETR], byToken).kind).toBe("unpriced_model");
  });
});

describe("a description of a picture", () => {
  it("is held at its picture, its question and what it may write", () => {
    // 21 bytes + 64 + 16 + 1,024 of the picture = 1,125 tokens in, 100 out.
    const measured = look("What's in this image?", 100);
    expect(stageOf(measured, MOONDREAM)).toMatchObject({
      bound: 1125 * 27_273 + 100 * 90_909,
      maxTokens: 100,
      rateClass: "image_to_text",
    });
    const usage = { input_token: 740, output_token: 9 };
    expect(chargeOf(measured, MOONDREAM, { usage })).toEqual({
      microNeurons: 740 * 27_273 + 9 * 90_909,
      overrun: 0,
      units: usage,
      basis: "measured",
    });
  });

  it("is held at the tenant's default without a limit of its own, and posted so without usage", () => {
    const measured = look("", null);
    expect(stageOf(measured, MOONDREAM).units).toEqual({ input_token: 1104, output_token: 1024 });
    expect(chargeOf(measured, MOONDREAM, { outputText: "A cat." })).toMatchObject({
      microNeurons: 1104 * 27_273 + 1024 * 90_909,
      basis: "held",
    });
    expect(stageOf(look("", 5, 0), MOONDREAM).units).toEqual({ input_token: 80, output_token: 5 });
    expect(stageOf(look("ab", 7), LLAVA).bound).toBe((2 + 80 + 576) * 10 + 7 * 20);
  });

  it("charges no more than was held, and tells of what was beyond", () => {
    const usage = { input_token: 9_000_000, output_token: 9 };
    const { bound } = stageOf(look("", 100), MOONDREAM);
    const charge = chargeOf(look("", 100), MOONDREAM, { usage });
    expect(charge.microNeurons).toBe(bound);
    expect(charge.overrun).toBe(9_000_000 * 27_273 + 9 * 90_909 - bound);
  });
});

describe("translation", () => {
  it("is held at its bytes in and the longest sequence out", () => {
    // 12 bytes + 4 in, 1,024 out; 4 + 6 and half of 16 bytes charged.
    const measured = translate(["Good morning"]);
    expect(stageOf(measured, M2M100).bound).toBe((16 + 1024) * 31_050);
    expect(chargeOf(measured, M2M100, { outputText: "de: Good morning" })).toEqual({
      microNeurons: 18 * 31_050,
      overrun: 0,
      units: { input_token: 10, output_token: 8 },
      basis: "estimated",
    });
  });

  it("is never estimated above what was held", () => {
    const charge = chargeOf(translate(["a"]), M2M100, { outputText: "x".repeat(1_000_000) });
    expect(charge.units).toEqual({ input_token: 5, output_token: 1024 });
    expect(charge.microNeurons).toBeLessThanOrEqual(stageOf(translate(["a"]), M2M100).bound);
  });

  it("is held for each text of several", () => {
    const measured = translate(["ab", "cde"], "hin_Deva");
    expect(stageOf(measured, INDIC).units).toEqual({ input_token: 13, output_token: 512 });
  });

  it.each([
    [M2M100, "en", "tlh", "target_language"],
    [M2M100, "English", "de", "source_language"],
    [M2M100, "en", "hin_Deva", "target_language"],
    [INDIC, "de", "hi", "source_language"],
    [INDIC, "en", "de", "target_language"],
    [INDIC, "en", "ks", "target_language"],
    [M2M100, "constructor", "de", "source_language"],
  ])("%s does not take %s to %s", (id, source, target, field) => {
    const outcome = plan(translate(["a"], target, source), id);
    expect(outcome).toMatchObject({ kind: "invalid_request", errors: [{ path: [field] }] });
  });

  it("falls back to no model that does not speak the language", () => {
    expect(stageOf(translate(["a"], "de"), M2M100, INDIC).fallbacks).toEqual([]);
    expect(stageOf(translate(["a"], "hi"), M2M100, INDIC).fallbacks).toEqual([INDIC]);
  });

  it("has a bound for every model of the catalogue", () => {
    const models = [...CATALOGUE.values()].filter(({ task }) => task === "translation");
    expect(models.map(({ bounds }) => bounds.maxOutputTokens)).toEqual([256, 1024]);
  });
});

describe("what ran and did not answer", () => {
  it.each([
    [classify("a"), DISTILBERT],
    [{ kind: "labels" } as const, RESNET],
    [translate(["a"]), M2M100],
  ])("is posted at its bound", (measured, id) => {
    const stage = stageOf(measured, id);
    const [call] = stage.calls;
    if (call === undefined) throw new Error("no call is planned");
    const by = { kind: measured.kind, model: modelOf(id) };
    expect(generationCharge({ kind: "unknown", usage: null }, call, by)).toMatchObject({
      microNeurons: stage.bound,
      basis: "held",
    });
    expect(generationCharge({ kind: "not_run" }, call, by).microNeurons).toBe(0);
  });
});
