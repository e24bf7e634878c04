import { afterEach, describe, expect, it } from "vitest";
import { reset } from "cloudflare:test";
import { makeTenant, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const GRANITE = "@cf/ibm-granite/granite-4.0-h-micro";
const GLM = "@cf/zai-org/glm-4.7-flash";
const QWEN_CODER = "@cf/qwen/qwen2.5-coder-32b-instruct";
const RETIRED = "@cf/meta/llama-3-8b-instruct";
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let made = 0;
const aTenant = (settings = {}): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`auto-${made}`, settings);
};

afterEach(() => reset());

const path = "/v1/chat/completions";
const asking = (content: unknown, more: object = {}) => ({
  model: "auto",
  messages: [{ role: "user", content }],
  max_tokens: 100,
  ...more,
});
const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

describe("a chat that names auto", () => {
  it.each([
    ["Hello there", GRANITE, { task: "conversation", complexity: "low", length: "short", rule: 9 }],
    ["Write a python function that adds", GLM, { task: "code", rule: 2 }],
    ["Write a poem on rain", GEMMA, { task: "creative", rule: 8 }],
  ])("%s: is answered by %s, which says why", async (content, model, routing) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, asking(content));
    expect(reply.status).toBe(200);
    expect(reply.body.model).toBe(model);
    expect(reply.body.neurogate).toMatchObject({
      priced_as: model,
      routing: { model, policy: { name: "default", version: 1 }, ...routing },
    });
  });

  it("is held at the price of the model that was picked", async () => {
    const tenant = await aTenant();
    await tenant.call("POST", path, asking("Hello there"));
    const named = asking("Hello there", { model: GRANITE });
    const direct = await tenant.call("POST", path, named);
    expect(direct.body.neurogate).not.toHaveProperty("routing");
    const [second, first] = await lines(tenant);
    expect(first.held_micro_neurons).toBe(second.held_micro_neurons);
    // 11 bytes, 64 for the template and 16 for the message, at 1,542; 100 at 10,158.
    expect(first.held_micro_neurons).toBe((11 + 64 + 16) * 1542 + 100 * 10_158);
  });

  it("follows the tenant's table, its version named", async () => {
    const tenant = await aTenant({ aliases: { "gpt-4o-mini": "auto" } });
    const rules = [{ task: "code", models: [QWEN_CODER] }, { models: [LLAMA] }];
    await tenant.call("PUT", "/v1/policies/default", { routing: { rules } });
    const code = await tenant.call("POST", path, asking("fix this javascript"));
    expect(code.body.neurogate.routing).toMatchObject({ model: QWEN_CODER, rule: 0 });
    const chat = await tenant.call("POST", path, asking("Hi", { model: "gpt-4o-mini" }));
    expect(chat.body.neurogate.routing).toMatchObject({
      model: LLAMA,
      rule: 1,
      policy: { name: "default", version: 2 },
    });
  });

  it("passes over what the tenant may not use, and is refused where nothing is left", async () => {
    const tenant = await aTenant({ models: [LLAMA] });
    const reply = await tenant.call("POST", path, asking("Write a poem on rain"));
    expect(reply.body.neurogate.routing).toMatchObject({ model: LLAMA, rule: 11 });
    const none = await aTenant({ models: ["@cf/baai/bge-m3"] });
    const refused = await none.call("POST", path, asking("Hello"));
    expect(refused.status).toBe(403);
    expect(refused.body.error).toMatchObject({ kind: "model_not_allowed", param: "model" });
    expect(refused.body.error.message).toContain("No model of the routing table");
    expect(await lines(none)).toEqual([]);
  });

  it("passes over what cannot see, and what cannot hold the request", async () => {
    const tenant = await aTenant();
    const seen = [
      { type: "text", text: "Hello, what is this?" },
      { type: "image_url", image_url: { url: PIXEL } },
    ];
    const { body } = await tenant.call("POST", "/v1/quote", { path, body: asking(seen) });
    expect(body.model).toBe(GEMMA);
    const rules = [{ models: [LLAMA, GEMMA] }];
    await tenant.call("PUT", "/v1/policies/default", { routing: { rules } });
    const long = asking("x".repeat(70_000)); // about 35,000 tokens; llama holds 32,000
    expect((await tenant.call("POST", "/v1/quote", { path, body: long })).body.model).toBe(GEMMA);
  });

  it("falls back as set for auto, else for the model that was picked", async () => {
    const tenant = await aTenant({ fallbacks: { [GRANITE]: [LLAMA] } });
    const body = asking("Hello there");
    const picked = await tenant.call("POST", "/v1/quote", { path, body });
    expect(picked.body.stages[0]).toMatchObject({ model: GRANITE, fallbacks: [LLAMA] });
    const both = await aTenant({ fallbacks: { [GRANITE]: [LLAMA], auto: [GLM] } });
    const auto = await both.call("POST", "/v1/quote", { path, body });
    expect(auto.body.stages[0]).toMatchObject({ model: GRANITE, fallbacks: [GLM] });
  });

  it("names its model in the last chunk of a stream", async () => {
    const tenant = await aTenant();
    const stream = { stream: true, stream_options: { include_usage: true } };
    const reply = await tenant.call("POST", path, asking("Hello there", stream));
    expect(reply.status).toBe(200);
    const chunk = String(reply.body)
      .split("\n\n")
      .findLast((event) => event.includes('"usage":{'));
    const told = JSON.parse(String(chunk).replace("data: ", ""));
    expect(told).toMatchObject({ model: GRANITE, neurogate: { routing: { model: GRANITE } } });
  });

  it("is a model for chats alone", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", "/v1/embeddings", { model: "auto", input: "a" });
    expect(reply.status).toBe(404);
    expect(reply.body.error).toMatchObject({ kind: "model_not_found", param: "model" });
  });
});

