import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant, WORKERS_AI } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";

// Log-probabilities: from the engines that have them, and refused by name by the others.

const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const OLDER = "@cf/meta/llama-3.1-8b-instruct-fp8";
const CHAT = "/v1/chat/completions";
const SERVER = {
  INFERENCE: "openai",
  OPENAI_BASE_URL: `${env.FAKE_AI_URL}openai/v1`,
  OPENAI_MODEL: "llama3",
};

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`logprobs-${unique()}`, { daily_neurons: 9000 });
});

interface Asked {
  readonly logprobs: unknown;
  readonly top_logprobs: unknown;
}

async function askedOf(id: string): Promise<Asked> {
  const url = new URL(`/__requests?match=${id}`, env.FAKE_AI_URL);
  const [request]: { readonly inputs: Asked }[] = await (await fetch(url)).json();
  if (request === undefined) throw new Error("no engine was asked");
  return request.inputs;
}

const bodyOf = (id: string, more: object, behaviour = "text=Hello there&logprobs=2") => ({
  model: GEMMA,
  messages: [{ role: "user", content: `[[fake:${behaviour}|${id}]]` }],
  logprobs: true,
  top_logprobs: 2,
  ...more,
});

const bytesOf = (text: string) => [...new TextEncoder().encode(text)];

const HELLO = {
  token: "Hello",
  logprob: -0.1,
  bytes: bytesOf("Hello"),
  top_logprobs: [
    { token: "Hello", logprob: -0.1, bytes: bytesOf("Hello") },
    { token: "other1", logprob: -1.1, bytes: null },
  ],
};

describe("log-probabilities of a chat", () => {
  it.each([
    ["a server of one's own", SERVER],
    ["Workers AI", WORKERS_AI],
  ])("come from %s as they are, whole and in a stream", async (_, engine) => {
    const id = unique();
    const { body } = await ask("POST", CHAT, {
      key: tenant.key,
      body: bodyOf(id, {}),
      env: engine,
    });
    const { content, refusal } = body.choices[0].logprobs;
    expect(content[0]).toEqual(HELLO);
    expect(content).toHaveLength(2);
    expect(refusal).toBeNull();
    expect(await askedOf(id)).toMatchObject({ logprobs: true, top_logprobs: 2 });
    const { chunks } = await readStream(
      await openStream(tenant.key, bodyOf(unique(), {}), { env: engine }),
    );
    const streamed = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
    expect(streamed).toEqual(content);
  });

  it("are not asked for unless the caller does, and null where the engine has none", async () => {
    const id = unique();
    const quiet = bodyOf(id, { logprobs: false, top_logprobs: 0 }, "text=Hello");
    const reply = await ask("POST", CHAT, { key: tenant.key, body: quiet, env: SERVER });
    expect(reply.body.choices[0].logprobs).toBeNull();
    expect(await askedOf(id)).not.toHaveProperty("logprobs");
    const none = { key: tenant.key, body: bodyOf(unique(), {}, "text=Hello"), env: SERVER };
    expect((await ask("POST", CHAT, none)).body.choices[0].logprobs).toBeNull();
  });

  it("are refused by name where there are none, and nothing is charged", async () => {
    const cases = [
      [bodyOf(unique(), {}), { INFERENCE: "embedded" }],
      [bodyOf(unique(), { stream: true }), { INFERENCE: "embedded" }],
      [bodyOf(unique(), { model: OLDER }), WORKERS_AI],
    ] as const;
    for (const [body, engine] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await ask("POST", CHAT, { key: tenant.key, body, env: engine });
      expect([reply.status, reply.body.error.param]).toEqual([400, "logprobs"]);
    }
    const { data } = (await tenant.call("GET", "/v1/ledger?limit=3")).body;
    expect(data.map(({ micro_neurons }: { micro_neurons: number }) => micro_neurons)).toEqual([
      0, 0, 0,
    ]);
  });

  it("are never beside an answer that is guarded: they name words that nobody judged", async () => {
    const guarded = await makeTenant(`logprobs-guarded-${unique()}`, { daily_neurons: 9000 });
    await guarded.call("PUT", "/v1/policies/default", { guard: { output: "score" } });
    for (const stream of [false, true]) {
      const body = bodyOf(unique(), { stream });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await ask("POST", CHAT, { key: guarded.key, body, env: SERVER });
      expect([reply.status, reply.body.error.param]).toEqual([400, "logprobs"]);
      expect(reply.body.error.message).toContain("guarded");
    }
  });

  it("are lists in the older completions, in a stream too", async () => {
    const body = { model: GEMMA, prompt: `[[fake:text=Hello there&logprobs=2|${unique()}]]` };
    const whole = await ask("POST", "/v1/completions", {
      key: tenant.key,
      body: { ...body, logprobs: 2 },
      env: SERVER,
    });
    const expected = {
      tokens: ["Hello", " there"],
      token_logprobs: [-0.1, -0.2],
      top_logprobs: [
        { Hello: -0.1, other1: -1.1 },
        { " there": -0.2, other1: -1.2 },
      ],
      text_offset: [0, 5],
    };
    expect(whole.body.choices[0]).toMatchObject({ text: "Hello there", logprobs: expected });
    const { chunks } = await readStream(
      await openStream(
        tenant.key,
        { ...body, logprobs: 2, prompt: `${body.prompt} ` },
        { env: SERVER, path: "/v1/completions" },
      ),
    );
    const offsets = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.text_offset ?? []);
    expect(offsets).toEqual([0, 5]);
    const none = await tenant.call("POST", "/v1/completions", { ...body, logprobs: 0 });
    expect([none.status, none.body.error.param]).toEqual([400, "logprobs"]);
    const quiet = await tenant.call("POST", "/v1/completions", { ...body, logprobs: false });
    expect(quiet.status).toBe(200);
  });

  it.each<[object, string]>([
    [{ logprobs: "yes" }, "logprobs"],
    [{ top_logprobs: 21 }, "top_logprobs"],
    [{ logprobs: false, top_logprobs: 2 }, "top_logprobs"],
    [{ top_logprobs: 20, max_tokens: 4000 }, "logprobs"],
  ])("are refused as %j", async (more, param) => {
    const body = bodyOf(unique(), more);
    const reply = await ask("POST", CHAT, { key: tenant.key, body, env: SERVER });
    expect([reply.status, reply.body.error.param]).toEqual([400, param]);
  });
});

