import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeTenant, type TestTenant } from "../client.ts";
import { unique } from "./scripted.ts";
import { openStream, readStream } from "./streams.ts";
import { env } from "cloudflare:workers";

// What clients of other providers, and older ones, send: taken where it means something here.

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";
const GEMMA = "@cf/google/gemma-4-26b-a4b-it";
const SMALL = "@cf/baai/bge-small-en-v1.5";
const CHAT = "/v1/chat/completions";

let tenant: TestTenant;
beforeAll(async () => {
  tenant = await makeTenant(`habits-${unique()}`, { daily_neurons: 9000, rpm: { requests: 2000 } });
});

const user = (content: unknown) => ({ role: "user", content });
const newestLine = async () => (await tenant.call("GET", "/v1/ledger")).body.data[0];

interface EngineRequest {
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Its digits. */
  readonly seed: string | null;
  readonly maximum: string | null;
}

/** What the engine was asked. */
async function requestsAbout(match: string): Promise<readonly EngineRequest[]> {
  const url = new URL(`/__requests?match=${encodeURIComponent(match)}`, env.FAKE_AI_URL);
  return (await fetch(url)).json();
}

async function askedOf(match: string): Promise<EngineRequest> {
  const [request] = await requestsAbout(match);
  if (request === undefined) throw new Error("no engine was asked");
  return request;
}

describe("a key", () => {
  it("may come as x-api-key, beside an Authorization that is no bearer", async () => {
    const headers = { "x-api-key": tenant.key };
    expect((await ask("GET", "/v1/limits", { headers })).status).toBe(200);
    const basic = { ...headers, Authorization: "Basic YTpi" };
    expect((await ask("GET", "/v1/limits", { headers: basic })).status).toBe(200);
  });

  it("is judged by its bearer where there is one, and opens nothing of the platform's", async () => {
    const wrong = { "x-api-key": tenant.key, Authorization: "Bearer ng_wrong" };
    expect((await ask("GET", "/v1/limits", { headers: wrong })).status).toBe(401);
    for (const other of [{}, { Authorization: "Basic YTpi" }]) {
      const admin = { "x-api-key": env.ADMIN_TOKEN, ...other };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await ask("GET", "/admin/account", { headers: admin })).status).toBe(401);
    }
  });
});

describe("a model", () => {
  it("may be named as the AI Gateway names it", async () => {
    const body = { model: `workers-ai/${LLAMA}`, messages: [user("Hello there.")] };
    const reply = await tenant.call("POST", CHAT, body);
    expect([reply.status, reply.body.model]).toEqual([200, LLAMA]);
    const run = `/client/v4/accounts/${tenant.id}/ai/run/workers-ai/${LLAMA}`;
    expect((await tenant.call("POST", run, { prompt: "Hello there." })).status).toBe(200);
    const model = await tenant.call("GET", `/v1/models/workers-ai/${LLAMA}`);
    expect([model.status, model.body.id]).toEqual([200, LLAMA]);
  });
});

const embeddingCost = async (input: unknown): Promise<number> =>
  (await tenant.call("POST", "/v1/embeddings", { model: SMALL, input })).body.neurogate
    .micro_neurons;