describe("names that are no model", () => {
  it("a retired one says what to use, unless an alias says it", async () => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, asking("Hi", { model: RETIRED }));
    expect(reply.status).toBe(404);
    expect(reply.body.error).toMatchObject({ kind: "model_retired", param: "model" });
    expect(reply.body.error.message).toContain(LLAMA);
    const other = await aTenant({ aliases: { [RETIRED]: GLM } });
    const answered = await other.call("POST", path, asking("Hi", { model: RETIRED }));
    expect(answered.body.model).toBe(GLM);
  });

  it.each(["constructor", "__proto__", "toString"])("%s is not found", async (model) => {
    const tenant = await aTenant();
    const reply = await tenant.call("POST", path, asking("Hi", { model }));
    expect([reply.status, reply.body.error.kind]).toEqual([404, "model_not_found"]);
  });
});

describe("a prompt with fewer blanks", () => {
  const spaced = "Tell   me   of   rain.\n\n\n\nThen `a  b`.";
  const compact = "Tell me of rain.\n\nThen `a  b`.";
  const saved = spaced.length - compact.length;
  const body = asking(spaced, { model: LLAMA });
  const on = { "x-neurogate-compact": "true" };

  it("is held for what is sent, and says what that saved", async () => {
    const tenant = await aTenant();
    const plain = await tenant.call("POST", path, body);
    expect(plain.body.neurogate).not.toHaveProperty("compaction");
    const reply = await tenant.call("POST", path, body, on);
    expect(reply.body.neurogate.compaction).toEqual({ saved_tokens_at_most: saved });
    const [second, first] = await lines(tenant);
    expect(first.held_micro_neurons - second.held_micro_neurons).toBe(saved * 13_778);
  });

  it("is on where the tenant has set so, and off where a call says no", async () => {
    const tenant = await aTenant({ compact_prompts: true });
    const reply = await tenant.call("POST", path, body);
    expect(reply.body.neurogate.compaction).toEqual({ saved_tokens_at_most: saved });
    const off = await tenant.call("POST", path, body, { "x-neurogate-compact": "false" });
    expect(off.body.neurogate).not.toHaveProperty("compaction");
    const tight = await tenant.call("POST", path, asking(compact, { model: LLAMA }));
    expect(tight.body.neurogate).not.toHaveProperty("compaction");
  });

  it("counts in a quote as in the call", async () => {
    const tenant = await aTenant();
    const quote = (headers: Record<string, string>) =>
      tenant.call("POST", "/v1/quote", { path, body }, headers);
    const [plain, less] = [await quote({}), await quote(on)];
    expect(plain.body.max_micro_neurons - less.body.max_micro_neurons).toBe(saved * 13_778);
  });

  it("is what the engine is sent, and data of tools is not touched", async () => {
    const tenant = await aTenant();
    const id = unique();
    const call = { id: "c1", type: "function", function: { name: "f", arguments: "{ }" } };
    const messages = [
      { role: "user", content: `one    two ${id}` },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: `a    b ${id}` },
    ];
    const only = { ...asking("", { model: GEMMA }), messages };
    const reply = await tenant.onWorkersAi("POST", path, only, on);
    expect(reply.body.neurogate.compaction).toEqual({ saved_tokens_at_most: 3 });
    expect(await askedAbout(`one two ${id}`)).toEqual([GEMMA]);
    expect(await askedAbout(`one    two ${id}`)).toEqual([]);
    expect(await askedAbout(`a    b ${id}`)).toEqual([GEMMA]);
  });
});
