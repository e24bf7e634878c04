import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPicture } from "../../src/engines/picture.ts";
import { admitDearCalls, ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { askedFor, unique } from "./scripted.ts";
import { failingBucket, fetchBytes, storedKeys } from "./stored-pictures.ts";

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const KLEIN_9B = "@cf/black-forest-labs/flux-2-klein-9b";
const DEV = "@cf/black-forest-labs/flux-2-dev";
const LUCID = "@cf/leonardo/lucid-origin";
const PHOENIX = "@cf/leonardo/phoenix-1.0";
const SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0";
const PROMPT = "A red boat on a quiet lake";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`images-${made}`, settings);
};

beforeEach(admitDearCalls);
afterEach(() => reset());

const path = "/v1/images";
const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("POST /v1/images with the embedded engine", () => {
  it("stores a picture of the size of the model that it stands in for, and says so", async () => {
    const tenant = await aTenant();
    const body = {
      prompt: PROMPT,
      model: PHOENIX,
      style: "watercolor",
      negative_prompt: "people",
      width: 600,
      height: 400,
      steps: 10,
      seed: 7,
      n: 2,
      user_id: "u_1",
      metadata: { album: "a1" },
    };
    const reply = await tenant.call("POST", path, body);
    expect(reply.status).toBe(200);
    // 2 tiles of 530 and 10 steps of 10, twice
    expect(reply.body).toMatchObject({
      object: "images",
      requested: 2,
      failed: 0,
      applied: {
        style: "prompt",
        negative_prompt: "parameter",
        seed: "parameter",
        size: "parameter",
        steps: "parameter",
      },
      micro_neurons: 2 * 1_160_000_000,
      neurons: 2320,
      basis: "counted",
    });
    expect(reply.body.data).toMatchObject(
      [7, 8].map((seed) => ({
        object: "image",
        content_type: "image/png",
        width: 600,
        height: 400,
        seed,
        steps: 10,
        prompt: PROMPT,
        style: "watercolor",
        negative_prompt: "people",
        model: "neurogate/placard@1",
        engine: "embedded",
        priced_as: PHOENIX,
        variation: null,
        user_id: "u_1",
        metadata: { album: "a1" },
      })),
    );
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("2320000000");
    expect(await lines(tenant)).toMatchObject([
      {
        outcome: "posted",
        route: "POST /v1/images",
        held_micro_neurons: 2_320_000_000,
        micro_neurons: 2_320_000_000,
        user_id: "u_1",
        items: [
          {
            stage: "generate",
            units: { tile_512: 4, step: 20 },
            basis: "counted",
            engine: "embedded",
          },
        ],
      },
    ]);
    const keys = await storedKeys();
    expect(keys).toHaveLength(3);
    for (const key of keys) expect(key).toMatch(new RegExp(`^${tenant.id}/1/`));
    const served = await fetchBytes(reply.body.data[0].url);
    expect(readPicture(served.bytes)).toMatchObject({ format: "png", width: 600, height: 400 });
  });

  it("draws a seed that makes the same picture again, for a model that takes one", async () => {
    const tenant = await aTenant();
    const first = await tenant.call("POST", path, { prompt: PROMPT, model: KLEIN });
    const [{ seed, url }] = first.body.data;
    expect(seed).toBeGreaterThanOrEqual(0);
    const again = await tenant.call("POST", path, { prompt: PROMPT, model: KLEIN, seed });
    const [one, two] = await Promise.all([fetchBytes(url), fetchBytes(again.body.data[0].url)]);
    expect(two.bytes).toEqual(one.bytes);
  });

  it("asks the cheapest model by default, which takes a prompt and steps alone", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, negative_prompt: "fog" });
    // 4 tiles of 4.8 and 4 steps of 9.6
    expect(reply.body).toMatchObject({
      micro_neurons: 57_600_000,
      applied: {
        negative_prompt: "prompt",
        seed: null,
        size: "fixed",
        steps: "parameter",
        style: null,
      },
      data: [{ priced_as: SCHNELL, seed: null, width: 1024, height: 1024, steps: 4 }],
    });
  });

  it.each([
    [{ seed: 1 }, "seed"],
    [{ width: 512, height: 512 }, "width"],
    [{ model: KLEIN, steps: 8 }, "steps"],
  ])("refuses %j, which no words could stand in for", async (wish, parameter) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, ...wish });
    expect([reply.status, reply.body.kind, reply.body.parameter]).toEqual([
      400,
      "unsupported_parameter",
      parameter,
    ]);
    expect(await lines(tenant)).toEqual([]);
  });

  it.each([
    [{}, "#/prompt"],
    [{ prompt: "" }, "#/prompt"],
    [{ prompt: "a".repeat(2049) }, "#/prompt"],
    [{ prompt: "a".repeat(32_001), model: PHOENIX }, "#/prompt"],
    [{ prompt: "a".repeat(2030), style: "anime" }, "#/prompt"],
    [{ prompt: PROMPT, n: 0 }, "#/n"],
    [{ prompt: PROMPT, n: 9 }, "#/n"],
    [{ prompt: PROMPT, model: LUCID, width: 2500, height: 2500, n: 5 }, "#/n"],
    [{ prompt: PROMPT, style: "cubism" }, "#/style"],
    [{ prompt: PROMPT, model: PHOENIX, width: 2049 }, "#/width"],
    [{ prompt: PROMPT, model: PHOENIX, steps: 51 }, "#/steps"],
    [{ prompt: PROMPT, model: PHOENIX, seed: -1 }, "#/seed"],
    [{ prompt: PROMPT, model: PHOENIX, seed: 2 ** 31 }, "#/seed"],
    [{ prompt: PROMPT, model: "@cf/microsoft/resnet-50" }, "#/model"],
    [{ prompt: PROMPT, colour: "red" }, "#/colour"],
  ])("refuses %j, naming the field", async (body, pointer) => {
    const tenant = await aTenant({ plan: "paid" });
    const reply = await tenant.call("POST", path, body);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    expect(reply.body.errors[0].pointer).toBe(pointer);
    expect(await lines(tenant)).toEqual([]);
    expect(await storedKeys()).toEqual([]);
  });

  it.each([
    ["no-such-model", 404, "model_not_found"],
    [SDXL, 400, "unpriced_model"],
    ["@cf/bytedance/stable-diffusion-xl-lightning", 400, "unpriced_model"],
  ])("does not make pictures with %s", async (model, status, kind) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, model });
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    if (kind !== "unpriced_model") return;
    expect(reply.body.detail).toContain("if the operator of this deployment sets one (PRICES)");
  });

  it("repeats its reply for a repeated idempotency key, and is charged once", async () => {
    const tenant = await aTenant();
    const call = () => tenant.call("POST", path, { prompt: PROMPT }, { "Idempotency-Key": "i1" });
    const first = await call();
    const again = await call();
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await lines(tenant)).toHaveLength(1);
    expect(await storedKeys()).toHaveLength(2);
  });

  it("has no place for pictures in a deployment without a bucket", async () => {
    const tenant = await aTenant();
    const body = { prompt: PROMPT };
    const reply = await ask("POST", path, { key: tenant.key, body, env: { IMAGES: undefined } });
    expect([reply.status, reply.body.kind]).toEqual([501, "engine_unsupported"]);
    expect(await lines(tenant)).toEqual([]);
  });
});

