import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { readPicture } from "../../src/engines/picture.ts";
import { makeTenant, type TestTenant } from "../client.ts";
import { JPEG } from "../engines/embedded/sample-pictures.ts";

// Text to image on Workers AI's own surface.

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell"; // 4.8 a tile and 9.6 a step, in neurons
const PHOENIX = "@cf/leonardo/phoenix-1.0"; // 530 a tile and 10 a step
const DREAMSHAPER = "@cf/lykon/dreamshaper-8-lcm";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`run-image-${made}`, settings);
};

afterEach(() => reset());

const pathOf = ({ id }: TestTenant, model: string): string =>
  `/client/v4/accounts/${id}/ai/run/${model}`;

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

/** As bytes, which is what some models answer with. */
async function bytesOf(tenant: TestTenant, model: string, body: object, headers = {}) {
  const request = new Request(`https://gateway.test${pathOf(tenant, model)}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${tenant.key}`,
      "Content-Type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const response = await exports.default.fetch(request);
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

describe("a model that answers in JSON", () => {
  it("gives its picture in base64 in the envelope, counted", async () => {
    const tenant = await aTenant();
    const body = { prompt: "A red boat", steps: 8 };
    const reply = await tenant.call("POST", pathOf(tenant, SCHNELL), body);
    expect(reply.body).toMatchObject({ success: true, errors: [], messages: [] });
    const picture = readPicture(Uint8Array.fromBase64(reply.body.result.image));
    expect(picture).toMatchObject({ width: 1024, height: 1024 });
    // 4 tiles and 8 steps: 19.2 + 76.8 neurons.
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 96_000_000,
      basis: "counted",
      model: "neurogate/placard@1",
      priced_as: SCHNELL,
    });
    expect(await lines(tenant)).toMatchObject([{ held_micro_neurons: 96_000_000 }]);
  });

  it("is the deployed engine's too", async () => {
    const tenant = await aTenant();
    const body = { prompt: `A red boat ${crypto.randomUUID()}`, unknown: true };
    const reply = await tenant.onWorkersAi("POST", pathOf(tenant, SCHNELL), body);
    expect(readPicture(Uint8Array.fromBase64(reply.body.result.image))).toHaveProperty("format");
    const match = encodeURIComponent(body.prompt);
    const url = new URL(`/__requests?match=${match}`, env.FAKE_AI_URL);
    const [request]: readonly { inputs: object }[] = await (await fetch(url)).json();
    expect(request?.inputs).toEqual({ prompt: body.prompt, steps: 4 });
  });
});

describe("a model that answers with the picture", () => {
  it("gives its bytes as they are, with what they cost in the headers", async () => {
    const tenant = await aTenant();
    const body = { prompt: "A red boat", width: 512, height: 512, num_steps: 10, seed: 7 };
    const { response, bytes } = await bytesOf(tenant, PHOENIX, body);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("image/png");
    expect(readPicture(bytes)).toMatchObject({ format: "png", width: 512, height: 512 });
    // A tile and 10 steps: 530 + 100 neurons.
    expect(response.headers.get("x-neurogate-micro-neurons")).toBe("630000000");
    expect(await lines(tenant)).toMatchObject([{ micro_neurons: 630_000_000 }]);
  });

  it("is not kept where it is too long for a repeated idempotency key, nor made twice", async () => {
    const tenant = await aTenant();
    const body = { prompt: "A red boat", width: 512, height: 512, num_steps: 10 };
    const key = { "Idempotency-Key": "i1" };
    const first = await bytesOf(tenant, PHOENIX, body, key);
    const again = await bytesOf(tenant, PHOENIX, body, key);
    const kept = first.bytes.byteLength <= 65_536;
    expect(again.response.status).toBe(kept ? 200 : 409);
    if (kept) expect(again.bytes).toEqual(first.bytes);
    expect(await lines(tenant)).toHaveLength(1);
  });
});

describe("what is wrong with an order", () => {
  it.each([
    [SCHNELL, {}, "/prompt", "invalid_request"],
    [SCHNELL, { prompt: "" }, "/prompt", "invalid_request"],
    [SCHNELL, { prompt: 5 }, "/prompt", "invalid_request"],
    [SCHNELL, { prompt: "a", steps: 99 }, "/steps", "invalid_request"],
    [PHOENIX, { prompt: "a", num_steps: 1e9 }, "/num_steps", "invalid_request"],
    [PHOENIX, { prompt: "a", width: 1e6 }, "/width", "invalid_request"],
    [PHOENIX, { prompt: "a", height: -1 }, "/height", "invalid_request"],
    [PHOENIX, { prompt: "a", width: 512.5 }, "/width", "invalid_request"],
    [PHOENIX, { prompt: "a", image: [1, 2, 3] }, "/image", "invalid_request"],
    [PHOENIX, { prompt: "a", image: [...JPEG] }, "/image", "unsupported_parameter"],
    [SCHNELL, { prompt: "a", seed: 3 }, "/seed", "unsupported_parameter"],
    [SCHNELL, { prompt: "a", guidance: 3 }, "/guidance", "unsupported_parameter"],
    [PHOENIX, { prompt: "a", mask: [1] }, "/mask", "unsupported_parameter"],
  ])("%s: %j", async (model, body, pointer, kind) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", pathOf(tenant, model), body);
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]).toMatchObject({ code: 3003, kind, source: { pointer } });
    expect(await lines(tenant)).toEqual([]);
  });

  it.each(["9223372036854775807", "2147483648"])("names the range of a seed: %s", async (seed) => {
    const tenant = await aTenant();
    const body = `{"prompt":"a","seed":${seed}}`;
    const reply = await tenant.call("POST", pathOf(tenant, PHOENIX), body);
    expect(reply.body.errors[0]).toMatchObject({ source: { pointer: "/seed" } });
    expect(reply.body.errors[0].message).toContain("must be at most 2147483647");
  });

  it("is 5007 without a price", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", pathOf(tenant, DREAMSHAPER), { prompt: "a" });
    expect(reply.body.errors[0]).toMatchObject({ code: 5007, kind: "unpriced_model" });
  });
});
