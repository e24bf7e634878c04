import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  type Assets,
  fetchModelAsset,
  modelLoader,
  RETRY_AFTER_MS,
} from "../../src/io/model-asset.ts";

const CONTENT = Uint8Array.from(Array.from({ length: 22 }, (_, at) => at * at));
const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();

const asset = { file: "test-1.bin", bytes: CONTENT.length, sha256: await sha256(CONTENT) };

/** Assets that answer this, and count how often they are asked. */
function answering(answer: () => Response | Promise<Response>) {
  const asked: string[] = [];
  const assets: Assets = {
    fetch: (request) => {
      asked.push(new URL(request instanceof Request ? request.url : request).pathname);
      return Promise.resolve(answer());
    },
  };
  return { assets, asked };
}

const inPieces = (...pieces: Uint8Array<ArrayBuffer>[]): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    }),
  );

describe("a model's file", () => {
  it("is given as it is, from its place among the assets", async () => {
    const { assets, asked } = answering(() => new Response(CONTENT));
    expect(await fetchModelAsset(assets, asset)).toEqual(CONTENT.buffer);
    expect(asked).toEqual(["/models/test-1.bin"]);
  });

  it("may come in pieces", async () => {
    const { assets } = answering(() => inPieces(CONTENT.slice(0, 5), CONTENT.slice(5)));
    expect(await fetchModelAsset(assets, asset)).toEqual(CONTENT.buffer);
  });

  it.each([
    ["missing", () => new Response("no such file", { status: 404 })],
    ["moved", () => new Response(null, { status: 307, headers: { location: "/elsewhere" } })],
    ["empty", () => new Response(null)],
    ["cut", () => new Response(CONTENT.slice(0, -1))],
    ["longer", () => inPieces(CONTENT, new Uint8Array(1))],
    ["another of the same length", () => new Response(CONTENT.map((byte) => byte ^ 1))],
    ["a page for what is not there", () => new Response("<!doctype html>")],
    ["behind a broken binding", () => Promise.reject(new Error("gone"))],
    [
      "broken off",
      () =>
        new Response(
          new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) }),
        ),
    ],
  ])("that is %s is none", async (_, answer) => {
    expect(await fetchModelAsset(answering(answer).assets, asset)).toBeNull();
  });

  it("is none where there are no assets at all", async () => {
    expect(await fetchModelAsset(undefined, asset)).toBeNull();
  });

  it("is not there when its name is not, in the real binding", async () => {
    expect(await fetchModelAsset(env.ASSETS, { ...asset, file: "no-such-model.bin" })).toBeNull();
  });
});

const length = (bytes: ArrayBuffer) => ({ length: bytes.byteLength });

describe("a loader", () => {
  it("makes its model once", async () => {
    const { assets, asked } = answering(() => new Response(CONTENT));
    const loader = modelLoader(asset, length);
    const first = await loader.load(assets);
    expect(first).toEqual({ length: CONTENT.length });
    expect(await loader.load(assets)).toBe(first);
    expect(asked).toHaveLength(1);
  });

  it("keeps one model, also when several calls come first", async () => {
    const { assets, asked } = answering(() => new Response(CONTENT));
    const loader = modelLoader(asset, length);
    const [first, second] = await Promise.all([loader.load(assets), loader.load(assets)]);
    expect(second).toBe(first);
    expect(await loader.load(assets)).toBe(first);
    expect(asked).toHaveLength(2);
  });

  it("does not wait for a fetch that never ends", async () => {
    const loader = modelLoader(asset, length);
    const hanging = answering(() => new Promise<Response>(() => {}));
    void loader.load(hanging.assets);
    expect(await loader.load(answering(() => new Response(CONTENT)).assets)).not.toBeNull();
  });

  it("is unavailable for a while after a failure, and then tries again", async () => {
    let nowMs = 1_000;
    const loader = modelLoader(asset, length, () => nowMs);
    const missing = answering(() => new Response(null, { status: 404 }));
    expect(await loader.load(missing.assets)).toBeNull();
    nowMs += RETRY_AFTER_MS - 1;
    const there = answering(() => new Response(CONTENT));
    expect(await loader.load(there.assets)).toBeNull();
    expect(there.asked).toEqual([]);
    nowMs += 1;
    expect(await loader.load(there.assets)).not.toBeNull();
  });

  it("is unavailable when the file is not a model of its version", async () => {
    const { assets } = answering(() => new Response(CONTENT));
    expect(await modelLoader(asset, () => null).load(assets)).toBeNull();
  });
});
