import { afterEach, describe, expect, it, vi } from "vitest";
import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { admin, ask, makeTenant, type Reply, type TestTenant } from "../client.ts";
import { askedAbout, unique } from "./scripted.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const SMALL = "@cf/baai/bge-small-en-v1.5";
const BASE = "@cf/baai/bge-base-en-v1.5";
const ON = { cache_ttl_s: 3600 };

let made = 0;
const aTenant = (settings: object = ON): Promise<TestTenant> => {
  made += 1;
  return makeTenant(`cache-${made}`, { ...settings });
};

afterEach(async () => {
  vi.useRealTimers();
  await reset();
});

const embeddings = "/v1/embeddings";
const chat = "/v1/chat/completions";
const told = ({ headers }: Reply): string | null => headers.get("x-neurogate-cache");
const lines = async (tenant: TestTenant) => (await tenant.call("GET", "/v1/ledger")).body.data;

const mode = (cache: string) => ({ "x-neurogate-cache": cache });
const input = (behaviour: string) => `[[fake:${behaviour}|${unique()}]]`;

const embed = (tenant: TestTenant, headers = {}) =>
  tenant.call("POST", embeddings, { model: SMALL, input: "hello" }, headers);

const question = (more: object = {}) => ({
  model: LLAMA,
  messages: [{ role: "user", content: "Where is the harbour? It is in Ostrel." }],
  temperature: 0,
  max_tokens: 50,
  ...more,
});

describe("an answer that is given again", () => {
  it.each([
    ["embeddings", embeddings, { model: SMALL, input: ["one", "two"] }, "data"],
    ["a chat", chat, question({ n: 2 }), "choices"],
  ])("of %s costs nothing, has its line and says so", async (_, path, body, part) => {
    const tenant = await aTenant();
    const first = await tenant.call("POST", path, body);
    const again = await tenant.call("POST", path, body);
    expect([told(first), told(again)]).toEqual(["miss", "hit"]);
    expect(again.body[part]).toEqual(first.body[part]);
    expect(again.headers.get("x-neurogate-micro-neurons")).toBe("0");
    expect(again.headers.get("x-neurogate-engine")).toBe("cache");
    expect(again.body.neurogate).toMatchObject({
      micro_neurons: 0,
      basis: "measured",
      engine: "cache",
      model: first.body.neurogate.model,
    });
    const [second, paid] = await lines(tenant);
    expect(paid.micro_neurons).toBeGreaterThan(0);
    expect(second).toMatchObject({
      outcome: "posted",
      micro_neurons: 0,
      held_micro_neurons: paid.held_micro_neurons,
      items: [
        { stage: "generate", engine: "cache", units: {}, micro_neurons: 0, basis: "measured" },
      ],
    });
    const limits = await tenant.call("GET", "/v1/limits");
    expect(limits.body.posted_micro_neurons).toBe(paid.micro_neurons);
    expect((await tenant.call("GET", "/v1/invariants")).body.holds).toBe(true);
  });

  it("is not asked of the engine", async () => {
    const tenant = await aTenant();
    const text = `nothing new ${unique()}`;
    const again = () => tenant.onWorkersAi("POST", embeddings, { model: SMALL, input: text });
    expect([told(await again()), told(await again())]).toEqual(["miss", "hit"]);
    expect(await askedAbout(text)).toHaveLength(1);
  });

  it("is refused like any other call where quota, rate or tenant say no", async () => {
    const tenant = await aTenant({ ...ON, rpm: { requests: 2 } });
    const body = { model: SMALL, input: "hello" };
    await tenant.call("POST", embeddings, body);
    expect(told(await tenant.call("POST", embeddings, body))).toBe("hit");
    const third = await tenant.call("POST", embeddings, body);
    expect(third.body.error.kind).toBe("rate_limited");
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { suspended: true });
    expect((await tenant.call("POST", embeddings, body)).body.error.kind).toBe("tenant_suspended");
  });

  it("is kept for a repeated idempotency key as well", async () => {
    const tenant = await aTenant();
    const body = { model: SMALL, input: "hello" };
    await tenant.call("POST", embeddings, body);
    const key = { "Idempotency-Key": "k1" };
    const hit = await tenant.call("POST", embeddings, body, key);
    const replay = await tenant.call("POST", embeddings, body, key);
    expect(replay.headers.get("idempotency-replayed")).toBe("true");
    expect(replay.body).toEqual(hit.body);
    expect(await lines(tenant)).toHaveLength(2);
  });
});