const runPath = (model: string) => `/client/v4/accounts/${tenant.id}/ai/run/${model}`;

describe("log-probabilities under /ai/run", () => {
  const expected = [HELLO, { token: " there", logprob: -0.2 }];

  it("are OpenAI's in the answer of a newer model", async () => {
    const id = unique();
    const path = runPath(GEMMA);
    const asked = { key: tenant.key, body: bodyOf(id, {}), env: WORKERS_AI };
    const { body } = await ask("POST", path, asked);
    expect(body.result.choices[0].logprobs.content).toMatchObject(expected);
    expect(await askedOf(id)).toMatchObject({ logprobs: true, top_logprobs: 2 });
    const { chunks } = await readStream(
      await openStream(tenant.key, bodyOf(unique(), {}), { path }),
    );
    const streamed = chunks.flatMap(({ choices }) => choices[0]?.logprobs?.content ?? []);
    expect(streamed).toMatchObject(expected);
  });

  it("stand beside the answer of an older one, from a server that has them", async () => {
    const path = runPath(OLDER);
    const asked = { key: tenant.key, body: bodyOf(unique(), {}), env: SERVER };
    const { body } = await ask("POST", path, asked);
    expect(body.result).toMatchObject({ response: "Hello there", logprobs: { content: expected } });
    const { chunks } = await readStream(
      await openStream(tenant.key, bodyOf(unique(), {}), { path, env: SERVER }),
    );
    const streamed = chunks.flatMap(({ logprobs }) => logprobs?.content ?? []);
    expect(streamed).toMatchObject(expected);
    const quiet = bodyOf(unique(), { logprobs: false, top_logprobs: 0 }, "text=Hello");
    const none = await ask("POST", path, { key: tenant.key, body: quiet, env: SERVER });
    expect(none.body.result).not.toHaveProperty("logprobs");
  });

  it("are refused by name where there are none", async () => {
    const asked = { key: tenant.key, body: bodyOf(unique(), {}), env: WORKERS_AI };
    const reply = await ask("POST", runPath(OLDER), asked);
    expect([reply.status, reply.body.errors[0].source]).toEqual([400, { pointer: "/logprobs" }]);
  });
});
