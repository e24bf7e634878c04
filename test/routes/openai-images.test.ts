import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPicture } from "../../src/engines/picture.ts";
import { admitDearCalls, ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { askedFor, unique } from "./scripted.ts";
import { failingBucket, fetchBytes, storedKeys } from "./stored-pictures.ts";

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const PHOENIX = "@cf/leonardo/phoenix-1.0";
const PROMPT = "A red boat on a quiet lake";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`openai-images-${made}`, settings);
};

beforeEach(admitDearCalls);
afterEach(() => reset());

const path = "/v1/images/generations";
const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("POST /v1/images/generations", () => {
  it("gives the pictures inside the reply and stores nothing, to who asks for b64_json", async () => {
    const tenant = await aTenant();
    const body = { prompt: PROMPT, model: PHOENIX, n: 3, size: "640x512" };
    const asItComes = { output_format: "png", output_compression: 100 };
    const wish = { ...body, ...asItComes, response_format: "b64_json" };
    const reply = await tenant.call("POST", path, wish);
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.body)).toEqual(["created", "data", "output_format", "neurogate"]);
    expect(Math.abs(reply.body.created - Date.now() / 1000)).toBeLessThan(60);
    expect(reply.body.output_format).toBe("png");
    expect(reply.body.data).toHaveLength(3);
    for (const item of reply.body.data) {
      expect(Object.keys(item)).toEqual(["b64_json"]);
      const picture = readPicture(Uint8Array.fromBase64(item.b64_json));
      expect(picture).toMatchObject({ format: "png", width: 640, height: 512 });
    }
    // 2 tiles of 530 and 25 steps of 10, three times
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 3_930_000_000,
      basis: "counted",
      engine: "embedded",
      model: "neurogate/placard@1",
      priced_as: PHOENIX,
      requested: 3,
      failed: 0,
      ids: [],
    });
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("3930000000");
    expect(reply.headers.get("x-ratelimit-remaining-requests")).toBe("299");
    expect(await storedKeys()).toEqual([]);
  });

  it("gives links by default, and stores what they open", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, n: 2, user: "u_1" });
    expect(reply.body.data.map(Object.keys)).toEqual([["url"], ["url"]]);
    expect(reply.body.neurogate).toMatchObject({ priced_as: SCHNELL, micro_neurons: 115_200_000 });
    for (const [at, { url }] of reply.body.data.entries()) {
      expect(url).toContain(reply.body.neurogate.ids[at]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await fetchBytes(url)).status).toBe(200);
    }
    const [id] = reply.body.neurogate.ids;
    const { body } = await tenant.call("GET", `/v1/images/${id}/metadata`);
    expect(body).toMatchObject({ prompt: PROMPT, user_id: "u_1", style: null });
    expect(await lines(tenant)).toMatchObject([{ user_id: "u_1", micro_neurons: 115_200_000 }]);
  });

  it("puts a style into the prompt and says what was sent", async () => {
    const tenant = await aTenant();
    const id = unique();
    const body = { prompt: `A boat ${id}`, style: "vivid", response_format: "b64_json" };
    const reply = await tenant.onWorkersAi("POST", path, body);
    const sent = `A boat ${id}, hyper-real and dramatic`;
    expect(reply.body.data[0].revised_prompt).toBe(sent);
    expect(await askedFor(id)).toMatchObject([{ inputs: { prompt: sent } }]);
  });

  it.each([
    ["low", 13],
    ["standard", 25],
    ["auto", 25],
    ["hd", 50],
  ])("takes the quality %s as %d steps", async (quality, steps) => {
    const tenant = await aTenant();
    const body = { prompt: PROMPT, model: PHOENIX, size: "512x512", quality };
    const reply = await tenant.call("POST", path, body);
    // 1 tile of 530 and the steps of 10
    expect(reply.body.neurogate.micro_neurons).toBe(530_000_000 + steps * 10_000_000);
  });

  it("takes null for what is not given, as OpenAI does, and ignores what it does not know", async () => {
    const tenant = await aTenant();
    const nothing = { model: null, n: null, size: null, response_format: null, quality: null };
    const more = { style: null, background: null, moderation: "low", stream: false, new_field: 1 };
    const reply = await tenant.call("POST", path, { prompt: PROMPT, ...nothing, ...more });
    expect(reply.status).toBe(200);
    expect(reply.body.data).toHaveLength(1);
  });

  it.each([
    [{ n: 9 }, "n"],
    [{ n: 0 }, "n"],
    [{ n: 1.5 }, "n"],
    [{ prompt: "" }, "prompt"],
    [{ prompt: 5 }, "prompt"],
    [{ prompt: "a".repeat(2049) }, "prompt"],
    [{ size: "big" }, "size"],
    [{ size: "1024" }, "size"],
    [{ size: "0x0" }, "size"],
    [{ model: KLEIN, size: "255x512" }, "size"],
    [{ model: KLEIN, size: "512x1921" }, "size"],
    [{ response_format: "jpeg" }, "response_format"],
    [{ quality: "best" }, "quality"],
    [{ model: "@cf/microsoft/resnet-50" }, "model"],
  ])("refuses %j, naming the field", async (wish, param) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, ...wish });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ type: "invalid_request_error", param });
    expect(await lines(tenant)).toEqual([]);
  });

  it.each([
    [{ size: "512x512" }, "size"],
    [{ background: "transparent" }, "background"],
    [{ output_format: "webp" }, "output_format"],
    [{ output_compression: 50 }, "output_compression"],
    [{ stream: true }, "stream"],
    [{ partial_images: 2 }, "partial_images"],
    [{ complexity: "high" }, "complexity"],
    [{ frame_count: 9 }, "frame_count"],
    [{ frame_duration_ms: 100 }, "frame_duration_ms"],
    [{ svg: {} }, "svg"],
  ])("does not pretend to do %j", async (wish, param) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { prompt: PROMPT, ...wish });
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ code: "unsupported_parameter", param });
    expect(await lines(tenant)).toEqual([]);
  });

  it("keeps a reply with links for a repeated idempotency key, and runs no long one again", async () => {
    const tenant = await aTenant();
    const post = (key: string, body: object) =>
      tenant.onWorkersAi("POST", path, { prompt: PROMPT, ...body }, { "Idempotency-Key": key });
    const first = await post("k1", {});
    const again = await post("k1", {});
    expect(again.body).toEqual(first.body);
    const prompt = `A boat [[fake:large_picture|${unique()}]]`;
    const large = () => post("k2", { prompt, response_format: "b64_json" });
    expect((await large()).status).toBe(200);
    const repeated = await large();
    expect([repeated.status, repeated.body.error.kind]).toEqual([
      409,
      "idempotency_replay_unavailable",
    ]);
    expect(await lines(tenant)).toHaveLength(2);
  });

  it("is refused beyond the quota before anything is made", async () => {
    const tenant = await aTenant({ daily_neurons: 100 });
    expect((await tenant.call("POST", path, { prompt: PROMPT })).status).toBe(200);
    const reply = await tenant.call("POST", path, { prompt: PROMPT });
    expect([reply.status, reply.body.error.code]).toEqual([429, "insufficient_quota"]);
    expect((await tenant.call("POST", path, { prompt: PROMPT, n: 2 })).body.error.kind).toBe(
      "over_limit",
    );
  });

  it("tells a user of its day's pictures in this shape too", async () => {
    const tenant = await aTenant({ daily_images_per_user: 1 });
    const post = () => tenant.call("POST", path, { prompt: PROMPT, safety_identifier: "u" });
    expect((await post()).status).toBe(200);
    const { status, body, headers } = await post();
    expect(status).toBe(429);
    expect(body.error).toMatchObject({
      type: "requests",
      code: "rate_limit_exceeded",
      kind: "rate_limited",
    });
    expect(body.error.resets_at).toMatch(/T00:00:00\.000Z$/);
    expect(headers.get("x-should-retry")).toBe("false");
  });

  it("answers with b64_json where the bucket is not asked for, or not there", async () => {
    const tenant = await aTenant();
    const post = (body: object, env: object) =>
      ask("POST", path, { key: tenant.key, body: { prompt: PROMPT, ...body }, env: { ...env } });
    const broken = { ...WORKERS_AI, ...failingBucket(/./, 99) };
    const inside = await post({ response_format: "b64_json" }, broken);
    expect(inside.status).toBe(200);
    const lost = await post({ response_format: "url" }, broken);
    expect([lost.status, lost.body.error.kind]).toEqual([502, "engine_failed"]);
    expect(lost.body.error.message).toContain("could not be stored");
    expect(lost.headers.get("x-should-retry")).toBe("false");
    const none = { ...WORKERS_AI, IMAGES: undefined };
    expect(Object.keys((await post({}, none)).body.data[0])).toEqual(["b64_json"]);
    const refused = await post({ response_format: "url" }, none);
    expect([refused.status, refused.body.error.code]).toEqual([501, "engine_unsupported"]);
    expect(await lines(tenant)).toHaveLength(3);
  });
});