describe("many texts", () => {
  const texts = Array.from({ length: 150 }, (_, at) => `text number ${at}`);

  it("are embedded in order, under one hold and on one line", async () => {
    const reply = await tenant.call("POST", "/v1/embeddings", { model: SMALL, input: texts });
    expect(reply.status).toBe(200);
    const alone = await tenant.call("POST", "/v1/embeddings", { model: SMALL, input: texts[120] });
    expect(reply.body.data).toHaveLength(150);
    expect(reply.body.data[120]).toEqual({ ...alone.body.data[0], index: 120 });
    const run = `/client/v4/accounts/${tenant.id}/ai/run/${SMALL}`;
    const id = unique();
    const named = texts.map((text) => `${text} ${id}`);
    const { body } = await tenant.onWorkersAi("POST", run, { text: named });
    expect(body.result.shape[0]).toBe(150);
    const asked = (await requestsAbout(id)).map(({ inputs }) => inputs["text"]);
    expect(asked).toHaveLength(2);
    expect(asked).toEqual(expect.arrayContaining([named.slice(0, 100), named.slice(100)]));
    const line = await newestLine();
    expect(line.items).toHaveLength(1);
    expect(line.micro_neurons).toBe(body.neurogate.micro_neurons);
    const tooMany = { model: SMALL, input: Array.from({ length: 2049 }, () => "a") };
    const refused = await tenant.call("POST", "/v1/embeddings", tooMany);
    expect([refused.status, refused.body.error.param]).toEqual([400, "input"]);
  });

  it("cost what they cost apart", async () => {
    const [whole, first, rest] = [
      await embeddingCost(texts),
      await embeddingCost(texts.slice(0, 100)),
      await embeddingCost(texts.slice(100)),
    ];
    expect(whole).toBe(first + rest);
  });

  it("of token ids are refused in words", async () => {
    for (const input of [
      [1, 2],
      [[1, 2], [3]],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await tenant.call("POST", "/v1/embeddings", { model: SMALL, input });
      expect([status, body.error.param]).toEqual([400, "input"]);
      expect(body.error.message).toContain("token ids are each model's own");
    }
  });

  it("are moderated, a result each", async () => {
    // With a judge so many hold more than one call may of a free account's day.
    await tenant.call("PUT", "/v1/policies/free", { preset: "free" });
    const asked = { input: texts, neurogate: { policy: "free" } };
    const { status, body } = await tenant.call("POST", "/v1/moderations", asked);
    expect(status).toBe(200);
    expect(body.results).toHaveLength(150);
  });

  it("of one item are judged as one", async () => {
    const input = ["I will", "kill you, idiot"].map((text) => ({ type: "text", text }));
    const { status, body } = await tenant.call("POST", "/v1/moderations", { input });
    expect(status).toBe(200);
    expect(body.results).toHaveLength(1);
    expect(body.results[0].flagged).toBe(true);
    const long = Array.from({ length: 3 }, () => ({ type: "text", text: "a".repeat(50_000) }));
    const refused = await tenant.call("POST", "/v1/moderations", { input: long });
    expect([refused.status, refused.body.error.param]).toEqual([400, "input"]);
  });
});

describe("a schema in another spelling", () => {
  const schema = { type: "object", properties: { city: { type: "string" } } };
  it.each<[string, object]>([
    ["guided_json", { guided_json: schema }],
    ["json_object", { response_format: { type: "json_object", schema } }],
    ["bare", { response_format: { type: "json_schema", json_schema: schema } }],
    [
      "json_schema in json_object",
      { response_format: { type: "json_object", json_schema: schema } },
    ],
    ["flat", { response_format: { type: "json_schema", name: "city", schema } }],
    ["as in a response", { text: { format: { type: "json_schema", name: "city", schema } } }],
  ])("reaches the model: %s", async (_, more) => {
    const run = `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`;
    for (const path of [CHAT, run]) {
      const id = unique();
      const body = { model: LLAMA, messages: [user(`[[fake:text={}|${id}]]`)], ...more };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.onWorkersAi("POST", path, body);
      expect(reply.status).toBe(200);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await askedOf(id)).inputs).toMatchObject({
        response_format: { type: "json_schema", json_schema: schema },
      });
    }
  });
});

describe("a format without its schema", () => {
  it.each<[object, string]>([
    [{ type: "json_schema" }, "/response_format/json_schema"],
    [{ type: "json_schema", json_schema: { name: "city" } }, "/response_format/json_schema/schema"],
    [{ type: "json_schema", json_schema: "city" }, "/response_format/json_schema"],
    [{ type: "json_object", json_schema: "city" }, "/response_format/json_schema"],
  ])("is refused by name under /ai/run: %j", async (response_format, pointer) => {
    const run = `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`;
    const { status, body } = await tenant.call("POST", run, { prompt: "Hi.", response_format });
    expect([status, body.errors[0].source.pointer]).toEqual([400, pointer]);
  });
});

describe("a form of the answer that no engine here can keep", () => {
  it("is refused by name on every surface", async () => {
    const more = { guided_regex: "a+" };
    const messages = [user("Hi.")];
    const asked = [
      [CHAT, { model: LLAMA, messages }],
      ["/v1/responses", { model: LLAMA, input: "Hi." }],
      ["/v1/completions", { model: LLAMA, prompt: "Hi." }],
      [`/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`, { messages }],
    ] as const;
    for (const [path, body] of asked) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.call("POST", path, { ...body, ...more });
      expect([path, reply.status]).toEqual([path, 400]);
      expect(JSON.stringify(reply.body)).toContain("guided_regex must be absent");
    }
  });
});

describe("a field of the Responses API in a chat", () => {
  it.each([
    { input: "Hi." },
    { instructions: "Be kind." },
    { max_output_tokens: 5 },
    { previous_response_id: "resp_1" },
  ])("is refused by name: %j", async (more) => {
    const body = { model: LLAMA, messages: [user("Hi.")], ...more };
    const reply = await tenant.call("POST", CHAT, body);
    expect([reply.status, reply.body.error.param]).toEqual([400, Object.keys(more)[0]]);
  });
});

