import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CATALOGUE, type Model } from "../../../src/domain/catalogue/catalogue.ts";
import { generationCharge } from "../../../src/domain/generation/generation-charge.ts";
import {
  negativeBy,
  sentPrompt,
  sentPromptChars,
} from "../../../src/domain/generation/picture-prompt.ts";
import {
  MAX_PIXELS,
  PLAIN_PICTURE,
  type PictureMeasure,
  pictureTerms,
  startersFrom,
} from "../../../src/domain/generation/picture-terms.ts";
import { toPictureTraits } from "../../../src/domain/generation/picture-traits.ts";
import { planGeneration } from "../../../src/domain/generation/plan-generation.ts";

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const DEV = "@cf/black-forest-labs/flux-2-dev";
const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const LUCID = "@cf/leonardo/lucid-origin";
const PHOENIX = "@cf/leonardo/phoenix-1.0";
const SDXL = "@cf/stabilityai/stable-diffusion-xl-base-1.0";

function model(id: string): Model {
  const found = CATALOGUE.get(id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

const measured = (change: Partial<PictureMeasure>): PictureMeasure => ({
  ...PLAIN_PICTURE,
  promptChars: 20,
  ...change,
});

const terms = (id: string, change: Partial<PictureMeasure> = {}) =>
  pictureTerms(model(id), measured(change));

describe("startersFrom", () => {
  const small = { width: 511, height: 100 };
  const prices = { [SDXL]: { step: 5 } };

  it("gives the models that take these pictures and have a price, those that are wanted first", () => {
    const unpriced = { workersPlan: "free", prices: {} } as const;
    expect(startersFrom([small], unpriced, [KLEIN, SCHNELL])).toEqual([
      KLEIN,
      DEV,
      "@cf/black-forest-labs/flux-2-klein-9b",
    ]);
    expect(startersFrom([{ ...small, width: 512 }], unpriced)).toEqual([]);
  });

  it("gives a model without a published price where the platform has one", () => {
    const priced = { workersPlan: "free", prices } as const;
    expect(startersFrom([{ width: 2000, height: 512 }], priced, [KLEIN])).toEqual([SDXL]);
    expect(startersFrom([small, small], priced)).not.toContain(SDXL);
  });
});

describe("pictureTerms", () => {
  it.each([
    [SCHNELL, {}, 1024, 1024, 4],
    [DEV, {}, 1024, 768, 25],
    [KLEIN, {}, 1024, 768, 4],
    [LUCID, {}, 1120, 1120, 25],
    [PHOENIX, { width: 2048, height: 64, steps: 50 }, 2048, 64, 50],
    [SDXL, { height: 256 }, 1024, 256, 20],
    [PHOENIX, { effort: "low" }, 1024, 1024, 13],
    [PHOENIX, { effort: "high" }, 1024, 1024, 50],
    [KLEIN, { effort: "low" }, 1024, 768, 4],
    [SCHNELL, { effort: "high" }, 1024, 1024, 8],
  ] as const)("of %s with %j", (id, change, width, height, steps) => {
    expect(terms(id, change)).toMatchObject({ kind: "terms", size: { width, height }, steps });
  });

  it.each([
    [SCHNELL, { width: 512 }, "width"],
    [SCHNELL, { seed: true }, "seed"],
    [SCHNELL, { guidance: 3 }, "guidance"],
    [KLEIN, { steps: 5 }, "steps"],
    [PHOENIX, { strength: 0.5 }, "strength"],
    [PHOENIX, { inputs: [{ width: 64, height: 64 }] }, "image"],
    [KLEIN, { inputs: [{ width: 512, height: 64 }] }, "image"],
    [SDXL, { inputs: Array.from({ length: 2 }, () => ({ width: 64, height: 64 })) }, "image"],
  ])("%s does not take %j", (id, change, parameter) => {
    expect(terms(id, change)).toMatchObject({ kind: "unsupported_parameter", parameter });
  });

  it("says how many pictures a model starts from, and how large they may be", () => {
    expect(terms(KLEIN, { inputs: [{ width: 512, height: 64 }] })).toMatchObject({
      detail: `The model ${KLEIN} starts from at most 4 pictures of at most 511 pixels a side.`,
    });
    const two = Array.from({ length: 2 }, () => ({ width: 64, height: 64 }));
    expect(terms(SDXL, { inputs: two })).toMatchObject({
      detail: `The model ${SDXL} starts from one picture.`,
    });
  });

  it.each([
    [DEV, { width: 255 }, "width", "must be from 256 to 1920 for this model"],
    [DEV, { height: 1921 }, "height", "must be from 256 to 1920 for this model"],
    [PHOENIX, { steps: 51 }, "steps", "must be from 1 to 50 for this model"],
    [PHOENIX, { guidance: 1 }, "guidance", "must be from 2 to 10 for this model"],
    [SCHNELL, { promptChars: 2049 }, "prompt", "must be at most 2048 characters for this model"],
    [
      SCHNELL,
      { promptChars: 2000, negativeChars: 40 },
      "prompt",
      "must be at most 2048 characters, style and negative prompt included, for this model",
    ],
    [
      LUCID,
      { width: 2500, height: 2500, pictures: 5 },
      "n",
      "must be at most 4 for pictures of that size",
    ],
  ])("%s refuses %j, naming %s", (id, change, field, detail) => {
    const errors = [{ path: [field], detail }];
    expect(terms(id, change)).toEqual({ kind: "invalid_request", errors });
  });

  it("admits the ends of each range", () => {
    expect(terms(SCHNELL, { promptChars: 2048 }).kind).toBe("terms");
    // ". Avoid: " is 9 characters.
    expect(terms(SCHNELL, { promptChars: 2000, negativeChars: 39 }).kind).toBe("terms");
    expect(terms(KLEIN, { inputs: [{ width: 511, height: 511 }] }).kind).toBe("terms");
    expect(terms(LUCID, { width: 2500, height: 2500, pictures: 4 }).kind).toBe("terms");
    expect(MAX_PIXELS).toBe(25_165_824);
  });

  it("has no bound for a model that needs more than a prompt", () => {
    expect(terms("@cf/runwayml/stable-diffusion-v1-5-inpainting").kind).toBe("unbounded_usage");
  });

  it("has traits with a source for every model of pictures but that one", () => {
    const makers = [...CATALOGUE.values()].filter(({ task }) => task === "text_to_image");
    const without = makers.filter(({ picture }) => picture === null).map(({ id }) => id);
    expect(without).toEqual(["@cf/runwayml/stable-diffusion-v1-5-inpainting"]);
    for (const { picture } of makers) expect(picture?.source ?? "none").not.toBe("");
  });

  it("does not read a range that is none", () => {
    const row = { width: [1, 1, 1], height: [1, 1, 1], steps: [1, 1, 1], source: "" };
    expect(() => toPictureTraits({ ...row, steps: [5, 1, 4] })).toThrow(TypeError);
    expect(() => toPictureTraits({ ...row, guidance: [3, 2] })).toThrow(TypeError);
  });
});

describe("the prompt that is sent", () => {
  it("is as long as was planned, from lengths alone", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.option(fc.string()),
        fc.constantFrom(...CATALOGUE.values()),
        (prompt, negativePrompt, { picture }) => {
          if (picture === null) return;
          const by = negativeBy(negativePrompt !== null, picture);
          const chars = { promptChars: prompt.length, negativeChars: negativePrompt?.length ?? 0 };
          const sent = sentPrompt({ prompt, negativePrompt }, by);
          expect(sentPromptChars(chars, by)).toBe(sent.length);
        },
      ),
    );
  });
});