describe("what is not given again", () => {
  it("anything, where the tenant has not turned it on", async () => {
    const tenant = await aTenant({});
    await embed(tenant);
    expect(told(await embed(tenant))).toBeNull();
    expect((await env.CACHE.list()).keys).toEqual([]);
  });

  it("another tenant's answer", async () => {
    const [a, b] = [await aTenant(), await aTenant()];
    await embed(a);
    expect([told(await embed(b)), told(await embed(a))]).toEqual(["miss", "hit"]);
  });

  it("an answer of an earlier life of the tenant", async () => {
    const tenant = await aTenant();
    await embed(tenant);
    await admin("DELETE", `/admin/tenants/${tenant.id}`);
    const next = await makeTenant(tenant.id, ON);
    expect([told(await embed(next)), told(await embed(next))]).toEqual(["miss", "hit"]);
  });

  it("an answer past its time, or past the time that holds now", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    const tenant = await aTenant();
    await embed(tenant);
    vi.setSystemTime(start + 3_599_000);
    expect(told(await embed(tenant))).toBe("hit");
    vi.setSystemTime(start + 3_600_000);
    expect(told(await embed(tenant))).toBe("miss");
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { cache_ttl_s: 10 });
    vi.setSystemTime(start + 3_611_000);
    expect(told(await embed(tenant))).toBe("miss");
    await admin("PATCH", `/admin/tenants/${tenant.id}`, { cache_ttl_s: 0 });
    expect(told(await embed(tenant))).toBeNull();
  });

  it("by a call that skips the cache, or refreshes what it holds", async () => {
    const tenant = await aTenant();
    expect(told(await embed(tenant, mode("skip")))).toBe("miss");
    expect(told(await embed(tenant))).toBe("miss");
    expect(told(await embed(tenant, mode("refresh")))).toBe("miss");
    expect(told(await embed(tenant, mode("anything else")))).toBe("hit");
    expect(told(await embed(tenant, mode("skip")))).toBe("miss");
  });

  it("an answer to another question, whatever differs in it", async () => {
    const tenant = await aTenant({ ...ON, cache_max_temperature: 2, rpm: { requests: 1000 } });
    const others: readonly object[] = [
      question(),
      question({ model: GEMMA }),
      question({ temperature: 0.1 }),
      question({ max_tokens: 51 }),
      question({ n: 2 }),
      question({ top_p: 0.5 }),
      question({ seed: 1 }),
      question({ seed: 2 }),
      question({ stop: "x" }),
      question({ stop: ["x"] }),
      question({ presence_penalty: 1 }),
      question({ frequency_penalty: 1 }),
      question({ reasoning_effort: "low" }),
      question({ response_format: { type: "json_object" } }),
      question({ messages: [{ role: "user", content: "Where is the harbour?" }] }),
      question({
        messages: [{ role: "system", content: "Where is the harbour? It is in Ostrel." }],
      }),
      question({ messages: [{ ...question().messages[0], name: "ann" }] }),
      question({ messages: [...question().messages, ...question().messages] }),
    ];
    for (const body of others) {
      // oxlint-disable-next-line no-await-in-loop -- each must find what the others have left
      expect(told(await tenant.call("POST", chat, body)), JSON.stringify(body)).toBe("miss");
    }
    for (const body of others) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(told(await tenant.call("POST", chat, body)), JSON.stringify(body)).toBe("hit");
    }
    // What does not matter: who asks, and the order in which it is said.
    const same = { user: "u1", ...Object.fromEntries(Object.entries(question()).toReversed()) };
    expect(told(await tenant.call("POST", chat, same))).toBe("hit");
  });

  it.each([
    ["tools", { tools: [{ type: "function", function: { name: "f" } }] }],
    ["no temperature, which is 1", { temperature: null }],
    ["a temperature above the bound", { temperature: 0.3 }],
    [
      "the answer of a tool",
      {
        messages: [
          { role: "user", content: "hi" },
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
          },
          { role: "tool", tool_call_id: "a", content: "3" },
        ],
      },
    ],
  ])("a chat with %s", async (_, more) => {
    const tenant = await aTenant({ ...ON, cache_max_temperature: 0.2 });
    await tenant.call("POST", chat, question(more));
    expect(told(await tenant.call("POST", chat, question(more)))).toBe("miss");
    expect((await env.CACHE.list()).keys).toEqual([]);
  });

  it("a stream, nor from one", async () => {
    const tenant = await aTenant();
    await tenant.call("POST", chat, question({ stream: true }));
    expect(told(await tenant.call("POST", chat, question()))).toBe("miss");
    const [, streamed] = await lines(tenant);
    expect(streamed.micro_neurons).toBeGreaterThan(0);
    await tenant.call("POST", chat, question({ stream: true }));
    expect((await lines(tenant))[0].micro_neurons).toBeGreaterThan(0);
  });

  it("an error, nor what a fallback answered in its stead", async () => {
    const tenant = await aTenant({ ...ON, fallbacks: { [SMALL]: [BASE] } });
    const failing = { model: BASE, input: input("500,ok") };
    expect((await tenant.onWorkersAi("POST", embeddings, failing)).status).toBe(502);
    expect(told(await tenant.onWorkersAi("POST", embeddings, failing))).toBe("miss");
    const refused = { model: SMALL, input: input("3040,3040,ok,ok") };
    const fallback = await tenant.onWorkersAi("POST", embeddings, refused);
    expect(fallback.body.model).toBe(BASE);
    const own = await tenant.onWorkersAi("POST", embeddings, refused);
    expect([told(own), own.body.model]).toEqual(["miss", SMALL]);
  });

  it("what another engine answered", async () => {
    const tenant = await aTenant();
    await embed(tenant);
    const body = { model: SMALL, input: "hello" };
    expect(told(await tenant.onWorkersAi("POST", embeddings, body))).toBe("miss");
  });

  it("where the store is ill: the call is answered all the same", async () => {
    const tenant = await aTenant();
    const CACHE = {
      get: () => Promise.reject(new Error("no")),
      put: () => {
        throw new Error("no");
      },
    };
    const body = { model: SMALL, input: "hello" };
    const other = { CACHE };
    for (const reply of [
      await ask("POST", embeddings, { key: tenant.key, body, env: other }),
      await ask("POST", embeddings, { key: tenant.key, body, env: other }),
    ]) {
      expect([reply.status, told(reply)]).toEqual([200, "miss"]);
    }
  });
});

