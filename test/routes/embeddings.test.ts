import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ask, makeTenant, type TestTenant } from "../client.ts";

const SMALL = "@cf/baai/bge-small-en-v1.5";
const BASE = "@cf/baai/bge-base-en-v1.5";
const TEXTS = ["The cat sat on the mat.", "A cat sits on mats.", "Interest rates rose again."];

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`embed-${made}`, settings);
};

afterEach(() => reset());

const path = "/v1/embeddings";

const cosine = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, at) => total + value * (b[at] ?? 0), 0);

describe("POST /v1/embeddings with the embedded engine", () => {
  it("gives a vector of unit length for each text, near where words are shared", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { model: SMALL, input: TEXTS });
    expect(reply.status).toBe(200);
    const [a, b, c] = reply.body.data.map((item: { embedding: number[] }) => item.embedding);
    expect([a.length, b.length, c.length]).toEqual([384, 384, 384]);
    expect(Math.hypot(...a)).toBeCloseTo(1, 9);
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, c) + 0.2);
    expect(reply.body).toMatchObject({
      object: "list",
      model: SMALL,
      neurogate: { engine: "embedded", model: "neurogate/hashing@1", priced_as: SMALL },
    });
  });

  it("costs the estimate of its tokens, in one line", async () => {
    const tenant = await aTenant();
    // 23 bytes and up to 4 special tokens: held at 27, estimated at 4 + 12 = 16 tokens of 1,841 uN.
    const reply = await tenant.call("POST", path, { model: SMALL, input: TEXTS[0] });
    expect(reply.body.usage).toEqual({ prompt_tokens: 16, total_tokens: 16 });
    expect(reply.body.neurogate).toMatchObject({ micro_neurons: 29_456, basis: "estimated" });
    expect(reply.headers.get("x-neurogate-micro-neurons")).toBe("29456");
    const { body } = await tenant.call("GET", "/v1/ledger");
    expect(body.data).toMatchObject([
      {
        outcome: "posted",
        route: "POST /v1/embeddings",
        held_micro_neurons: 27 * 1841,
        micro_neurons: 29_456,
        verdict_id: null,
        items: [{ stage: "generate", model: "neurogate/hashing@1", units: { input_token: 16 } }],
      },
    ]);
  });

  it("gives base64 of 32-bit floats to who asks for it, as the official client does", async () => {
    const tenant = await aTenant();
    const embed = (encoding_format: string) =>
      tenant.call("POST", path, { model: SMALL, input: "one two", encoding_format });
    const [floats, base64] = await Promise.all([embed("float"), embed("base64")]);
    const bytes = Uint8Array.fromBase64(base64.body.data[0].embedding);
    const decoded = [...new Float32Array(bytes.buffer)];
    expect(decoded).toEqual(
      floats.body.data[0].embedding.map((value: number) => Math.fround(value)),
    );
  });

  it("is kept for a repeated idempotency key, and charged once", async () => {
    const tenant = await aTenant();
    const embed = (input: string) =>
      tenant.call("POST", path, { model: SMALL, input }, { "Idempotency-Key": "e1" });
    const first = await embed("hello there");
    const again = await embed("hello there");
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await embed("another text")).status).toBe(422);
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toHaveLength(1);
  });

  it("does not run again what was too long to keep", async () => {
    const tenant = await aTenant();
    const input = Array.from({ length: 100 }, (_, at) => `text ${at} of many`);
    const embed = () =>
      tenant.call("POST", path, { model: BASE, input }, { "Idempotency-Key": "e2" });
    expect((await embed()).status).toBe(200);
    const again = await embed();
    expect(again.status).toBe(409);
    expect(again.body.error).toMatchObject({ kind: "idempotency_replay_unavailable" });
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toHaveLength(1);
  });

  it("takes an alias and falls back to nothing that is of another kind", async () => {
    const tenant = await aTenant({
      aliases: { "text-embedding-3-small": SMALL },
      fallbacks: { [SMALL]: ["@cf/microsoft/resnet-50", BASE] },
    });
    const reply = await tenant.call("POST", path, { model: "text-embedding-3-small", input: "hi" });
    expect(reply.body.model).toBe(SMALL);
    // The hold is the dearer one's: 6 tokens of 6,058.
    const { body } = await tenant.call("GET", "/v1/ledger");
    expect(body.data[0].held_micro_neurons).toBe(6 * 6058);
  });

  it.each([
    [{ model: SMALL }, 400, "input"],
    [{ model: SMALL, input: [] }, 400, "input"],
    [{ model: SMALL, input: "" }, 400, "input"],
    [{ model: SMALL, input: [1, 2, 3] }, 400, "input"],
    [{ model: SMALL, input: "a", dimensions: 64 }, 400, "dimensions"],
    [{ model: "@cf/microsoft/resnet-50", input: "a" }, 400, "model"],
    [{ model: "no-such-model", input: "a" }, 404, "model"],
    [{ model: "@cf/google/embeddinggemma-300m", input: "a" }, 400, "model"],
  ])("refuses %j, naming the field", async (body, status, param) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, body);
    expect(reply.status).toBe(status);
    expect(reply.body.error.param).toMatch(new RegExp(`^${param}`));
    expect((await tenant.call("GET", "/v1/ledger")).body.data).toEqual([]);
  });

  it.each([
    { encoding_format: null, dimensions: null, user: null },
    { dimensions: 384 },
    { user: "", safety_identifier: "" },
  ])("takes what changes nothing: %j", async (more) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, { model: SMALL, input: "a", ...more });
    expect(reply.status).toBe(200);
    expect(reply.body.data[0].embedding).toHaveLength(384);
    expect((await tenant.call("GET", "/v1/ledger")).body.data[0].user_id).toBeNull();
  });

  it("is refused beyond the quota, and charges nothing", async () => {
    const tenant = await aTenant({ daily_neurons: 0.01 });
    const reply = await tenant.call("POST", path, { model: SMALL, input: TEXTS });
    expect(reply.status).toBe(400);
    expect(reply.body.error.kind).toBe("over_limit");
  });
});

