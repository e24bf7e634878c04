import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hold } from "../../src/domain/ledger/ledger.ts";
import { createWorkersAiEngine } from "../../src/engines/workers-ai/engine.ts";
import { throughGateway } from "../../src/engines/workers-ai/gateway.ts";
import { ask, makeTenant, type TestTenant } from "../client.ts";
import { openStream, readStream } from "./streams.ts";

// AI Gateway in front of Workers AI: the real `Ai` class, with a fake behind it that caches as the gateway
// does. What its cache answers ran no model.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const BGE = "@cf/baai/bge-base-en-v1.5";
const GATEWAY_CACHE = "ai-gateway-cache";

let tenant: TestTenant;
beforeEach(async () => {
  tenant = await makeTenant("behind");
});
afterEach(() => reset());

const unique = () => crypto.randomUUID();

const through = (AI_GATEWAY_ID: string) => ({ INFERENCE: "workers-ai", AI_GATEWAY_ID });

const post = (path: string, body: object, gateway: string) =>
  ask("POST", path, { key: tenant.key, body, env: through(gateway) });

const chatOf = (content: string, more: object = {}) => ({
  model: LLAMA,
  messages: [{ role: "user", content }],
  max_tokens: 20,
  temperature: 0,
  ...more,
});

const chat = (content: string, gateway: string, more: object = {}) =>
  post("/v1/chat/completions", chatOf(content, more), gateway);

/** The newest line comes first. */
const lines = async () => (await tenant.call("GET", "/v1/ledger")).body.data;

const items = async () =>
  (await lines()).map(({ items: [item] }: { items: readonly object[] }) => item).toReversed();

interface Arrived {
  readonly options: { readonly gateway?: Readonly<Record<string, unknown>> | string };
}
const arrived = async (match: string): Promise<readonly Arrived[]> => {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
};