const owners = async () => (await env.CACHE.list()).keys.map(({ name }) => name.split("/")[1]);

describe("what a tenant has left", () => {
  it("is taken out when it ends, and no other's", async () => {
    const [a, b] = [await aTenant(), await aTenant()];
    await embed(a);
    await embed(b);
    expect(await owners()).toEqual([a.id, b.id].toSorted());
    const path = `/admin/tenants/${a.id}`;
    const ended = await ask("DELETE", path, { key: env.ADMIN_TOKEN, env: {} });
    expect(ended.status).toBe(204);
    expect(await owners()).toEqual([b.id]);
  });

  it("does not stand in the way of its end where the store is ill", async () => {
    const tenant = await aTenant();
    const CACHE = { list: () => Promise.reject(new Error("no")) };
    const path = `/admin/tenants/${tenant.id}`;
    const ended = await ask("DELETE", path, { key: env.ADMIN_TOKEN, env: { CACHE } });
    expect(ended.status).toBe(204);
  });
});

describe("a list that several engine calls answer", () => {
  const texts = Array.from({ length: 150 }, (_, at) => `${at}`);

  it("is another question where only its end differs", async () => {
    const tenant = await aTenant();
    const embedded = (asked: readonly string[]) =>
      tenant.call("POST", embeddings, { model: SMALL, input: asked });
    const first = await embedded(texts);
    const other = await embedded(texts.with(149, "The harbour of Ostrel"));
    expect([told(first), told(other)]).toEqual(["miss", "miss"]);
    expect(other.body.data[149].embedding).not.toEqual(first.body.data[149].embedding);
    const again = await embedded(texts);
    expect(told(again)).toBe("hit");
    expect(again.body.data).toEqual(first.body.data);
  });
});

describe("other kinds of answers", () => {
  it.each([
    ["@cf/huggingface/distilbert-sst-2-int8", { text: "What a fine day" }],
    ["@cf/meta/m2m100-1.2b", { text: "hello", source_lang: "en", target_lang: "fr" }],
    ["@cf/baai/bge-reranker-base", { query: "rain", contexts: [{ text: "wet" }, { text: "dry" }] }],
  ])("of %s are given again", async (model, body) => {
    const tenant = await aTenant();
    const path = `/client/v4/accounts/${tenant.id}/ai/run/${model}`;
    const first = await tenant.onWorkersAi("POST", path, body);
    const again = await tenant.onWorkersAi("POST", path, body);
    expect([first.status, told(first), told(again)]).toEqual([200, "miss", "hit"]);
    expect(again.body.result).toEqual(first.body.result);
    expect((await lines(tenant))[0].micro_neurons).toBe(0);
  });
});

describe("a quote", () => {
  it("says that a call may cost nothing where answers are given again", async () => {
    const body = { path: embeddings, body: { model: SMALL, input: "hello" } };
    const [on, off] = [await aTenant(), await aTenant({})];
    expect((await on.call("POST", "/v1/quote", body)).body.min_micro_neurons).toBe(0);
    expect((await off.call("POST", "/v1/quote", body)).body.min_micro_neurons).toBeGreaterThan(0);
  });
});