describe("POST /v1/embeddings with Workers AI", () => {
  it("gives what the model gave, at the estimate", async () => {
    const tenant = await aTenant();
    const reply = await tenant.onWorkersAi("POST", path, { model: SMALL, input: ["abc", "de"] });
    expect(reply.body.data.map((item: { embedding: number[] }) => item.embedding)).toEqual([
      [3, 0.5, -0.25, 0],
      [2, 0.5, -0.25, 0],
    ]);
    expect(reply.body.neurogate).toMatchObject({ engine: "workers-ai", basis: "estimated" });
  });

  it.each([
    ["3040", 503, "engine_busy", "voided"],
    ["5007", 502, "engine_failed", "voided"],
    ["3036", 429, "account_quota_exceeded", "voided"],
    ["500", 502, "engine_failed", "posted"],
    ["3007", 504, "engine_timeout", "posted"],
    ["ragged", 502, "engine_failed", "posted"],
    ["short", 502, "engine_failed", "posted"],
    ["text_vector", 502, "engine_failed", "posted"],
  ])("tells of %s, and charges what may have run", async (behaviour, status, kind, outcome) => {
    const tenant = await aTenant();
    const input = [`[[fake:${behaviour}|${crypto.randomUUID()}]]`, "x"];
    const reply = await tenant.onWorkersAi("POST", path, { model: SMALL, input });
    expect(reply.status).toBe(status);
    expect(reply.body.error.kind).toBe(kind);
    const { body } = await tenant.call("GET", "/v1/ledger");
    expect(body.data).toMatchObject([{ outcome }]);
    const [line] = body.data;
    expect(line.micro_neurons).toBe(outcome === "voided" ? 0 : line.held_micro_neurons);
    const retry = reply.headers.get("x-should-retry");
    expect(retry).toBe(kind === "engine_busy" ? null : "false");
  });

  it("asks the fallback when the model was refused before it ran, at its price", async () => {
    const tenant = await aTenant({ fallbacks: { [SMALL]: [BASE] } });
    const input = `[[fake:3040,3040,ok|${crypto.randomUUID()}]]`;
    const reply = await tenant.onWorkersAi("POST", path, { model: SMALL, input });
    expect(reply.body.model).toBe(BASE);
    expect(reply.body.neurogate.priced_as).toBe(BASE);
  });
});

describe("POST /v1/embeddings with an OpenAI-compatible server", () => {
  const server = {
    INFERENCE: "openai",
    OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
    OPENAI_MODELS: JSON.stringify({ [SMALL]: "nomic-embed" }),
  };

  it("asks the model that stands in, at the tokens that it reports", async () => {
    const tenant = await aTenant();
    const body = { model: SMALL, input: ["abc", "de"] };
    const reply = await ask("POST", path, { key: tenant.key, body, env: server });
    expect(reply.body.data.map(({ embedding }: { embedding: number[] }) => embedding[0])).toEqual([
      3, 2,
    ]);
    expect(reply.body.neurogate).toMatchObject({
      micro_neurons: 7 * 1841,
      basis: "measured",
      model: "nomic-embed",
      priced_as: SMALL,
    });
  });

  it("does not pretend for a model that it was not given", async () => {
    const tenant = await aTenant();
    const body = { model: BASE, input: "abc" };
    const reply = await ask("POST", path, { key: tenant.key, body, env: server });
    expect(reply.status).toBe(501);
    expect(reply.body.error.kind).toBe("engine_unsupported");
  });
});
