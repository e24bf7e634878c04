import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { askedFor, unique } from "./scripted.ts";
import { storedKeys } from "./stored-pictures.ts";

const SCHNELL = "@cf/black-forest-labs/flux-1-schnell";
const KLEIN = "@cf/black-forest-labs/flux-2-klein-4b";
const PHOENIX = "@cf/leonardo/phoenix-1.0";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`varied-${made}`, settings);
};

afterEach(() => reset());

const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

async function aPicture(tenant: TestTenant, body: object): Promise<{ id: string; seed: number }> {
  const reply = await tenant.onWorkersAi("POST", "/v1/images", body);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body.data[0];
}

const vary = (tenant: TestTenant, id: string, body: object = {}) =>
  tenant.onWorkersAi("POST", `/v1/images/${id}/variations`, body);

describe("POST /v1/images/{id}/variations", () => {
  it("starts from the picture where its model can, and pays for it as one call", async () => {
    const tenant = await aTenant();
    const marker = unique();
    const wish = { model: KLEIN, width: 496, height: 496, style: "sketch", seed: 3, user_id: "u1" };
    const { id } = await aPicture(tenant, { prompt: `A boat ${marker}`, ...wish });
    const reply = await vary(tenant, id, { n: 2, metadata: { round: "2" } });
    // Twice 1 tile out of 26.05 and 1 in of 5.37
    expect(reply.body).toMatchObject({ micro_neurons: 62_840_000, requested: 2, basis: "counted" });
    expect(reply.body.data).toMatchObject(
      [0, 1].map(() => ({
        variation: { of: id, by: "picture" },
        width: 496,
        height: 496,
        style: "sketch",
        priced_as: KLEIN,
        user_id: "u1",
        metadata: { round: "2" },
      })),
    );
    const [, first] = await askedFor(marker);
    expect(first?.inputs).toMatchObject({ input_image_0: { bytes: expect.any(Number) } });
    const [line] = await lines(tenant);
    expect(line).toMatchObject({
      route: "POST /v1/images/{id}/variations",
      micro_neurons: 62_840_000,
    });
    expect(line.items).toMatchObject([{ units: { output_tile_512: 2, input_tile_512: 2 } }]);
    expect(await lines(tenant)).toHaveLength(2);
  });

  it("takes another seed where the picture is too large for its model to start from", async () => {
    const tenant = await aTenant();
    const { id, seed } = await aPicture(tenant, { prompt: "A boat", model: KLEIN });
    const reply = await vary(tenant, id);
    expect(reply.body.data).toMatchObject([
      { variation: { of: id, by: "seed" }, prompt: "A boat" },
    ]);
    expect(reply.body.data[0].seed).not.toBe(seed);
    expect(reply.body.micro_neurons).toBe(104_200_000);
  });

  it("keeps size and steps, and takes another prompt", async () => {
    const tenant = await aTenant();
    const wish = { prompt: "A boat", model: PHOENIX, width: 512, height: 512, steps: 5 };
    const { id } = await aPicture(tenant, { ...wish, negative_prompt: "fog" });
    const reply = await vary(tenant, id, { prompt: "A ship" });
    // 1 tile of 530 and 5 steps of 10
    expect(reply.body.micro_neurons).toBe(580_000_000);
    expect(reply.body.data).toMatchObject([
      { prompt: "A ship", negative_prompt: "fog", width: 512, steps: 5, variation: { by: "seed" } },
    ]);
  });

  it("asks again where the model takes neither picture nor seed", async () => {
    const tenant = await aTenant();
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    const reply = await vary(tenant, id);
    expect(reply.body.data).toMatchObject([
      { variation: { of: id, by: "prompt" }, seed: null, priced_as: SCHNELL },
    ]);
  });

  it("has no strength while no model that takes one is priced", async () => {
    const tenant = await aTenant();
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    const reply = await vary(tenant, id, { strength: 0.5 });
    expect([reply.status, reply.body.kind, reply.body.parameter]).toEqual([
      400,
      "unsupported_parameter",
      "strength",
    ]);
    expect(await lines(tenant)).toHaveLength(1);
  });

  it.each([
    [{ n: 9 }, "#/n"],
    [{ n: 0 }, "#/n"],
    [{ strength: 1.1 }, "#/strength"],
    [{ prompt: "" }, "#/prompt"],
    [{ prompt: "a".repeat(2049) }, "#/prompt"],
    [{ size: "1x1" }, "#/size"],
  ])("refuses %j, naming the field", async (body, pointer) => {
    const tenant = await aTenant();
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    const reply = await vary(tenant, id, body);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    expect(reply.body.errors[0].pointer).toBe(pointer);
  });

  it("varies nothing of another tenant's, and nothing that is gone", async () => {
    const [tenant, other] = await Promise.all([aTenant(), aTenant()]);
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    expect((await vary(other, id)).status).toBe(404);
    const [record] = await storedKeys(`${tenant.id}/1/image-calls/`);
    await env.IMAGES.delete(record ?? "");
    expect((await vary(tenant, id)).status).toBe(404);
    expect(await lines(other)).toEqual([]);
  });

  it("counts for the person of the picture, who cannot have more by varying", async () => {
    const tenant = await aTenant({ daily_images_per_user: 2 });
    const { id } = await aPicture(tenant, { prompt: "A boat", user_id: "u1" });
    expect((await vary(tenant, id)).status).toBe(200);
    const reply = await vary(tenant, id);
    expect([reply.status, reply.body["violated-policies"]]).toEqual([
      429,
      ["daily_images_per_user"],
    ]);
  });

  it("does not read a record of another form", async () => {
    const tenant = await aTenant();
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    const [record] = await storedKeys(`${tenant.id}/1/image-calls/`);
    await env.IMAGES.put(record ?? "", JSON.stringify({ version: 2 }));
    expect((await vary(tenant, id)).status).toBe(404);
    expect((await tenant.call("GET", `/v1/images/${id}/metadata`)).status).toBe(404);
  });

  it("takes another seed with an OpenAI-compatible server, which starts from no picture", async () => {
    const tenant = await aTenant();
    const server = {
      INFERENCE: "openai",
      OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
      OPENAI_MODELS: JSON.stringify({ [KLEIN]: "sd-local" }),
    };
    const body = { prompt: "A boat", model: KLEIN, width: 496, height: 496 };
    const first = await ask("POST", "/v1/images", { key: tenant.key, body, env: server });
    const { id } = first.body.data[0];
    const path = `/v1/images/${id}/variations`;
    const reply = await ask("POST", path, { key: tenant.key, body: {}, env: server });
    expect(reply.body.data).toMatchObject([{ variation: { by: "seed" }, engine: "openai" }]);
  });

  it("is repeated for a repeated idempotency key of the same picture, and of no other", async () => {
    const tenant = await aTenant();
    const [one, two] = await Promise.all([
      aPicture(tenant, { prompt: "A boat" }),
      aPicture(tenant, { prompt: "A ship" }),
    ]);
    const post = (id: string) =>
      tenant.onWorkersAi("POST", `/v1/images/${id}/variations`, {}, { "Idempotency-Key": "v1" });
    const first = await post(one.id);
    expect((await post(one.id)).body).toEqual(first.body);
    const other = await post(two.id);
    expect([other.status, other.body.kind]).toEqual([422, "idempotency_key_reused"]);
    expect(await lines(tenant)).toHaveLength(3);
  });

  it("has no place in a deployment without a bucket", async () => {
    const tenant = await aTenant();
    const { id } = await aPicture(tenant, { prompt: "A boat" });
    const none = { env: { ...WORKERS_AI, IMAGES: undefined }, key: tenant.key };
    const path = `/v1/images/${id}`;
    expect((await ask("POST", `${path}/variations`, { ...none, body: {} })).status).toBe(501);
    expect((await ask("GET", path, none)).status).toBe(404);
    expect((await ask("GET", `${path}/metadata`, none)).status).toBe(404);
  });
});
