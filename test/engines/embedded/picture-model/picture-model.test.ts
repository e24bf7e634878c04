import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_JUDGED_PIXELS } from "../../../../src/domain/moderation/picture-scores.ts";
import KERNELS from "../../../../src/engines/embedded/picture-model/kernels.wasm";
import {
  judgePicture,
  PICTURE_WEIGHTS,
  pictureModelOf,
  readPictureModel,
} from "../../../../src/engines/embedded/picture-model/picture-model.ts";
import { measurePicture } from "../../../../src/engines/embedded/measure-picture.ts";
import { readPicture } from "../../../../src/engines/picture.ts";
import { type Assets, fetchModelAsset, modelLoader } from "../../../../src/io/model-asset.ts";
import { JPEG, LOSSLESS_WEBP, makePng, PROGRESSIVE_JPEG } from "../sample-pictures.ts";
import { greyMosaicPng, hiddenPng, MOSAICS, mosaicPng } from "./mosaics.ts";

// The shipped model in the runtime that it is for. That it says what TensorFlow.js says of the same
// pixels is tested where that is installed: picture-model/picture-model.test.mjs.

function pictureOf(bytes: Uint8Array) {
  const picture = readPicture(bytes);
  if ("kind" in picture) throw new Error(picture.kind);
  return picture;
}

const shippedModel = pictureModelOf(env.ASSETS);

const judged = (bytes: Uint8Array) => judgePicture(pictureOf(bytes), shippedModel);

async function scored(bytes: Uint8Array) {
  const found = await judged(bytes);
  if (found.kind !== "judged") throw new Error(found.kind);
  return found.scores;
}

const greyPng = (width: number, height: number): Promise<Uint8Array<ArrayBuffer>> => {
  const row = Array<number>(width).fill(90);
  return makePng(
    { width, height, depth: 8, colour: 0 },
    Array.from({ length: height }, () => row),
  );
};

describe("the picture model", () => {
  it.each([
    ["harmless", { nsfw: 0.303, suggestive: 0.019 }],
    ["flagged", { nsfw: 0.609, suggestive: 0.019 }],
    ["blocked", { nsfw: 0.791, suggestive: 0.019 }],
  ] as const)("says what it said of the %s mosaic", async (name, scores) => {
    expect(await scored(await mosaicPng(MOSAICS[name]))).toEqual(scores);
  });

  it("says what it said of a WebP, exactly", async () => {
    expect(await scored(LOSSLESS_WEBP)).toEqual({ nsfw: 0.07, suggestive: 0.005 });
  });

  it.each([
    ["sequential", JPEG],
    ["progressive", PROGRESSIVE_JPEG],
  ])("finds nothing in a %s JPEG, whose pixels depend on the decoder", async (_, bytes) => {
    expect((await scored(bytes)).nsfw).toBeLessThan(0.3);
  });

  it("says the same again, whatever it saw in between", async () => {
    const bytes = await mosaicPng(MOSAICS.blocked);
    const first = await scored(bytes);
    await scored(await mosaicPng(MOSAICS.harmless));
    await scored(LOSSLESS_WEBP);
    expect(await scored(bytes)).toEqual(first);
  });

  it("takes pictures that come at once one after the other", async () => {
    const names = ["blocked", "harmless", "flagged", "blocked"] as const;
    const pictures = await Promise.all(names.map((name) => mosaicPng(MOSAICS[name])));
    const together = await Promise.all([
      ...pictures.map(scored),
      measurePicture(pictureOf(LOSSLESS_WEBP)),
    ]);
    expect(together.slice(0, 4)).toMatchObject([
      { nsfw: 0.791 },
      { nsfw: 0.303 },
      { nsfw: 0.609 },
      { nsfw: 0.791 },
    ]);
  });
});

describe("a picture that can be seen through", () => {
  it.each(["black", "white"] as const)("is judged as it is on a %s page, too", async (page) => {
    const shown = await scored(await greyMosaicPng());
    expect(shown.nsfw).toBe(0.867);
    expect(await scored(await hiddenPng(page))).toEqual(shown);
  });
});