describe("an answer of the gateway's cache", () => {
  it("costs nothing, and its line names the cache", async () => {
    const content = `What is a gateway? ${unique()}`;
    const first = await chat(content, "kept");
    const second = await chat(content, "kept");
    expect(second.status).toBe(200);
    expect(second.body.choices).toEqual(first.body.choices);
    expect(await items()).toMatchObject([
      { engine: "workers-ai", basis: "measured" },
      { engine: GATEWAY_CACHE, micro_neurons: 0, units: {}, basis: "measured" },
    ]);
    const [charged] = (await lines()).toReversed();
    expect(charged.micro_neurons).toBeGreaterThan(0);
    // The model ran once.
    expect(await arrived(content)).toHaveLength(1);
  });

  it("is free as a stream too", async () => {
    const content = `Tell me a story. ${unique()}`;
    for (let at = 0; at < 2; at += 1) {
      const body = chatOf(content, { stream: true });
      // oxlint-disable-next-line no-await-in-loop -- the second is answered by the cache
      const opened = await openStream(tenant.key, body, { env: through("kept") });
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect((await readStream(opened)).done).toBe(true);
    }
    expect(await items()).toMatchObject([
      { engine: "workers-ai" },
      { engine: GATEWAY_CACHE, micro_neurons: 0 },
    ]);
  });

  it("is free as a check of a moderation, and a judge is asked each time", async () => {
    const text = `A kind word for ${unique()}`;
    await post("/v1/verdicts", { text }, "kept");
    await post("/v1/verdicts", { text }, "kept");
    const [second] = await lines();
    const itemOf = (name: string) =>
      second.items.find(({ stage }: { stage: string }) => stage === name);
    expect(itemOf("sentiment")).toMatchObject({ engine: GATEWAY_CACHE, micro_neurons: 0 });
    expect(itemOf("judge")).toMatchObject({ engine: "workers-ai" });
  });

  it("is free where the engine reports no usage", async () => {
    const input = `a sentence ${unique()}`;
    await post("/v1/embeddings", { model: BGE, input }, "kept");
    await post("/v1/embeddings", { model: BGE, input }, "kept");
    expect(await items()).toMatchObject([
      { engine: "workers-ai", basis: "estimated" },
      { engine: GATEWAY_CACHE, micro_neurons: 0, basis: "measured" },
    ]);
  });

  it("asks the gateway to keep no log, which would hold content", async () => {
    const content = `hello ${unique()}`;
    await chat(content, "kept");
    const [{ options } = { options: {} }] = await arrived(content);
    expect(options.gateway).toEqual({
      id: "kept",
      collectLog: false,
      cacheKey: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});

describe("what another tenant sent", () => {
  it("is not answered by the cache: its charge does not tell", async () => {
    const other = await makeTenant("asker");
    const body = { model: BGE, input: `a secret sentence ${unique()}` };
    await post("/v1/embeddings", body, "kept");
    await ask("POST", "/v1/embeddings", { key: other.key, body, env: through("kept") });
    const [line] = (await other.call("GET", "/v1/ledger")).body.data;
    expect(line.items).toMatchObject([{ engine: "workers-ai" }]);
    expect(line.micro_neurons).toBeGreaterThan(0);
    expect(await arrived(body.input)).toHaveLength(2);
  });

  it("is not kept of a call that has no key", async () => {
    const seen: object[] = [];
    const run = (_model: string, _inputs: unknown, options: { readonly gateway: object }) => {
      seen.push(options.gateway);
      return Promise.resolve({ data: [[1, 0]] });
    };
    const engine = throughGateway({ run } as unknown as Ai, "kept", createWorkersAiEngine);
    const hold: Hold = JSON.parse(`{"keyId":null}`);
    await engine.generators.embeddings?.(hold, { model: BGE, texts: ["x"] }, { timeoutMs: 1000 });
    expect(seen).toEqual([{ id: "kept", collectLog: false, skipCache: true }]);
  });
});

describe("what is not known is charged", () => {
  it.each(["silent", "broken"])("of a %s gateway", async (gateway) => {
    const content = `Say it again. ${unique()}`;
    await chat(content, gateway);
    await chat(content, gateway);
    const [first, second] = await items();
    expect(second).toMatchObject({ engine: "workers-ai" });
    expect(second.micro_neurons).toBe(first.micro_neurons);
    expect(second.micro_neurons).toBeGreaterThan(0);
  });

  it("where the raw reply is lost", async () => {
    const hold: Hold = JSON.parse("{}");
    const reply = { response: "Hi", usage: { prompt_tokens: 5, completion_tokens: 1 } };
    const binding = { run: () => Promise.resolve(reply) } as unknown as Ai;
    const engine = throughGateway(binding, "kept", createWorkersAiEngine);
    const messages = [{ role: "user" as const, content: "x" }];
    const inference = { model: LLAMA, messages, maxTokens: 5, parameters: {} };
    const outcome = await engine.generators.chat?.(hold, inference, { timeoutMs: 1000 });
    expect(outcome).toMatchObject({ kind: "answered", usage: { input_token: 5, output_token: 1 } });
    expect(outcome).not.toHaveProperty("servedBy");
  });
});

describe("what is drawn by chance", () => {
  it("is not taken from the cache: two answers of a call are two", async () => {
    const content = `Name a colour. ${unique()}`;
    await chat(content, "kept", { temperature: 1, n: 2 });
    await chat(content, "kept", { temperature: 1, n: 2 });
    expect(await arrived(content)).toHaveLength(4);
    expect(await items()).toMatchObject([{ engine: "workers-ai" }, { engine: "workers-ai" }]);
    const [{ options } = { options: {} }] = await arrived(content);
    expect(options.gateway).toMatchObject({ skipCache: true });
  });
});

describe("a picture, which is sent as a stream", () => {
  it("goes to Workers AI directly", async () => {
    const marker = unique();
    const bytes = new Uint8Array(new TextEncoder().encode(`picture ${marker}`));
    const picture = { bytes, format: "png" as const, width: 8, height: 8 };
    const engine = throughGateway(env.AI, "kept", createWorkersAiEngine);
    const check = { name: "labels" as const, model: "@cf/microsoft/resnet-50", picture };
    const hold: Hold = JSON.parse("{}");
    for (let at = 0; at < 2; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const outcome = await engine.run(hold, check, { timeoutMs: 5000 });
      expect(outcome).toMatchObject({ kind: "answered", usage: null });
    }
    expect(await arrived(marker)).toHaveLength(2);
  });
});

describe("without the setting", () => {
  it("no gateway is named", async () => {
    const content = `hello ${unique()}`;
    await tenant.onWorkersAi("POST", "/v1/chat/completions", chatOf(content));
    const [{ options } = { options: { gateway: "none" } }] = await arrived(content);
    expect(options.gateway).toBeUndefined();
  });
});
