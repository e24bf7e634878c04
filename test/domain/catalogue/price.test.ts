import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CATALOGUE,
  type Model,
  type Prices,
  type PictureRequest,
  pictureUsage,
  priceOf,
  type Usage,
} from "../../../src/domain/catalogue/catalogue.ts";

function model(id: string): Model {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

const DISTILBERT = model("@cf/huggingface/distilbert-sst-2-int8");
const LLAMA = model("@cf/meta/llama-3.1-8b-instruct-fp8");
const KIMI = model("@cf/moonshotai/kimi-k2.6");
const WHISPER = model("@cf/openai/whisper");
const FLUX_1 = model("@cf/black-forest-labs/flux-1-schnell");
const FLUX_2_DEV = model("@cf/black-forest-labs/flux-2-dev");
const KLEIN_4B = model("@cf/black-forest-labs/flux-2-klein-4b");
const KLEIN_9B = model("@cf/black-forest-labs/flux-2-klein-9b");

const priced = (prices: Prices): Model => ({ ...DISTILBERT, prices });

describe("priceOf, worked by hand", () => {
  it.each<[string, Model, Usage, number]>([
    // The contract's sentiment stage: 23 x 2,394
    ["classification", DISTILBERT, { input_token: 23 }, 55_062],
    // The contract's usage report: 35,700 x 2,394
    ["a day's classification", DISTILBERT, { input_token: 35_700 }, 85_465_800],
    // 700,400 x 13,778 = 9,650,111,200; 98,600 x 26,128 = 2,576,220,800
    ["a judge's day", LLAMA, { input_token: 700_400, output_token: 98_600 }, 12_226_332_000],
    // 820 x 228,055
    ["pictures read", model("@cf/microsoft/resnet-50"), { image: 820 }, 187_005_100],
    // 100 x 86,364 + 900 x 14,545 + 10 x 363,636 = 8,636,400 + 13,090,500 + 3,636,360
    [
      "cached input with a price of its own",
      KIMI,
      { input_token: 100, cached_input_token: 900, output_token: 10 },
      25_363_260,
    ],
    // (100 + 900) x 13,778
    [
      "cached input without one, at the input price",
      LLAMA,
      { input_token: 100, cached_input_token: 900 },
      13_778_000,
    ],
    // 4 x 4,800,000 + 4 x 9,600,000 = 57.6 neurons
    ["tiles and steps", FLUX_1, { tile_512: 4, step: 4 }, 57_600_000],
    // 4 tiles x 20 steps x 37,500,000 + 1 tile x 20 steps x 18,750,000 = 3,000,000,000 + 375,000,000
    [
      "tiles per step",
      FLUX_2_DEV,
      { output_tile_512_per_step: 80, input_tile_512_per_step: 20 },
      3_375_000_000,
    ],
    // 2 x 5,370,000 + 4 x 26,050,000
    ["input and output tiles", KLEIN_4B, { input_tile_512: 2, output_tile_512: 4 }, 114_940_000],
    // 1,363,640,000 + 3 x 181,820,000 + 2 x 181,820,000
    [
      "megapixels",
      KLEIN_9B,
      { first_megapixel_1024x1024: 1, subsequent_megapixel: 3, input_image_megapixel: 2 },
      2_272_740_000,
    ],
    // 11 x 1,363,640
    ["characters", model("@cf/deepgram/aura-1"), { input_character: 11 }, 15_000_040],
    // 90 s at 41,140,000 a minute
    ["audio of a minute and a half", WHISPER, { audio_ms: 90_000 }, 61_710_000],
    // 41,140,000 / 60,000 = 685.67, up
    ["a millisecond of audio", WHISPER, { audio_ms: 1 }, 686],
    // 3 x 41,140,000 / 60,000 = 2,057 exactly: nothing to round
    ["three milliseconds of audio", WHISPER, { audio_ms: 3 }, 2057],
    // 60,001 x 472,730,000 / 60,000 = 472,737,878.83, up
    ["audio read", model("@cf/deepgram/nova-3"), { audio_ms: 60_001 }, 472_737_879],
    ["nothing", LLAMA, {}, 0],
    ["no token", LLAMA, { input_token: 0, output_token: 0 }, 0],
  ])("%s", (_, each, usage, expected) => {
    expect(priceOf(each, usage)).toBe(expected);
  });
});

describe("priceOf refuses", () => {
  it.each<[string, Model, Record<string, number>]>([
    ["a unit without a price", DISTILBERT, { output_token: 1 }],
    ["it also at a count of 0", DISTILBERT, { output_token: 0 }],
    ["a price of 0", model("@cf/stabilityai/stable-diffusion-xl-base-1.0"), { step: 1 }],
    [
      "a cached price of 0",
      priced({ cached_input_token: 0, input_token: 5 }),
      { cached_input_token: 1 },
    ],
    ["an unknown unit", DISTILBERT, { audio_minute: 1 }],
    ["a name of Object.prototype", DISTILBERT, { constructor: 1 }],
    ["a price for websockets only", model("@cf/deepgram/flux"), { audio_ms: 1 }],
    ["a negative count", DISTILBERT, { input_token: -1 }],
    ["one that others outweigh", LLAMA, { input_token: 10, cached_input_token: -1 }],
    ["a fractional count", DISTILBERT, { input_token: 1.5 }],
    ["NaN", DISTILBERT, { input_token: Number.NaN }],
    ["Infinity", DISTILBERT, { input_token: Number.POSITIVE_INFINITY }],
    ["a count above 2^53 - 1", priced({ input_token: 1 }), { input_token: 2 ** 53 }],
    // 2^52 x 2 = 2^53, one more than the largest amount
    ["a sum above 2^53 - 1", priced({ input_token: 2 }), { input_token: 2 ** 52 }],
  ])("%s", (_, each, usage) => {
    expect(() => priceOf(each, usage as Usage)).toThrow(RangeError);
  });

  it("not the largest amount itself", () => {
    const largest = Number.MAX_SAFE_INTEGER;
    expect(priceOf(priced({ input_token: 1 }), { input_token: largest })).toBe(largest);
  });
});

describe("priceOf, against BigInt", () => {
  const count = fc.integer({ min: 0, max: 1_000_000 });
  const price = fc.integer({ min: 1, max: 2_000_000_000 });

  it("is exact for tokens, where a float sum would not be", () => {
    fc.assert(
      fc.property(price, price, price, count, count, count, (a, b, c, x, y, z) => {
        const exact = BigInt(a) * BigInt(x) + BigInt(b) * BigInt(y) + BigInt(c) * BigInt(z);
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        const prices = { input_token: a, cached_input_token: b, output_token: c };
        const usage = { input_token: x, cached_input_token: y, output_token: z };
        expect(BigInt(priceOf(priced(prices), usage))).toBe(exact);
      }),
    );
  });

  it("is the least whole µN that is not below the exact price of audio", () => {
    fc.assert(
      fc.property(price, fc.integer({ min: 0, max: 100_000_000 }), (perMinute, ms) => {
        const charged = BigInt(priceOf(priced({ audio_minute: perMinute }), { audio_ms: ms }));
        const exact = BigInt(perMinute) * BigInt(ms);
        expect(charged * 60_000n >= exact && (charged - 1n) * 60_000n < exact).toBe(true);
      }),
    );
  });

  it("never falls when usage grows", () => {
    fc.assert(
      fc.property(count, count, count, count, (input, output, more, ms) => {
        const less = priceOf(LLAMA, { input_token: input, output_token: output });
        const greater = { input_token: input + more, output_token: output };
        expect(priceOf(LLAMA, greater)).toBe(less + more * 13_778);
        expect(priceOf(WHISPER, { audio_ms: ms + more })).toBeGreaterThanOrEqual(
          priceOf(WHISPER, { audio_ms: ms }),
        );
      }),
    );
  });
});

describe("pictureUsage", () => {
  const request: PictureRequest = {
    pictures: 2,
    size: { width: 1024, height: 1024 },
    steps: 4,
    inputs: [],
  };

  it.each<[string, Model, Partial<PictureRequest>, Usage]>([
    // 2 pictures of 2 x 2 tiles, 4 steps each
    ["tiles and steps", FLUX_1, {}, { tile_512: 8, step: 8 }],
    // 1025 pixels reach into a third column: 3 x 2 tiles
    [
      "a part of a tile counts whole",
      FLUX_1,
      { size: { width: 1025, height: 513 } },
      { tile_512: 12, step: 8 },
    ],
    // 4 tiles x 4 steps; the input 1 tile x 4 steps; two pictures
    [
      "tiles per step",
      FLUX_2_DEV,
      { inputs: [{ width: 512, height: 512 }] },
      { output_tile_512_per_step: 32, input_tile_512_per_step: 8 },
    ],
    [
      "input and output tiles",
      KLEIN_4B,
      {
        inputs: [
          { width: 512, height: 512 },
          { width: 600, height: 100 },
        ],
      },
      { output_tile_512: 8, input_tile_512: 6 },
    ],
    // 2,048 x 1,024 is two megapixels; an input of 1,100 x 1,000 is 1.05, so two
    [
      "megapixels",
      KLEIN_9B,
      { size: { width: 2048, height: 1024 }, inputs: [{ width: 1100, height: 1000 }] },
      { first_megapixel_1024x1024: 2, subsequent_megapixel: 2, input_image_megapixel: 4 },
    ],
    [
      "a small picture has the first megapixel only",
      KLEIN_9B,
      { size: { width: 256, height: 256 } },
      { first_megapixel_1024x1024: 2, subsequent_megapixel: 0, input_image_megapixel: 0 },
    ],
  ])("%s", (_, each, change, expected) => {
    const usage = pictureUsage(each, { ...request, ...change });
    expect(usage).toEqual(expected);
    expect(priceOf(each, usage)).toBeGreaterThan(0);
  });
});