describe("sizes", () => {
  it.each([
    [1, 1],
    [8_000, 1],
    [1, 8_000],
    [2_000, 2_000],
  ])("%i x %i is judged", async (width, height) => {
    expect((await judged(await greyPng(width, height))).kind).toBe("judged");
  });

  it("of one row more than four megapixels are not even decoded", async () => {
    const bytes = await greyPng(1, 1);
    // A header that claims it, with nothing of the kind behind.
    const picture = { ...pictureOf(bytes), width: 2_000, height: 2_001 };
    expect(2_000 * 2_000).toBe(MAX_JUDGED_PIXELS);
    expect(await judgePicture(picture, shippedModel)).toEqual({ kind: "too_many_pixels" });
  });

  it("that are not those of the header are no picture", async () => {
    const picture = { ...pictureOf(JPEG), width: 25 };
    expect(await judgePicture(picture, shippedModel)).toEqual({ kind: "undecodable" });
    expect(await judged(JPEG.subarray(0, 340))).toEqual({ kind: "undecodable" });
  });
});

/** What a Worker with these assets, which has no model yet, says of a picture. */
const judgedWith = async (assets: Assets) => {
  const loader = modelLoader(PICTURE_WEIGHTS, readPictureModel);
  return judgePicture(pictureOf(JPEG), () => loader.load(assets));
};

const answering = (bytes: ArrayBuffer): Assets => ({
  fetch: () => Promise.resolve(new Response(bytes)),
});

/** The file with something of its header replaced by as many characters. */
function withHeader(file: ArrayBuffer, from: string, to: string): ArrayBuffer {
  const length = new DataView(file).getUint32(0, true);
  const header = new TextDecoder().decode(new Uint8Array(file, 4, length));
  const other = header.replace(from, to);
  if (other === header || other.length !== length) throw new Error("not as long, or the same");
  const copy = file.slice(0);
  new Uint8Array(copy, 4, length).set(new TextEncoder().encode(other));
  return copy;
}

describe("the model's file", () => {
  let file: ArrayBuffer;
  beforeAll(async () => {
    const bytes = await fetchModelAsset(env.ASSETS, PICTURE_WEIGHTS);
    if (bytes === null) throw new Error("the shipped file is not the one that the source names");
    file = bytes;
  });

  it("makes a network that cannot take more memory than it has", () => {
    const model = readPictureModel(file);
    expect(model?.memoryBytes).toBe(20 * 1024 * 1024);
    expect(model?.input.length).toBe(224 * 224 * 3);
    // It is all there from the beginning, and nothing can make it grow.
    const { memory } = new WebAssembly.Instance(KERNELS).exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("the kernels have no memory");
    expect(memory.buffer.byteLength).toBe(model?.memoryBytes);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  it("that is not there, cut or changed makes pictures unjudged", async () => {
    const changed = file.slice(0);
    const view = new Uint8Array(changed);
    view[view.length - 1] = (view.at(-1) ?? 0) ^ 1;
    expect(await judgedWith(answering(file))).toMatchObject({ kind: "judged" });
    expect(await judgedWith(undefined)).toEqual({ kind: "unavailable" });
    expect(await judgedWith(answering(file.slice(0, -1)))).toEqual({ kind: "unavailable" });
    expect(await judgedWith(answering(changed))).toEqual({ kind: "unavailable" });
  });

  it("with a tensor of another shape, one missing or one too many is no such model", () => {
    expect(readPictureModel(withHeader(file, "(MIT)", "(mit)"))).not.toBeNull();
    expect(readPictureModel(withHeader(file, "Conv1/kernel", "Conv2/kernel"))).toBeNull();
    expect(readPictureModel(withHeader(file, "[3,3,3,32]", "[3,3,32,3]"))).toBeNull();
    expect(readPictureModel(withHeader(file, '"version":1', '"version":2'))).toBeNull();
  });
});