describe("what changes nothing", () => {
  it("is accepted", async () => {
    const messages = [user("Hi.")];
    for (const more of [{ stream_options: {} }, { stream_options: { include_usage: false } }]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.call("POST", CHAT, { model: LLAMA, messages, ...more });
      expect(reply.status).toBe(200);
    }
    const run = `/client/v4/accounts/${tenant.id}/ai/run/${LLAMA}`;
    expect((await tenant.call("POST", run, { messages, functions: [] })).status).toBe(200);
  });
});

describe("a long whole number in the schema of a tool", () => {
  it("reaches the engine digit by digit", async () => {
    const id = unique();
    const parameters = `{"type":"object","properties":{"id":{"type":"integer","maximum":9223372036854775807}}}`;
    const body = JSON.stringify({
      model: GEMMA,
      messages: [user(`[[fake:text=a|${id}]]`)],
      tools: [{ type: "function", function: { name: "f", parameters: "X" } }],
    }).replace('"X"', parameters);
    expect((await tenant.onWorkersAi("POST", CHAT, body)).status).toBe(200);
    expect((await askedOf(id)).maximum).toBe("9223372036854775807");
  });
});

const marker = () => user(`[[fake:reasoning=1&usage=12/5/4/3|${unique()}]]`);

describe("tokens that a model thought", () => {
  const THOUGHT = { completion_tokens_details: { reasoning_tokens: 3 } };

  it("are told as it tells them, on both surfaces, in streams and on the line", async () => {
    const body = { model: GEMMA, messages: [marker()] };
    const reply = await tenant.onWorkersAi("POST", CHAT, body);
    expect(reply.body.usage).toMatchObject({ completion_tokens: 5, ...THOUGHT });
    const line = await newestLine();
    expect(line.items[0].units).toEqual({
      input_token: 8,
      cached_input_token: 4,
      output_token: 5,
      reasoning_token: 3,
    });
    expect(line.micro_neurons).toBe(12 * 9091 + 5 * 27_273);
    const run = `/client/v4/accounts/${tenant.id}/ai/run/${GEMMA}`;
    const ran = await tenant.onWorkersAi("POST", run, { messages: [marker()] });
    expect(ran.body.result.usage).toMatchObject(THOUGHT);
    const streamed = async (more: object) =>
      readStream(await openStream(tenant.key, { ...body, messages: [marker()], ...more }));
    const told = await streamed({ stream_options: { include_usage: true } });
    expect(told.raw).toContain('"completion_tokens_details":{"reasoning_tokens":3}');
    expect((await streamed({})).raw).not.toContain('"usage"');
  });

  it("are left out where they are more than were written", async () => {
    const body = { model: GEMMA, messages: [user(`[[fake:usage=12/5/4/30|${unique()}]]`)] };
    const { usage } = (await tenant.onWorkersAi("POST", CHAT, body)).body;
    expect(usage).not.toHaveProperty("completion_tokens_details");
  });
});

const run = () => `/client/v4/accounts/${tenant.id}/ai/run/${GEMMA}`;
const COMPLETIONS = "/v1/completions";
function sent(path: string, id: string, seed: string): string {
  const content = `[[fake:text=a|${id}]]`;
  const asked = path === COMPLETIONS ? { prompt: content } : { messages: [user(content)] };
  const body = JSON.stringify({ model: GEMMA, ...asked, metadata: { seed: 1 } });
  return `${body.slice(0, -1)},"seed":${seed}}`;
}

