import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import type { PictureInference } from "../../src/engines/inference.ts";
import { imageOf, pictureIn } from "../../src/engines/made-picture.ts";
import { openAiPicture } from "../../src/engines/openai/pictures.ts";
import type { Picture } from "../../src/engines/picture.ts";
import { workersAiPicture } from "../../src/engines/workers-ai/pictures.ts";
import { askedFor, unique } from "../routes/scripted.ts";

// What engines are asked for pictures, and what is believed of their answers; through the routes it is
// tested in test/routes/images.test.ts.

const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const PHOENIX = "@cf/leonardo/phoenix-1.0";
const IMG2IMG = "@cf/runwayml/stable-diffusion-v1-5-img2img";

/** Opaque to an engine: it is only asked for. */
const hold: Hold = JSON.parse("{}");

const ASKED: PictureInference = {
  model: PHOENIX,
  prompt: "A boat",
  negativePrompt: null,
  size: { width: 512, height: 256 },
  steps: 7,
  seed: null,
  guidance: null,
  strength: null,
  inputs: [],
  maxBytes: 1_000_000,
};

/** One white pixel. */
const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
);
const INPUT: Picture = { bytes: PNG, format: "png", width: 1, height: 1 };

const onWorkersAi = (change: Partial<PictureInference>, timeoutMs = 5000) =>
  workersAiPicture(env.AI)(hold, { ...ASKED, ...change }, { timeoutMs });

describe("the AI binding", () => {
  it("starts Stable Diffusion from a picture, with its strength", async () => {
    const prompt = `A boat ${unique()}`;
    const wish = { model: IMG2IMG, strength: 0.6, guidance: 8, seed: 3, negativePrompt: "fog" };
    const outcome = await onWorkersAi({ prompt, inputs: [INPUT], ...wish });
    expect(outcome).toMatchObject({ kind: "answered", model: IMG2IMG, output: { format: "png" } });
    expect(await askedFor(prompt)).toEqual([
      {
        model: IMG2IMG,
        inputs: {
          prompt,
          width: 512,
          height: 256,
          num_steps: 7,
          seed: 3,
          guidance: 8,
          negative_prompt: "fog",
          strength: 0.6,
          image_b64: PNG.toBase64(),
        },
      },
    ]);
  });

  it("sends FLUX.2 a form, with the pictures as files by their number", async () => {
    const prompt = `Ein Böötchen, "quoted" ${unique()}`;
    const outcome = await onWorkersAi({
      model: KLEIN,
      prompt,
      inputs: [INPUT, INPUT],
      guidance: 2,
    });
    expect(outcome).toMatchObject({ kind: "answered", output: { width: 512, height: 256 } });
    const [asked] = await askedFor(prompt);
    const file = { bytes: PNG.length, head: "PNG" };
    expect(asked?.inputs).toEqual({
      prompt,
      width: "512",
      height: "256",
      guidance: "2",
      input_image_0: file,
      input_image_1: file,
    });
  });

  it("has nothing for a model whose form is not known", async () => {
    expect(await onWorkersAi({ model: "@cf/nobody/knows" })).toEqual({ kind: "unsupported" });
  });

  it.each(["hang", "hang_body", "drip"])("gives up on %s in time", async (behaviour) => {
    const prompt = `[[fake:${behaviour}|${unique()}]]`;
    expect(await onWorkersAi({ prompt }, 200)).toEqual({ kind: "timed_out" });
  });

  it("takes no more than was said", async () => {
    const prompt = `[[fake:large_picture|${unique()}]]`;
    for (const model of [PHOENIX, KLEIN]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await onWorkersAi({ model, prompt, maxBytes: 100_000 })).toEqual({
        kind: "failed",
        usage: null,
      });
      // oxlint-disable-next-line no-await-in-loop
      expect((await onWorkersAi({ model, prompt, maxBytes: 101_000 })).kind).toBe("answered");
    }
  });

  // Whoever calls without `returnRawResponse` at the same time changes what ours gets.
  it.each([
    ["parsed JSON", () => ({ image: PNG.toBase64() })],
    ["a stream of JSON", () => new Response(JSON.stringify({ image: PNG.toBase64() })).body],
    ["a stream of bytes", () => new Response(PNG).body],
  ])("understands %s in place of a raw reply", async (_, reply) => {
    const ai = { run: async () => reply() } as unknown as Ai;
    const outcome = await workersAiPicture(ai)(hold, ASKED, { timeoutMs: 1000 });
    expect(outcome).toMatchObject({ kind: "answered", output: { format: "png", width: 1 } });
  });

  it.each([
    ["nothing", null],
    ["a number", 5],
  ])("does not take %s for a picture", async (_, reply) => {
    const ai = { run: async () => reply } as unknown as Ai;
    const outcome = await workersAiPicture(ai)(hold, ASKED, { timeoutMs: 1000 });
    expect(outcome).toEqual({ kind: "failed", usage: null });
  });
});

describe("an OpenAI-compatible server", () => {
  const server = {
    baseUrl: new URL("/openai/v1", env.FAKE_AI_URL).href,
    models: { [PHOENIX]: "sd" },
  };

  it("starts from no picture", async () => {
    const outcome = await openAiPicture(server)(
      hold,
      { ...ASKED, inputs: [INPUT] },
      { timeoutMs: 1000 },
    );
    expect(outcome).toEqual({ kind: "unsupported" });
  });
});

describe("pictureIn", () => {
  it("takes base64, also as a data URI, and bytes", () => {
    const base64 = PNG.toBase64();
    for (const value of [base64, `data:image/png;base64,${base64}`, PNG]) {
      expect(pictureIn(value, 1000)).toMatchObject({ format: "png", width: 1, height: 1 });
    }
    expect(imageOf({ image: base64 })).toBe(base64);
    expect(imageOf(PNG)).toBe(PNG);
  });

  it.each([
    ["too long", PNG.toBase64(), 10],
    ["no base64", "*", 1000],
    ["no picture", btoa("<svg onload=alert(1)></svg>"), 1000],
    ["a number", 5, 1000],
    ["nothing", undefined, 1000],
  ])("takes nothing that is %s", (_, value, maxBytes) => {
    expect(pictureIn(value, maxBytes)).toBeNull();
  });
});