const find = (id: string) => ({ kind: "found", model: model(id) }) as const;

const planned = (change: Partial<PictureMeasure>, ids: readonly [string, ...string[]]) => {
  const picture = measured(change);
  const plan = planGeneration({ kind: "picture", picture }, ids, {
    find,
    defaultMaxTokens: 1,
    fitTo: null,
  });
  if (plan.kind !== "planned") throw new Error(plan.kind);
  return plan.stage;
};

describe("the plan of pictures", () => {
  // Figures by hand, from the price table.
  it.each([
    // 4 tiles of 4.8 and 4 steps of 9.6
    [SCHNELL, {}, 57_600_000],
    [SCHNELL, { steps: 8 }, 96_000_000],
    // 4 tiles, each of 25 steps of 37.5
    [DEV, {}, 3_750_000_000],
    // 1 tile out and 1 in, 10 steps: 10 x 37.5 + 10 x 18.75
    [
      DEV,
      { width: 512, height: 512, steps: 10, inputs: [{ width: 300, height: 300 }] },
      562_500_000,
    ],
    // 4 tiles of 26.05; with a picture of one tile 5.37 more
    [KLEIN, {}, 104_200_000],
    [KLEIN, { inputs: [{ width: 511, height: 511 }] }, 109_570_000],
    // 0.75 megapixels are the first one; 1920 x 1080 reaches into the second
    ["@cf/black-forest-labs/flux-2-klein-9b", {}, 1_363_640_000],
    ["@cf/black-forest-labs/flux-2-klein-9b", { width: 1920, height: 1080 }, 1_545_460_000],
    // 9 tiles of 636 and 25 steps of 12
    [LUCID, {}, 6_024_000_000],
    // 4 tiles of 530 and 25 steps of 10; 513 pixels reach into a second tile
    [PHOENIX, {}, 2_370_000_000],
    [PHOENIX, { width: 513, height: 512, steps: 10 }, 1_160_000_000],
  ])("holds the price of %s with %j", (id, change, bound) => {
    const stage = planned(change, [id]);
    expect(stage.bound).toBe(bound);
    expect(planned({ ...change, pictures: 2 }, [id]).bound).toBe(2 * bound);
  });

  it("charges what it holds, counted, whichever model was asked in the end", () => {
    const stage = planned({ pictures: 2 }, [SCHNELL, KLEIN]);
    expect(stage.bound).toBe(2 * 104_200_000);
    const [call] = stage.calls;
    if (call === undefined) throw new Error("no call was planned");
    const end = { kind: "answered", usage: null, simulated: false } as const;
    const kind = "picture";
    expect(generationCharge(end, call, { kind, model: model(SCHNELL) })).toEqual({
      microNeurons: 57_600_000,
      overrun: 0,
      units: { tile_512: 4, step: 4 },
      basis: "counted",
    });
    expect(generationCharge(end, call, { kind, model: model(KLEIN) })).toMatchObject({
      microNeurons: 104_200_000,
      units: { output_tile_512: 4, input_tile_512: 0 },
    });
    const unknown = { kind: "unknown", usage: null } as const;
    expect(generationCharge(unknown, call, { kind, model: model(KLEIN) })).toMatchObject({
      microNeurons: 104_200_000,
      units: { output_tile_512: 4, input_tile_512: 0 },
      basis: "held",
    });
  });

  it("passes over a fallback that cannot make them", () => {
    expect(planned({ steps: 30 }, [PHOENIX, SCHNELL, LUCID]).fallbacks).toEqual([LUCID]);
  });
});
