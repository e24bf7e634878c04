import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { makeTenant, type TestTenant } from "../client.ts";

const SMALL = "@cf/baai/bge-small-en-v1.5";
const BASE = "@cf/baai/bge-base-en-v1.5";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`quote-${made}`, settings);
};

afterEach(() => reset());

const quote = (tenant: TestTenant, path: string, body: unknown) =>
  tenant.call("POST", "/v1/quote", { path, body });

/** Every call that can be quoted, with a body of it. */
const CALLS: readonly (readonly [path: string, body: Readonly<Record<string, unknown>>])[] = [
  ["/v1/embeddings", { model: SMALL, input: ["The cat sat on the mat.", "ﷺ", "x"] }],
  [
    "/v1/chat/completions",
    { model: "auto", messages: [{ role: "user", content: "Say hello to Ann" }], n: 2 },
  ],
  // A tool as other clients write it, and a schema that goes into the prompt.
  [
    "/v1/chat/completions",
    {
      model: "auto",
      messages: [{ role: "user", content: "Say hello to Ann" }],
      tools: [{ type: "function", name: "greet", parameters: { type: "object", properties: {} } }],
    },
  ],
  [
    "/v1/chat/completions",
    {
      model: "auto",
      messages: [{ role: "user", content: "Say hello to Ann" }],
      guided_json: { type: "object", properties: { greeting: { type: "string" } } },
    },
  ],
  ["/v1/responses", { model: "auto", input: "Say hello to Ann", instructions: "Be brief." }],
  ["/v1/moderations", { input: ["You are all welcome here today", "and you"] }],
  ["/v1/verdicts", { text: "You are all welcome here today", user_id: "u1" }],
];

