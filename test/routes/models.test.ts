import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { CATALOGUE } from "../../src/domain/catalogue/catalogue.ts";
import { ask, makeTenant, type TestTenant } from "../client.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const RETIRED = "@cf/meta/llama-3-8b-instruct";
const PAID = "@cf/zai-org/glm-5.2";
const UNPRICED = "@cf/google/embeddinggemma-300m";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`models-${made}`, settings, "call");
};

afterEach(() => reset());

const ids = (reply: { body: { data: { id: string }[] } }): string[] =>
  reply.body.data.map(({ id }) => id);

describe("GET /v1/models", () => {
  it("lists what may be called, with price, limits and task", async () => {
    const tenant = await aTenant({ rpm: { text_generation: 40 } });
    const reply = await tenant.call("GET", "/v1/models");
    expect(ids(reply)).toContain(LLAMA);
    for (const absent of [RETIRED, PAID, UNPRICED]) expect(ids(reply)).not.toContain(absent);
    expect(reply.body.data.find(({ id }: { id: string }) => id === LLAMA)).toEqual({
      id: LLAMA,
      object: "model",
      created: Date.UTC(2026, 8, 1) / 1000,
      owned_by: "meta",
      neurogate: {
        task: "text_generation",
        prices: { input_token: 13_778, output_token: 26_128 },
        limits: {
          rate_class: "text_generation",
          rpm: 40,
          context_tokens: 32_000,
          max_output_tokens: 32_000,
        },
        usable: true,
        refused_as: null,
        requires_workers_paid: false,
        retired_on: null,
        replacement: null,
        alias_of: null,
      },
    });
  });

  it("marks the others where all are asked for", async () => {
    const tenant = await aTenant({ models: [LLAMA, RETIRED, UNPRICED, PAID] });
    expect(ids(await tenant.call("GET", "/v1/models"))).toEqual(["auto", LLAMA]);
    const all = await tenant.call("GET", "/v1/models?include=all");
    expect(all.body.data).toHaveLength(CATALOGUE.size + 1);
    const told = new Map<string, { usable: boolean; refused_as: string | null }>(
      all.body.data.map((one: { id: string; neurogate: never }) => [one.id, one.neurogate]),
    );
    expect(told.get(LLAMA)).toMatchObject({ usable: true, refused_as: null });
    expect(told.get(RETIRED)).toMatchObject({ usable: false, refused_as: "model_retired" });
    expect(told.get(UNPRICED)).toMatchObject({ usable: false, refused_as: "unpriced_model" });
    expect(told.get(PAID)).toMatchObject({ usable: false, refused_as: "model_not_allowed" });
    expect(told.get("@cf/baai/bge-m3")).toMatchObject({ refused_as: "model_not_allowed" });
  });

  it("takes the platform's plan and prices", async () => {
    const tenant = await aTenant();
    const env = {
      CLOUDFLARE_PLAN: "paid",
      PRICES: JSON.stringify({ [UNPRICED]: { input_token: 7 } }),
    };
    const reply = await ask("GET", "/v1/models", { key: tenant.key, env });
    expect(ids(reply)).toEqual(expect.arrayContaining([PAID, UNPRICED]));
    const priced = reply.body.data.find(({ id }: { id: string }) => id === UNPRICED);
    expect(priced.neurogate.prices).toEqual({ input_token: 7 });
  });

  it("lists the tenant's aliases first, each with what it stands for", async () => {
    const tenant = await aTenant({ aliases: { "gpt-4o-mini": LLAMA, old: RETIRED, gpt: "auto" } });
    const reply = await tenant.call("GET", "/v1/models");
    expect(reply.body.data[0]).toMatchObject({
      id: "gpt-4o-mini",
      owned_by: tenant.id,
      neurogate: { alias_of: LLAMA, prices: { input_token: 13_778 } },
    });
    expect(ids(reply)).not.toContain("old");
    expect(reply.body.data.find(({ id }: { id: string }) => id === "gpt")).toMatchObject({
      owned_by: tenant.id,
      neurogate: { alias_of: "auto", prices: {}, usable: true },
    });
    const other = await aTenant();
    expect(ids(await other.call("GET", "/v1/models"))).not.toContain("gpt-4o-mini");
  });
});

describe("auto in the list", () => {
  it("is ours, without a price of its own, where any model that writes may run", async () => {
    const tenant = await aTenant({ models: [LLAMA, "@cf/baai/bge-m3"] });
    const { body } = await tenant.call("GET", "/v1/models/auto");
    expect(body).toMatchObject({ id: "auto", owned_by: "neurogate" });
    expect(body.neurogate).toMatchObject({ task: "text_generation", prices: {}, usable: true });
    const none = await aTenant({ models: ["@cf/baai/bge-m3", RETIRED] });
    expect(ids(await none.call("GET", "/v1/models"))).toEqual(["@cf/baai/bge-m3"]);
  });
});

describe("GET /v1/models/{id}", () => {
  it.each([encodeURIComponent(LLAMA), LLAMA.replaceAll("/", "%2f"), LLAMA])(
    "finds %s",
    async (id) => {
      const tenant = await aTenant();
      const reply = await tenant.call("GET", `/v1/models/${id}`);
      expect(reply.body).toMatchObject({ id: LLAMA, object: "model" });
    },
  );

  it("tells of a retired model, with its replacement", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("GET", `/v1/models/${encodeURIComponent(RETIRED)}`);
    expect(reply.body.neurogate).toMatchObject({
      usable: false,
      refused_as: "model_retired",
      retired_on: "2026-05-30",
      replacement: LLAMA,
    });
  });

  it("finds an alias, also one that hides a model", async () => {
    const tenant = await aTenant({ aliases: { [RETIRED]: LLAMA } });
    const reply = await tenant.call("GET", `/v1/models/${encodeURIComponent(RETIRED)}`);
    expect(reply.body.neurogate).toMatchObject({ usable: true, alias_of: LLAMA, retired_on: null });
  });

  it.each(["gpt-4o", "__proto__", "constructor", "@cf%2Fmeta"])("knows no %s", async (id) => {
    const tenant = await aTenant();
    const reply = await tenant.call("GET", `/v1/models/${id}`);
    expect(reply.status).toBe(404);
    expect(reply.body.error).toMatchObject({ kind: "model_not_found", param: "model" });
  });
});
