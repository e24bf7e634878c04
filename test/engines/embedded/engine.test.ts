import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { makeHold } from "../../../src/domain/ledger/ledger.ts";
import { createEmbeddedEngine } from "../../../src/engines/embedded/engine.ts";
import type { Check } from "../../../src/engines/engine.ts";
import { TEXT_MODEL, TEXT_MODEL_CATEGORIES } from "../../../src/domain/moderation/text-model.ts";
import { pictureModelOf } from "../../../src/engines/embedded/picture-model/picture-model.ts";
import { textModelOf } from "../../../src/engines/embedded/text-model.ts";
import { readPicture } from "../../../src/engines/picture.ts";
import { MOSAICS, mosaicPng } from "./picture-model/mosaics.ts";
import { JPEG } from "./sample-pictures.ts";

const engine = createEmbeddedEngine({
  text: textModelOf(env.ASSETS),
  picture: pictureModelOf(env.ASSETS),
});
const engineWithoutModel = createEmbeddedEngine({
  text: () => Promise.resolve(null),
  picture: () => Promise.resolve(null),
});
const hold = makeHold({
  callId: "jnl_01M7WM9W9MJGXPRPG4179ZPNB8",
  requestId: "req_01M7WM9W9MJGXPRPG4179ZPNB8",
  route: "/v1/verdicts",
  keyId: null,
  userId: null,
  day: 20_000,
  admittedAtMs: 0,
  deadlineMs: 60_000,
  priceBook: "test",
  stages: [],
});
const run = (check: Check, signal?: AbortSignal) =>
  engine.run(hold, check, { timeoutMs: 1000, ...(signal && { signal }) });

function jpeg(bytes: Uint8Array) {
  const picture = readPicture(bytes);
  if ("kind" in picture) throw new Error(picture.kind);
  return picture;
}

describe("the embedded engine", () => {
  it("names itself and declares what it can judge, and in which language", () => {
    expect(engine.name).toBe("embedded");
    expect(engine.judges("sentiment", "any")).toEqual(["negativity"]);
    expect(engine.judges("judge", "any")).toEqual(TEXT_MODEL_CATEGORIES);
    expect(engine.judges("labels", "any")).toEqual([]);
    expect(engine.judges("vision", "any")).toEqual(["nsfw"]);
    expect(engine.languages("sentiment", "any")).toEqual(["en"]);
    expect(engine.languages("judge", "any")).toEqual(["en"]);
    expect(engine.languages("labels", "any")).toBeNull();
  });

  it("answers sentiment under its own name, never the model's that was asked for", async () => {
    const model = "@cf/huggingface/distilbert-sst-2-int8";
    const negativity = async (text: string) => {
      const outcome = await run({ name: "sentiment", model, text, language: "en" });
      expect(outcome).toMatchObject({ kind: "answered", model: TEXT_MODEL, usage: null });
      return outcome.kind === "answered" ? (outcome.scores.negativity ?? Number.NaN) : Number.NaN;
    };
    expect(await negativity("A TERRIBLE film")).toBeGreaterThan(0.5);
    expect(await negativity("A wonderful film")).toBeLessThan(0.5);
  });

  it("judges a text and scores no category that it cannot judge", async () => {
    const model = "@cf/meta/llama-3.1-8b-instruct-fp8";
    const outcome = await run({ name: "judge", model, text: "you useless idiot", language: "en" });
    expect(outcome).toMatchObject({ kind: "answered", model: TEXT_MODEL, usage: null });
    const scores = outcome.kind === "answered" ? outcome.scores : {};
    expect(Object.keys(scores)).toEqual(TEXT_MODEL_CATEGORIES);
    expect(scores.toxicity).toBeGreaterThanOrEqual(0.5);
  });

  it("judges no text that it cannot read, and refuses each without its model", async () => {
    for (const name of ["judge", "sentiment"] as const) {
      const text = "ti ammazzo stasera bastardo";
      const check = { name, model: "any", text, language: null };
      expect(await run(check)).toEqual({ kind: "unsupported", because: "unknown_words" });
      const without = engineWithoutModel.run(hold, check, { timeoutMs: 1000 });
      expect(await without).toMatchObject({
        kind: "refused",
        retryable: false,
        because: "model_unavailable",
      });
    }
  });

  it("measures a picture, labels nothing, and counts one image", async () => {
    const outcome = await run({
      name: "labels",
      model: "@cf/microsoft/resnet-50",
      picture: jpeg(JPEG),
    });
    expect(outcome).toMatchObject({
      kind: "answered",
      model: "neurogate/pixels@1",
      scores: {},
      measurements: { format: "jpeg", width: 24, height: 16 },
      usage: { image: 1 },
    });
    expect(outcome).not.toHaveProperty("labels");
  });

  it("refuses a picture that cannot be decoded, so that nothing is charged", async () => {
    const picture = jpeg(JPEG.subarray(0, 340));
    expect(await run({ name: "labels", model: "@cf/microsoft/resnet-50", picture })).toEqual({
      kind: "refused",
      code: null,
      retryable: false,
      accountExhausted: false,
      because: "picture_unreadable",
    });
  });

  it("judges a picture by its own model, under that model's name", async () => {
    const picture = jpeg(await mosaicPng(MOSAICS.blocked));
    const model = "@cf/google/gemma-4-26b-a4b-it";
    expect(await run({ name: "vision", model, picture })).toEqual({
      kind: "answered",
      model: "neurogate/nsfw-mobilenet-v2@1",
      scores: { nsfw: 0.791 },
      usage: null,
    });
  });

  it("does not look at a picture that is too large for its model, and says so", async () => {
    const picture = { ...jpeg(JPEG), width: 5_000, height: 3_000 };
    expect(await run({ name: "vision", model: "any", picture })).toEqual({
      kind: "unsupported",
      because: "too_many_pixels",
    });
  });

  it.each([
    ["what cannot be decoded", engine, JPEG.subarray(0, 340)],
    ["any picture, where its model is not there", engineWithoutModel, JPEG],
  ])("refuses %s", async (_, asked, bytes) => {
    const check = { name: "vision", model: "any", picture: jpeg(bytes) } as const;
    expect(await asked.run(hold, check, { timeoutMs: 1000 })).toEqual({
      kind: "refused",
      code: null,
      retryable: false,
      accountExhausted: false,
      because: "picture_unreadable",
    });
  });

  it("does not begin what was already given up", async () => {
    const check = { name: "judge", model: "any", text: "hello", language: "en" } as const;
    expect(await run(check, AbortSignal.abort())).toEqual({ kind: "timed_out" });
  });
});