describe("POST /v1/quote", () => {
  it.each(CALLS)("is what %s then holds, and is never below what it costs", async (path, body) => {
    const tenant = await aTenant();
    const quoted = await quote(tenant, path, body);
    expect(quoted.status).toBe(200);
    expect(quoted.body).toMatchObject({ object: "quote", path, fits_today: true });
    expect((await tenant.call("POST", path, body)).status).toBe(200);
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(quoted.body.max_micro_neurons).toBe(line.held_micro_neurons);
    expect(line.micro_neurons).toBeLessThanOrEqual(quoted.body.max_micro_neurons);
    expect(line.micro_neurons).toBeGreaterThanOrEqual(quoted.body.min_micro_neurons);
    const sum = quoted.body.stages.reduce(
      (total: number, stage: { max_micro_neurons: number }) => total + stage.max_micro_neurons,
      0,
    );
    expect(sum).toBe(quoted.body.max_micro_neurons);
  });

  it("is exact for embeddings, by hand", async () => {
    const tenant = await aTenant();
    // 23 bytes and 4 special tokens: 27 held; 4 + 12 = 16 charged, at 1,841 uN.
    const { body } = await quote(tenant, "/v1/embeddings", {
      model: SMALL,
      input: "The cat sat on the mat.",
    });
    expect(body).toEqual({
      object: "quote",
      path: "/v1/embeddings",
      model: SMALL,
      min_micro_neurons: 16 * 1841,
      max_micro_neurons: 27 * 1841,
      min_neurons: 0.029456,
      max_neurons: 0.049707,
      fits_today: true,
      refused_as: null,
      available_micro_neurons: 10_000_000_000,
      max_tokens: null,
      stages: [
        {
          stage: "generate",
          input: "request",
          model: SMALL,
          fallbacks: [],
          units: { input_token: 27 },
          max_micro_neurons: 27 * 1841,
        },
      ],
    });
  });

  it("counts the cheapest model as the least, and the dearest as the most", async () => {
    const tenant = await aTenant({ fallbacks: { [BASE]: [SMALL] } });
    const { body } = await quote(tenant, "/v1/embeddings", { model: BASE, input: "hi" });
    expect(body.max_micro_neurons).toBe(6 * 6058);
    expect(body.min_micro_neurons).toBe(5 * 1841);
    expect(body.stages[0].fallbacks).toEqual([SMALL]);
  });

  it("holds nothing, charges nothing and takes no rate", async () => {
    const tenant = await aTenant({ rpm: { requests: 1 }, max_in_flight: 1 });
    const before = await tenant.call("GET", "/v1/limits");
    for (const [path, body] of [...CALLS, ...CALLS]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await quote(tenant, path, body)).status).toBe(200);
    }
    const after = await tenant.call("GET", "/v1/limits");
    expect({ ...after.body, resets_at: null }).toEqual({ ...before.body, resets_at: null });
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toEqual([]);
    expect((await tenant.call("GET", "/v1/refusals")).body.data).toEqual([]);
  });

  it("counts the turns that a response would continue", async () => {
    const tenant = await aTenant();
    const first = { model: "auto", input: "Say hello to Ann, and to all of her many friends" };
    const { body: said } = await tenant.call("POST", "/v1/responses", first);
    const next = { model: "auto", input: "Again" };
    const alone = await quote(tenant, "/v1/responses", next);
    const continued = { ...next, previous_response_id: said.id };
    const quoted = await quote(tenant, "/v1/responses", continued);
    expect(quoted.body.max_micro_neurons).toBeGreaterThan(alone.body.max_micro_neurons);
    expect((await tenant.call("POST", "/v1/responses", continued)).status).toBe(200);
    const [line] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect(quoted.body.max_micro_neurons).toBe(line.held_micro_neurons);
  });

  it("says that the day has no room, and how such a call would be refused", async () => {
    const tenant = await aTenant({ daily_neurons: 0.06 });
    const body = { model: SMALL, input: "The cat sat on the mat." };
    expect((await quote(tenant, "/v1/embeddings", body)).body).toMatchObject({ fits_today: true });
    await tenant.call("POST", "/v1/embeddings", body);
    // 0.06 - 0.029456 is less than the 0.049707 that the same call holds.
    expect((await quote(tenant, "/v1/embeddings", body)).body).toMatchObject({
      fits_today: false,
      refused_as: "quota_exceeded",
      available_micro_neurons: 30_544,
    });
    const long = { model: SMALL, input: "x".repeat(100) };
    expect((await quote(tenant, "/v1/embeddings", long)).body).toMatchObject({
      fits_today: false,
      refused_as: "over_limit",
    });
  });

  it("tells of a rate that is used up, which is not the day's matter", async () => {
    const tenant = await aTenant({ rpm: { requests: 1 } });
    const body = { model: SMALL, input: "hi" };
    await tenant.call("POST", "/v1/embeddings", body);
    expect((await quote(tenant, "/v1/embeddings", body)).body).toMatchObject({
      fits_today: true,
      refused_as: "rate_limited",
    });
  });

  it.each([
    ["/v1/embeddings", { model: SMALL }, 400, "#/body/input"],
    ["/v1/embeddings", { model: SMALL, input: ["a", ""] }, 400, "#/body/input/1"],
    ["/v1/embeddings", { model: "@cf/microsoft/resnet-50", input: "a" }, 400, "#/body/model"],
    ["/v1/embeddings", null, 400, "#/body"],
    ["/v1/embeddings", [], 400, "#/body"],
    ["/v1/moderations", { input: [] }, 400, "#/body/input"],
    [
      "/v1/moderations",
      { input: [{ type: "image_url", image_url: { url: "http://a.b/c" } }] },
      400,
      "#/body/input/0/image_url/url",
    ],
    ["/v1/verdicts", { text: "a", surprise: 1 }, 400, "#/body/surprise"],
    ["/v1/verdicts", { text: "a", policy: "nobody" }, 400, "#/body/policy"],
    ["/v1/chat/completions", { model: "auto", messages: [] }, 400, "#/body/messages"],
    ["/v1/responses", { model: "auto" }, 400, "#/body/input"],
    [
      "/v1/responses",
      { model: "auto", input: "a", previous_response_id: "resp_none" },
      400,
      "#/body/previous_response_id",
    ],
    [
      "/v1/responses",
      { model: "auto", input: [{ type: "function_call_output", call_id: "c", output: "a" }] },
      400,
      "#/body/input/0/call_id",
    ],
    [
      "/v1/chat/completions",
      { model: "auto", messages: [{ role: "user", content: "a" }], guided_regex: "a+" },
      400,
      "#/body/guided_regex",
    ],
    ["/v1/limits", {}, 400, "#/path"],
    ["/v1/quote", {}, 400, "#/path"],
  ])("refuses %s with %j as the route would", async (path, body, status, pointer) => {
    const tenant = await aTenant();
    const reply = await quote(tenant, path, body);
    expect(reply.status).toBe(status);
    expect(reply.body.errors[0].pointer).toBe(pointer);
    const direct = await tenant.call("POST", path, body);
    if (pointer !== "#/path") expect(direct.status).toBe(status);
  });

  it.each([
    [{ model: "no-such-model", input: "a" }, 403, "model_not_allowed"],
    [{ model: "@cf/meta/llama-3-8b-instruct", input: "a" }, 404, "model_retired"],
    [{ model: "@cf/google/embeddinggemma-300m", input: "a" }, 400, "unpriced_model"],
    [{ model: BASE, input: "a" }, 403, "model_not_allowed"],
  ])("refuses the model of %j as the route would", async (body, status, kind) => {
    const others = ["@cf/meta/llama-3-8b-instruct", "@cf/google/embeddinggemma-300m"];
    const tenant = await aTenant({ models: [SMALL, ...others] });
    const direct = await tenant.call("POST", "/v1/embeddings", body);
    const reply = await quote(tenant, "/v1/embeddings", body);
    expect([reply.status, reply.body.kind]).toEqual([status, kind]);
    expect([direct.status, direct.body.error.kind]).toEqual([status, kind]);
  });

  it("takes no more of a body than its route does", async () => {
    const tenant = await aTenant();
    const reply = await quote(tenant, "/v1/embeddings", {
      model: SMALL,
      input: "x".repeat(2 * 1024 * 1024),
    });
    expect(reply.status).toBe(413);
    expect(reply.body).toMatchObject({ kind: "body_too_large", limit_bytes: 2 * 1024 * 1024 });
  });

  it("wants a path and a body, and nothing else", async () => {
    const tenant = await aTenant();
    const none = await tenant.call("POST", "/v1/quote", { path: "/v1/embeddings" });
    expect(none.body.errors).toEqual([{ pointer: "#/body", detail: "is required" }]);
    const more = await tenant.call("POST", "/v1/quote", { path: "/v1/embeddings", body: {}, a: 1 });
    expect(more.body.errors).toEqual([{ pointer: "#/a", detail: "is not a known field" }]);
  });
});