describe("POST /v1/images with Workers AI", () => {
  // Figures by hand, from the price table.
  it.each([
    [SCHNELL, { steps: 8 }, 96_000_000, { tile_512: 4, step: 8 }],
    [KLEIN, {}, 104_200_000, { output_tile_512: 4, input_tile_512: 0 }],
    [
      KLEIN_9B,
      { width: 1920, height: 1080 },
      1_545_460_000,
      { first_megapixel_1024x1024: 1, subsequent_megapixel: 1, input_image_megapixel: 0 },
    ],
    [
      DEV,
      { width: 512, height: 512, steps: 10 },
      375_000_000,
      { output_tile_512_per_step: 10, input_tile_512_per_step: 0 },
    ],
    [LUCID, {}, 6_024_000_000, { tile_512: 9, step: 25 }],
    [PHOENIX, {}, 2_370_000_000, { tile_512: 4, step: 25 }],
  ])("charges %s with %j exactly", async (model, wish, amount, units) => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", path, { prompt: PROMPT, model, ...wish });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ micro_neurons: amount, basis: "counted" });
    expect(reply.body.data).toMatchObject([
      { model, engine: "workers-ai", content_type: "image/jpeg" },
    ]);
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ held_micro_neurons: amount, micro_neurons: amount });
    expect(line.items[0].units).toEqual(units);
  });

  it("sends each model what its schema knows", async () => {
    const tenant = await aTenant({ plan: "paid" });
    const wish = { negative_prompt: "fog", style: "sketch", width: 640, height: 512 };
    const sent = async (model: string, more: object) => {
      const id = unique();
      const body = { prompt: `A boat ${id}`, model, ...more };
      const reply = await tenant.onWorkersAi("POST", path, body);
      expect(reply.status).toBe(200);
      return (await askedFor(id)).map(({ inputs }) => inputs as Record<string, unknown>);
    };
    const sketch = ", a pencil sketch, black and white, hatched shading";
    const [schnell] = await sent(SCHNELL, { negative_prompt: "fog", style: "sketch" });
    expect(Object.keys(schnell ?? {})).toEqual(["prompt", "steps"]);
    expect(schnell?.["prompt"]).toMatch(new RegExp(`${sketch}\\. Avoid: fog$`));
    const phoenix = await sent(PHOENIX, { ...wish, seed: 2_147_483_647, n: 2 });
    expect(new Set(phoenix.map((inputs) => inputs["seed"]))).toEqual(new Set([0, 2_147_483_647]));
    expect(phoenix[0]).toMatchObject({
      width: 640,
      height: 512,
      num_steps: 25,
      negative_prompt: "fog",
    });
    expect(phoenix[0]?.["prompt"]).not.toContain("fog");
    const [lucid] = await sent(LUCID, { width: 640, height: 512 });
    expect(lucid).toMatchObject({ width: 640, height: 512, num_steps: 25 });
    expect(lucid).not.toHaveProperty("negative_prompt");
    const [dev] = await sent(DEV, { width: 640, height: 512, steps: 9, seed: 5 });
    expect(dev).toMatchObject({ width: "640", height: "512", steps: "9", seed: "5" });
    const [klein] = await sent(KLEIN, { width: 640, height: 512 });
    expect(klein).not.toHaveProperty("steps");
  });

  it.each([
    [SCHNELL, "3040", 503, "engine_busy", "voided"],
    [SCHNELL, "5007", 502, "engine_failed", "voided"],
    [SCHNELL, "3036", 429, "account_quota_exceeded", "voided"],
    [SCHNELL, "3007", 504, "engine_timeout", "posted"],
    [SCHNELL, "500", 502, "engine_failed", "posted"],
    [SCHNELL, "drop", 502, "engine_failed", "posted"],
    [SCHNELL, "malformed", 502, "engine_failed", "posted"],
    [SCHNELL, "no_image", 502, "engine_failed", "posted"],
    [SCHNELL, "bad_base64", 502, "engine_failed", "posted"],
    [SCHNELL, "huge_picture", 502, "engine_failed", "posted"],
    [SCHNELL, "wide_picture", 502, "engine_failed", "posted"],
    [PHOENIX, "3040", 503, "engine_busy", "voided"],
    [PHOENIX, "3008", 504, "engine_timeout", "posted"],
    [PHOENIX, "drop_body", 502, "engine_failed", "posted"],
    [PHOENIX, "not_json", 502, "engine_failed", "posted"],
    [PHOENIX, "not_picture", 502, "engine_failed", "posted"],
    [PHOENIX, "empty_picture", 502, "engine_failed", "posted"],
    [PHOENIX, "huge_picture", 502, "engine_failed", "posted"],
    [PHOENIX, "cut_picture", 502, "engine_failed", "posted"],
    [KLEIN, "5004", 400, "upstream_rejected", "voided"],
    [KLEIN, "not_picture", 502, "engine_failed", "posted"],
  ])("%s, %s: charges what may have run and stores nothing", async (model, behaviour, ...told) => {
    const [status, kind, outcome] = told;
    const tenant = await aTenant();
    const prompt = `A boat [[fake:${behaviour}|${unique()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { prompt, model });
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    const [line] = await lines(tenant);
    expect(line.outcome).toBe(outcome);
    expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
    const retry = reply.headers.get("x-should-retry");
    expect(retry).toBe(kind === "engine_busy" ? null : "false");
    expect(await storedKeys()).toEqual([]);
  });

  it("gives the pictures that were made though some were not, and charges what ran", async () => {
    const tenant = await aTenant();
    const prompt = `A boat [[fake:ok,5007,500,ok|${unique()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { prompt, model: KLEIN, n: 4, seed: 10 });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ requested: 4, failed: 2 });
    // One was refused before it ran; one may have run.
    expect(reply.body.micro_neurons).toBe(3 * 104_200_000);
    expect(reply.body.basis).toBe("held");
    const seeds = reply.body.data.map(({ seed }: { seed: number }) => seed);
    expect(new Set(seeds).size).toBe(2);
    for (const seed of seeds) expect([10, 11, 12, 13]).toContain(seed);
  });

  it("asks the fallback when the model was refused before it ran, at its own price", async () => {
    const tenant = await aTenant({ fallbacks: { [SCHNELL]: [KLEIN] } });
    const prompt = `A boat [[fake:3040,3040,ok|${unique()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { prompt });
    expect(reply.body).toMatchObject({
      micro_neurons: 104_200_000,
      data: [{ priced_as: KLEIN, model: KLEIN }],
      applied: { size: "parameter", steps: "fixed" },
    });
    const [line] = await lines(tenant);
    expect(line).toMatchObject({ held_micro_neurons: 104_200_000, micro_neurons: 104_200_000 });
    expect(line.items[0].units).toEqual({ output_tile_512: 4, input_tile_512: 0 });
  });
});

describe("POST /v1/images with an OpenAI-compatible server", () => {
  const server = {
    INFERENCE: "openai",
    OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
    OPENAI_MODELS: JSON.stringify({ [KLEIN]: "sd-local", [PHOENIX]: "gpt-image-1" }),
  };
  const post = (tenant: TestTenant, body: object) =>
    ask("POST", path, { key: tenant.key, body, env: server });

  it("is charged as the model that it stands in for, and told what its wire knows", async () => {
    const tenant = await aTenant();
    const id = unique();
    const body = { prompt: `A boat ${id}`, model: KLEIN, width: 512, height: 512, seed: 4 };
    const reply = await post(tenant, body);
    expect(reply.body).toMatchObject({
      micro_neurons: 26_050_000,
      basis: "counted",
      data: [{ model: "sd-local", priced_as: KLEIN, engine: "openai", width: 512, seed: 4 }],
    });
    const inputs = {
      model: "sd-local",
      n: 1,
      size: "512x512",
      response_format: "b64_json",
      seed: 4,
    };
    expect(await askedFor(id)).toMatchObject([{ inputs }]);
  });

  it("is told no seed that nobody gave, and no response_format that it refuses", async () => {
    const tenant = await aTenant();
    const id = unique();
    const reply = await post(tenant, { prompt: `A boat ${id}`, model: PHOENIX });
    expect(reply.body).toMatchObject({ applied: { seed: null }, data: [{ seed: null }] });
    const [asked] = await askedFor(id);
    expect(Object.keys(asked?.inputs as object).toSorted()).toEqual([
      "model",
      "n",
      "prompt",
      "size",
    ]);
  });

  it.each([
    ["url_only", 502, "engine_failed", "posted"],
    ["not_picture", 502, "engine_failed", "posted"],
    ["400", 400, "upstream_rejected", "voided"],
    ["429", 503, "engine_busy", "voided"],
    ["500", 502, "engine_failed", "posted"],
  ])("tells of %s", async (behaviour, status, kind, outcome) => {
    const tenant = await aTenant();
    const prompt = `A boat [[fake:${behaviour}|${unique()}]]`;
    const reply = await post(tenant, { prompt, model: KLEIN });
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    expect(await lines(tenant)).toMatchObject([{ outcome }]);
  });

  it("does not pretend for a model that it was not given", async () => {
    const tenant = await aTenant();
    const reply = await post(tenant, { prompt: PROMPT });
    expect([reply.status, reply.body.kind]).toEqual([501, "engine_unsupported"]);
  });
});

const postWith = (tenant: TestTenant, bucket: object, body: object) =>
  ask("POST", path, { key: tenant.key, body, env: { ...WORKERS_AI, ...bucket } });

describe("a bucket that fails after the engine ran", () => {
  it("is written to once more", async () => {
    const tenant = await aTenant();
    const reply = await postWith(tenant, failingBucket(/images\//, 1), { prompt: PROMPT });
    expect(reply.status).toBe(200);
    expect(await storedKeys()).toHaveLength(2);
  });

  it.each([/images\//, /image-calls\//])(
    "is told as what it is, charged, and no reason to ask again (%s)",
    async (match) => {
      const tenant = await aTenant();
      const reply = await postWith(tenant, failingBucket(match, 99), { prompt: PROMPT, n: 2 });
      expect([reply.status, reply.body.kind]).toEqual([502, "engine_failed"]);
      expect(reply.body.detail).toBe(
        "The pictures were made but could not be stored. The neurons that it may have used were charged.",
      );
      expect(reply.headers.get("x-should-retry")).toBe("false");
      expect(await lines(tenant)).toMatchObject([
        { outcome: "posted", micro_neurons: 115_200_000 },
      ]);
      expect(await storedKeys()).toEqual([]);
    },
  );

  it("gives the pictures that it did take", async () => {
    const tenant = await aTenant();
    const reply = await postWith(tenant, failingBucket(/images\//, 3), { prompt: PROMPT, n: 2 });
    expect(reply.body).toMatchObject({ requested: 2, failed: 1, micro_neurons: 115_200_000 });
    expect(await storedKeys()).toHaveLength(2);
  });
});