describe("POST /v1/completions", () => {
  const path = COMPLETIONS;
  const STORY = "Lena keeps bees on the roof. Her brother repairs clocks. Who repairs clocks?";

  it("answers a text with a text", async () => {
    for (const prompt of [STORY, [STORY]]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, body } = await tenant.call("POST", path, { model: LLAMA, prompt, n: 2 });
      expect(status).toBe(200);
      const choice = { text: "Her brother repairs clocks.", logprobs: null, finish_reason: "stop" };
      expect(body).toMatchObject({
        id: expect.stringMatching(/^cmpl-/),
        object: "text_completion",
        model: LLAMA,
        choices: [
          { ...choice, index: 0 },
          { ...choice, index: 1 },
        ],
        neurogate: { stand_in: true },
      });
      expect(body.usage.total_tokens).toBeGreaterThan(0);
    }
    expect((await newestLine()).route).toBe("POST /v1/completions");
  });

  it("is cut at sixteen tokens, and streamed as it was asked", async () => {
    const long = `${"The harbour freezes every winter and its fishermen mend their nets then. ".repeat(3)}Why?`;
    const cut = await tenant.call("POST", path, { model: LLAMA, prompt: long });
    expect(cut.body.choices[0].finish_reason).toBe("length");
    const streamed = { model: LLAMA, prompt: STORY, stream: true };
    const told = await tenant.call("POST", path, {
      ...streamed,
      stream_options: { include_usage: true },
    });
    const events: string[] = told.body
      .split("\n\n")
      .filter((line: string) => line.startsWith("data: {"));
    const chunks = events.map((line) => JSON.parse(line.slice(6)));
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? "").join("")).toBe(
      "Her brother repairs clocks.",
    );
    expect(chunks.at(-2)).toMatchObject({
      choices: [{ text: "", finish_reason: "stop" }],
      usage: null,
    });
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { completion_tokens: expect.any(Number) },
    });
    expect(told.body).toMatch(/data: \[DONE\]\n\n$/);
    const untold = await tenant.call("POST", path, streamed);
    expect(untold.body).not.toContain('"usage"');
  });

  it.each<[object, string]>([
    [{ guided_json: { type: "object" } }, "guided_json"],
    [{ response_format: { type: "json_object" } }, "response_format"],
    [{ tools: [] }, "tools"],
    [{ messages: [] }, "messages"],
    [{ echo: true }, "echo"],
    [{ suffix: "end" }, "suffix"],
    [{ logprobs: 3 }, "logprobs"],
    [{ best_of: 3 }, "best_of"],
    [
      { stream: true, stream_options: { include_obfuscation: true } },
      "stream_options.include_obfuscation",
    ],
    [{ prompt: [1, 2] }, "prompt"],
    [{ prompt: "" }, "prompt"],
    [{ max_tokens: 0 }, "max_tokens"],
  ])("refuses %j by name", async (more, param) => {
    const { status, body } = await tenant.call("POST", path, {
      model: LLAMA,
      prompt: "Hi.",
      ...more,
    });
    expect([status, body.error.param]).toEqual([400, param]);
  });

  it.each([
    ["that an answer was cut", "words=2&cut=2"],
    ["that there was none", "only_usage"],
  ])("says %s, and does not end as one that is whole", async (_what, behaviour) => {
    const prompt = `[[fake:${behaviour}|${unique()}]]`;
    const { chunks, done } = await readStream(
      await openStream(tenant.key, { model: GEMMA, prompt }, { path }),
    );
    expect(done).toBe(false);
    expect(chunks.at(-1)).toMatchObject({
      error: { code: "engine_failed", request_id: expect.stringMatching(/^req_/) },
    });
  });

  it("is guarded as the tenant's policy says, whole and streamed", async () => {
    const guarded = await makeTenant(`guarded-${unique()}`);
    const policy = { terms: { block: ["clocks"] }, guard: { input: "block" } };
    expect((await guarded.call("PUT", "/v1/policies/default", policy)).status).toBe(200);
    const body = { model: LLAMA, prompt: STORY };
    const whole = await guarded.call("POST", path, body);
    expect(whole.body.choices).toMatchObject([{ text: "", finish_reason: "content_filter" }]);
    const { chunks } = await readStream(await openStream(guarded.key, body, { path, env: {} }));
    expect(chunks).toMatchObject([{ choices: [{ text: "", finish_reason: "content_filter" }] }]);
  });

  it("reaches a model as a chat", async () => {
    const id = unique();
    const prompt = `[[fake:text=A pump&usage=12/5|${id}]]`;
    const body = { model: GEMMA, prompt, stop: ["\n"], seed: 7, user: "u1" };
    const reply = await tenant.onWorkersAi("POST", path, body);
    expect(reply.body.choices[0].text).toBe("A pump");
    expect((await askedOf(id)).inputs).toMatchObject({
      messages: [{ role: "user", content: prompt }],
      max_tokens: 16,
      stop: ["\n"],
      seed: 7,
    });
    expect((await newestLine()).user_id).toBe("u1");
  });
});

describe("a seed of 64 bits", () => {
  it.each(["9223372036854775807", "-9223372036854775808", "9007199254740993", "42"])(
    "is passed on as it is: %s",
    async (seed) => {
      for (const path of [CHAT, COMPLETIONS, run()]) {
        const id = unique();
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const reply = await tenant.onWorkersAi("POST", path, sent(path, id, seed));
        expect(reply.status).toBe(200);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        expect((await askedOf(id)).seed).toBe(seed);
      }
    },
  );

  it.each(["9223372036854775808", "1e300", "1.5"])("that is none is refused: %s", async (seed) => {
    for (const path of [CHAT, COMPLETIONS, run()]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const reply = await tenant.onWorkersAi("POST", path, sent(path, unique(), seed));
      expect(reply.status).toBe(400);
      expect(JSON.stringify(reply.body)).toContain("seed");
    }
  });
});
